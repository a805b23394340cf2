"""What the machine knows of an action of the flow language, and what an action can answer it.

Adding an action: one file beside this one, and one of the same name in `ivr.flowfile.actions`; the recipe is in
`docs/architecture.md`. The machine never asks which action it has before it.
"""

from collections.abc import Mapping
from typing import Literal, Protocol, TypeAlias, final

from msgspec import Struct

from ivr.engine.commands import Argument, Notify, Recognize, Record, Segment, Transfer
from ivr.engine.events import Event
from ivr.engine.expressions.compile import Template
from ivr.engine.scope import Scope
from ivr.engine.values import Value

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
    signing_in: Mapping[str, Value] | None = None
    "What is known of a sign-in that has begun: it is kept, for nobody's eyes, until it is settled. None: as before."


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
    says: tuple[Segment, ...] = ()
    "What is said before it is waited for."
    present: bool = False
    "It counts only while the caller is there: for who has left, nothing is waited for."


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
