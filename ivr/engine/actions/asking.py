"""What the actions that ask have in common: the question, asking it again, having the answer confirmed (LANGUAGE C6).

How the caller's words and keys are understood is each action's affair.
"""

from msgspec import Struct
from msgspec.structs import replace

from ivr.engine.actions.base import Again, Asks, Common, Denied, Raised, Result, Why, failed
from ivr.engine.commands import Choice, DigitInput, FreeSpeech, Recognize, Segment
from ivr.engine.events import (
    ChoiceMade,
    Event,
    InputInvalid,
    InputTimedOut,
    KeysJudged,
    KeysPressed,
    SpeechHeard,
)
from ivr.engine.offers import FixedChoice, added_everywhere, by_keys, by_words
from ivr.engine.prompt import Prompt
from ivr.engine.scope import Scope
from ivr.engine.spoken_answers import NO, YES, understood
from ivr.engine.values import unpack


class Confirmation(Struct, frozen=True):
    """The question whether an answer is right (`confirm`)."""

    prompt: Prompt
    yes: FixedChoice
    no: FixedChoice


class Question(Struct, frozen=True, kw_only=True):
    """A question and what is said before it is repeated."""

    prompt: Prompt = ()
    reprompt: Prompt | None = None
    "Instead of the whole question when it is repeated; none: the question; empty: nothing (`reprompt: false`)."
    no_input: tuple[Prompt, ...] = ()
    "The n-th for the n-th silence; the last one repeats."
    no_match: tuple[Prompt, ...] = ()
    "The n-th for the n-th wrong answer; the last one repeats."
    attempts: int
    initial_silence: float | None = None
    "Seconds; none: not written by the author."
    barge_in: bool = True
    barge_in_speech: bool | None = None
    "Whether words interrupt; none: as keys do."
    type_ahead: bool = False
    everywhere: tuple[FixedChoice, ...] = ()
    "The flow's `commands`, if they are understood here."
    confirm: Confirmation | None = None

    def repeated(self, scope: Scope, whole: tuple[Segment, ...], why: Why, count: int) -> tuple[Segment, ...]:
        """Make what is heard after the `count`-th failure of this sort; `whole` is the question as first asked."""
        rest = whole if self.reprompt is None else scope.prompt(self.reprompt)
        return self.text_for(scope, why, count) + rest

    def text_for(self, scope: Scope, why: Why, count: int) -> tuple[Segment, ...]:
        """Make the text for the `count`-th failure of this sort."""
        texts = self.no_input if why == "noInput" else self.no_match
        return scope.prompt(texts[min(count, len(texts)) - 1]) if texts else ()

    def recognize(
        self,
        scope: Scope,
        prompt: tuple[Segment, ...],
        *,
        choices: tuple[Choice, ...] = (),
        digits: DigitInput | None = None,
        free: FreeSpeech | None = None,
        inter_digit: float | None = None,
        terminators: str = "",
    ) -> Recognize:
        """Make what the line is to do; the reply gives it its id."""
        several = inter_digit is not None and any(choice.key and len(choice.key) > 1 for choice in choices)
        return Recognize(
            op="",
            prompt=prompt,
            choices=choices,
            digits=digits,
            barge_in=self.barge_in,
            initial_silence=self.initial_silence,
            language=scope.language,
            barge_in_speech=self.barge_in_speech,
            type_ahead=self.type_ahead,
            free=free,
            inter_digit=inter_digit if several else None,
            terminators=terminators if several else "",
        )


class Asking(Common, frozen=True):
    """What the actions that ask share: the question, asking it again, having the answer confirmed (LANGUAGE C6)."""

    question: Question

    @property
    def attempts(self) -> int:
        """How many attempts the caller has."""
        return self.question.attempts

    def confirms(self, scope: Scope) -> Confirmation | None:
        """Return what is asked about an answer that was given; None: there is none that is to be confirmed."""
        return self.question.confirm if scope.unconfirmed is not None else None

    def asks_to_confirm(
        self, scope: Scope, confirm: Confirmation, answered: Raised, before: tuple[Segment, ...] = ()
    ) -> Asks:
        """Ask whether the answer is right; the prompt can read what is raised if it is."""
        fields, private = {**answered.fields, **answered.stores}, answered.private
        reading = scope.having(fields, private=private)
        choices = self._yes_and_no(scope, confirm)
        items = {name: unpack(item) for name, item in scope.progress.items.items()}
        return Asks(self.question.recognize(scope, before + reading.prompt(confirm.prompt), choices=choices), items)

    def confirmed(
        self, scope: Scope, confirm: Confirmation, event: Event, offered: tuple[str, ...], answered: Raised
    ) -> Result | None:
        """Judge what the caller said to that; `answered` is raised if the answer is right."""
        match event:
            case InputTimedOut():
                return Again("noInput")
            case InputInvalid() | KeysJudged():
                return Again("noMatch")
            case ChoiceMade(choice=name) if name not in offered:
                return never_offered()
            case ChoiceMade(choice=name):
                found: str | None = name
            case KeysPressed(keys=keys):
                found = by_keys(self._yes_and_no(scope, confirm), keys)
            case SpeechHeard(text=text):
                found = by_words(self._yes_and_no(scope, confirm), text) or _yes_or_no(confirm, text, scope.language)
            case _:
                return None
        if found == confirm.yes.name:
            return replace(answered, settles=True)
        if found == confirm.no.name:
            return Denied()
        return Again("noMatch") if found is None else understood_everywhere(found)

    def _yes_and_no(self, scope: Scope, confirm: Confirmation) -> tuple[Choice, ...]:
        both = (confirm.yes.choice(scope.language), confirm.no.choice(scope.language))
        return (*both, *(one.choice for one in added_everywhere(scope, both, self.question.everywhere)))


def _yes_or_no(confirm: Confirmation, text: str, language: str) -> str | None:
    said = understood(text, "yesno", language)
    return {YES: confirm.yes.name, NO: confirm.no.name}.get(said or "")


def understood_everywhere(name: str) -> Raised:
    """Raise a command of the flow: its event is its name, and nothing is kept (C5)."""
    return Raised(name, {"choice": name})


def never_offered() -> Raised:
    """Raise the failure of a line that reports an answer which was not possible."""
    return failed("error.workflow", "a choice that was never offered")
