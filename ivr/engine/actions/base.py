"""What the machine knows of an action of the flow language, and what an action can answer it.

Adding an action: one file beside this one, and one of the same name in `ivr.flowfile.actions`; the recipe is in
`docs/architecture.md`. The machine never asks which action it has before it.
"""

from collections.abc import Mapping
from typing import Literal, Protocol, TypeAlias, final

from msgspec import Struct
from msgspec.structs import replace

from ivr.engine.commands import Argument, Choice, DigitInput, FreeSpeech, Notify, Recognize, Record, Segment, Transfer
from ivr.engine.events import (
    ChoiceMade,
    Event,
    InputInvalid,
    InputTimedOut,
    KeysJudged,
    KeysPressed,
    SpeechHeard,
)
from ivr.engine.expressions.compile import Template
from ivr.engine.offers import FixedChoice, added_everywhere, by_keys, by_words
from ivr.engine.prompt import Prompt
from ivr.engine.scope import Scope
from ivr.engine.spoken_answers import NO, YES, understood
from ivr.engine.values import Value, unpack

Why: TypeAlias = Literal["noInput", "noMatch"]
"How an attempt failed: by silence, or by a wrong answer."


class Raised(Struct, frozen=True):
    """Something happened in this state; the machine looks for the transition."""

    event: str
    fields: Mapping[str, Value] = {}
    "The event's fields (LANGUAGE C8), for guards, `set` and `say` of the transition."
    stores: Mapping[str, Value] = {}
    "What `into` keeps, by variable."
    private: bool = False
    "The fields hold what nobody may see (C12)."
    why: str = ""
    "Of an error: its reason in our words, without a value and without what the line said."
    line: int = 0
    "Where in the flow's file the expression stands that failed; 0: none did, or it is not known."
    settles: bool = False
    "It is what became of an answer that was to be confirmed, which is not kept apart any more."


class Again(Struct, frozen=True):
    """An attempt failed (C6): the machine counts it, and asks again or raises `exhausted`."""

    why: Why


class Says(Struct, frozen=True):
    """A prompt that nobody can interrupt; `done` follows."""

    prompt: tuple[Segment, ...]


class Asks(Struct, frozen=True):
    """A question: it is put to the caller, and the machine waits for what comes of it."""

    command: Recognize | Record
    "Without its id, which the reply gives it."
    items: Mapping[str, Value] = {}
    "What of a list can be chosen (C5), by the names that the line is given."


@final
class Confirms(Struct, frozen=True):
    """An answer was given, and the caller is to say whether it is right; until then it is kept apart (C6)."""

    answer: Value
    private: bool = False
    stores: Mapping[str, Value] = {}
    "What is kept at once, whatever the caller says."


@final
class Denied(Struct, frozen=True):
    """The caller has said that the answer is not right: a failed attempt, without a text of its own (C6)."""


@final
class Turned(Struct, frozen=True):
    """The caller wants another part of a list (C5): no attempt, and no event."""

    page: int
    asks: Asks


class Transfers(Struct, frozen=True):
    """Connect the caller with somebody else; `transferred` follows, or why not."""

    command: Transfer
    "Without its id, which the reply gives it."


class Needs(Struct, frozen=True):
    """A service has to work before it is known what happened here."""

    service: str
    arguments: Mapping[str, Argument]
    timeout: float
    stores: Mapping[str, Value] = {}
    "What is kept at once, whatever the service says."
    sensitive: bool = False
    "The answer is for nobody's eyes (C12)."
    private: Mapping[str, Argument] = {}
    "Arguments that hold a sensitive value."


@final
class Awaits(Struct, frozen=True):
    """What was announced is on its way, without an order of ours; until it is there, it is not known what happened."""

    service: str
    "What brings it."
    job: str
    "By which its answer is known."
    timeout: float
    "Seconds."
    stores: Mapping[str, Value] = {}
    "What is kept at once."


