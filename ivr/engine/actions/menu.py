"""`menu`: asks for one of several choices.

Some lines match the choices themselves and report the choice's name; others pass on keys or words, which are matched
here against what was offered.
"""

from msgspec import Struct

from ivr.engine.actions.base import Again, Asking, Asks, Raised, Result, Why, failed
from ivr.engine.commands import Choice, Recognize, Segment
from ivr.engine.events import ChoiceMade, Event, InputInvalid, InputTimedOut, KeysPressed, SpeechHeard
from ivr.engine.expressions.compile import Expression
from ivr.engine.prompt import Prompt
from ivr.engine.scope import Scope
from ivr.engine.utterance import as_heard


class MenuChoice(Struct, frozen=True):
    """One choice (LANGUAGE C5)."""

    offer: Choice
    "What the line listens for."
    prompt: Prompt = ()
    guard: Expression | None = None


class Menu(Asking, frozen=True):
    """The action `menu` (LANGUAGE C4, C5)."""

    choices: tuple[MenuChoice, ...]
    barge_in: bool
    into: str | None = None
    "The variable that keeps the choice's name."

    @property
    def keeps(self) -> str | None:
        """The variable that keeps the choice's name, if one does."""
        return self.into

    def start(self, scope: Scope) -> Result:
        """Ask."""
        open_choices = self._open(scope)
        return self._asks(scope, open_choices, self._whole(scope, open_choices))

    def again(self, scope: Scope, why: Why, count: int) -> Result:
        """Ask again."""
        open_choices = self._open(scope)
        whole = self._whole(scope, open_choices)
        return self._asks(scope, open_choices, self.question.repeated(scope, whole, why, count))

    def hear(self, scope: Scope, event: Event, offered: tuple[str, ...]) -> Result | None:
        """Judge an answer."""
        match event:
            case InputTimedOut():
                return Again("noInput")
            case InputInvalid():
                return Again("noMatch")
            case ChoiceMade(choice=name):
                if name not in offered:
                    return failed("error.workflow", "a choice that was never offered")
                return self._chosen(name)
            case KeysPressed(keys=keys):
                return self._matched(
                    next((c for c in self._among(offered) if c.offer.key and c.offer.key == keys), None)
                )
            case SpeechHeard(text=text):
                return self._matched(self._spoken(text, offered))
        return None

    def _spoken(self, text: str, offered: tuple[str, ...]) -> MenuChoice | None:
        said = as_heard(text)
        return next((c for c in self._among(offered) if said and said in map(as_heard, c.offer.speech)), None)

    def _open(self, scope: Scope) -> tuple[MenuChoice, ...]:
        return tuple([choice for choice in self.choices if choice.guard is None or scope.allows(choice.guard)])

    def _among(self, offered: tuple[str, ...]) -> tuple[MenuChoice, ...]:
        return tuple(choice for choice in self.choices if choice.offer.name in offered)

    def _whole(self, scope: Scope, open_choices: tuple[MenuChoice, ...]) -> tuple[Segment, ...]:
        segments = scope.prompt(self.question.prompt)
        for choice in open_choices:
            if choice.prompt:
                segments += scope.having({"key": choice.offer.key}).prompt(choice.prompt)
        return segments

    def _asks(self, scope: Scope, open_choices: tuple[MenuChoice, ...], prompt: tuple[Segment, ...]) -> Asks | Raised:
        if not open_choices:
            return Raised("empty")
        recognize = Recognize(
            op="",
            prompt=prompt,
            choices=tuple([choice.offer for choice in open_choices]),
            barge_in=self.barge_in,
            initial_silence=self.question.initial_silence,
            language=scope.language,
        )
        return Asks(recognize)

    def _matched(self, choice: MenuChoice | None) -> Result:
        return self._chosen(choice.offer.name) if choice else Again("noMatch")

    def _chosen(self, name: str) -> Raised:
        return Raised(name, {"choice": name}, {self.into: name} if self.into else {})
