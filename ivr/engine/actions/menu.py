"""`menu`: asks for one of several choices.

Some lines match the choices themselves and report the choice's name; others pass on keys or words, which are matched
here against what was offered.
"""

from ivr.engine.actions.asking import Asking, never_offered, understood_everywhere
from ivr.engine.actions.base import Again, Asks, Confirms, Raised, Result, Turned, Why
from ivr.engine.commands import Choice, Segment
from ivr.engine.events import ChoiceMade, Event, InputInvalid, InputTimedOut, KeysPressed, SpeechHeard
from ivr.engine.offers import FixedChoice, ListChoice, Offers, asked_before, by_keys, by_words, offers
from ivr.engine.scope import Scope
from ivr.engine.values import Value, unpack


class Menu(Asking, frozen=True):
    """The action `menu` (LANGUAGE C4, C5)."""

    choices: tuple[FixedChoice | ListChoice, ...]
    "At most one of them stands for a list."
    into: str | None = None
    "The variable that keeps the name of a choice that is no list."
    inter_digit: float | None = None
    "Seconds between two keys of one choice; none: no choice has several."
    terminators: str = ""

    @property
    def keeps(self) -> str | None:
        """The variable that keeps the choice's name, if one does."""
        return self.into

    def start(self, scope: Scope) -> Result:
        """Ask."""
        if confirm := self.confirms(scope):
            return self.asks_to_confirm(scope, confirm, self._answered(scope, scope.unconfirmed))
        open_choices = self._open(scope)
        return self._asks(scope, open_choices, self._whole(scope, open_choices))

    def again(self, scope: Scope, why: Why, count: int) -> Result:
        """Ask again."""
        if confirm := self.confirms(scope):
            before = self.question.text_for(scope, why, count)
            return self.asks_to_confirm(scope, confirm, self._answered(scope, scope.unconfirmed), before)
        open_choices = self._open(scope)
        whole = self._whole(scope, open_choices)
        return self._asks(scope, open_choices, self.question.repeated(scope, whole, why, count))

    def hear(self, scope: Scope, event: Event, offered: tuple[str, ...]) -> Result | None:
        """Judge an answer."""
        if confirm := self.confirms(scope):
            return self.confirmed(scope, confirm, event, offered, self._answered(scope, scope.unconfirmed))
        match event:
            case InputTimedOut():
                return Again("noInput")
            case InputInvalid():
                return Again("noMatch")
            case ChoiceMade(choice=name):
                return self._chosen(scope, name) if name in offered else never_offered()
            case KeysPressed(keys=keys):
                return self._matched(scope, by_keys(self._asked(scope, offered), keys))
            case SpeechHeard(text=text):
                return self._matched(scope, by_words(self._asked(scope, offered), text))
        return None

    # --- asking ---

    def _open(self, scope: Scope) -> Offers:
        return offers(scope, self.choices, self.question.everywhere, scope.progress.page)

    def _whole(self, scope: Scope, open_choices: Offers) -> tuple[Segment, ...]:
        return scope.prompt(self.question.prompt) + open_choices.spoken(scope)

    def _asks(self, scope: Scope, open_choices: Offers, prompt: tuple[Segment, ...]) -> Asks | Raised:
        own = {one.name for one in self.question.everywhere}
        if open_choices.is_empty or all(offered.choice.name in own for offered in open_choices.choices):
            return Raised("empty")
        recognize = self.question.recognize(
            scope,
            prompt,
            choices=open_choices.for_line(),
            inter_digit=self.inter_digit,
            terminators=self.terminators,
        )
        return Asks(recognize, open_choices.items)

    # --- what was chosen ---

    def _asked(self, scope: Scope, names: tuple[str, ...]) -> tuple[Choice, ...]:
        return tuple(asked_before(scope, self.choices, self.question.everywhere, names))

    def _matched(self, scope: Scope, name: str | None) -> Result:
        return Again("noMatch") if name is None else self._chosen(scope, name)

    def _chosen(self, scope: Scope, name: str) -> Result:
        listed = self._list
        if listed and listed.more and name == listed.more.name:
            return self._turned(scope)
        if name not in self._names and name not in scope.progress.items:
            return understood_everywhere(name)
        return Confirms(name) if self.question.confirm else self._answered(scope, name)

    def _turned(self, scope: Scope) -> Result:
        """Offer the next part of a list: what is said is the choices alone, since the caller knows the question."""
        page = scope.progress.page + 1
        following = offers(scope, self.choices, self.question.everywhere, page)
        asks = self._asks(scope, following, following.spoken(scope))
        return Turned(page, asks) if isinstance(asks, Asks) else asks

    def _answered(self, scope: Scope, answer: Value) -> Raised:
        """Raise a choice; `answer` is the name that the line was given for it."""
        name, listed = str(answer), self._list
        if listed is None or name in self._names:
            return Raised(name, {"choice": name}, {self.into: name} if self.into else {})
        item = unpack(scope.progress.items[name])
        fields = {"choice": listed.name, listed.name: item}
        return Raised(listed.name, fields, {listed.into: item} if listed.into else {})

    @property
    def _names(self) -> frozenset[str]:
        """The names of the choices that are no list."""
        return frozenset(choice.name for choice in self.choices if isinstance(choice, FixedChoice))

    @property
    def _list(self) -> ListChoice | None:
        return next((choice for choice in self.choices if isinstance(choice, ListChoice)), None)