class Notifies(Struct, frozen=True):
    """Somebody is to be told, which no call waits for; `done` follows."""

    notifications: tuple[Notify, ...]
    "Without what the call adds: the id, the flow, who calls."
    content: tuple[str, ...]
    "What is told, but for the time at which it is: two that have this in common tell the same."


class Takes(Struct, frozen=True):
    """Take the call and wait until the line says so; `done` follows."""


class Ends(Struct, frozen=True):
    """The call ends here."""


class Invokes(Struct, frozen=True):
    """The flow that this state invokes begins; this state hears of it when it returns."""

    arguments: Mapping[str, Template]
    "What its variables begin with, by their names in this flow (`with`)."


class Returns(Struct, frozen=True):
    """The invoked flow is done; in a flow that was called itself, the call ends."""

    event: str
    "What the invoking state raises."
    value: Template | None = None
    "What it gives back; None: nothing."
    private: bool = False
    "The value is for nobody's eyes (C12)."


Result: TypeAlias = (
    Raised
    | Again
    | Says
    | Asks
    | Confirms
    | Denied
    | Turned
    | Transfers
    | Needs
    | Awaits
    | Notifies
    | Takes
    | Ends
    | Invokes
    | Returns
)


class Action(Protocol):
    """One action of the language, as written in one state. Pure, like the machine."""

    def start(self, scope: Scope) -> Result:
        """Begin: the state was entered, or a transition asked for the question again (`self`)."""

    def again(self, scope: Scope, why: Why, count: int) -> Result:
        """Ask again after the `count`-th silence or wrong answer (1, 2, …); only for actions that ask."""

    def hear(self, scope: Scope, event: Event, offered: tuple[str, ...]) -> Result | None:
        """Judge an event that answers this state's operation or service; None: it means nothing here."""

    def left(self, scope: Scope) -> Result | None:
        """Return what comes before `hangup` of a caller who leaves while this state asks; None: nothing does."""

    def traced(self, event: Event, result: Result | None) -> Event:
        """Return the event as a trace may keep it."""

    def hold(self, scope: Scope) -> tuple[Segment, ...]:
        """Return what is heard while a service works; empty: silence."""

    @property
    def attempts(self) -> int:
        """How many attempts the caller has; 0 for actions that do not ask."""

    @property
    def private(self) -> bool:
        """Whether what the caller answers is for nobody's eyes (C12)."""

    @property
    def keeps(self) -> str | None:
        """The variable that keeps what the caller answers; None: nothing is kept."""


def failed(name: str, reason: str, fields: Mapping[str, Value] | None = None, *, why: str = "") -> Raised:
    """Raise an error event; all of them have `error.name` and `error.reason` (LANGUAGE C8).

    `why` is the reason for logs, where `reason` is not ours.
    """
    told = {**(fields or {}), "reason": reason, "error": {"name": name, "reason": reason}}
    return Raised(name, told, why=why or reason)


class Common(Struct, frozen=True):
    """What an action does unless its own file says otherwise: it asks nothing, waits for nothing, hides nothing."""

    @property
    def attempts(self) -> int:
        """None: it does not ask."""
        return 0

    @property
    def private(self) -> bool:
        """Nothing here is sensitive."""
        return False

    @property
    def keeps(self) -> str | None:
        """None: it does not ask."""
        return None

    def again(self, scope: Scope, why: Why, count: int) -> Result:
        """Cannot happen: only a question has attempts that can fail."""
        raise AssertionError(f"{type(self).__name__} does not ask")

    def hear(self, scope: Scope, event: Event, offered: tuple[str, ...]) -> Result | None:
        """Nothing is asked, so nothing is heard."""
        return None

    def left(self, scope: Scope) -> Result | None:
        """Nothing that a caller began is to be kept."""
        return None

    def traced(self, event: Event, result: Result | None) -> Event:
        """Nothing here is sensitive."""
        return event

    def hold(self, scope: Scope) -> tuple[Segment, ...]:
        """Nothing is waited for."""
        return ()


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
