"""One call as the engine knows it: everything `step` needs to go on, and nothing else."""

from collections.abc import Callable, Collection, Mapping
from typing import Literal, TypeAlias, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from ivr.engine.commands import Answer, Command, HangUp, LineCommand, Play, Recognize, Record, Reject, Transfer
from ivr.engine.events import AnsweredBy, Event
from ivr.engine.values import Stored, Value, pack

T = TypeVar("T")
Phase: TypeAlias = Literal["new", "calling", "ringing", "answering", "answered", "gone", "over"]


class Memory(Struct, frozen=True, omit_defaults=True):
    """What a call remembers, and what it falls back to when a prompt turns out not to have been heard."""

    variables: Mapping[str, Stored] = field(default_factory=dict)
    private: Mapping[str, Stored] = field(default_factory=dict)
    "The `sensitive` variables. Kept apart so that a store can seal them, and emptied when the call is over (C12)."
    visits: Mapping[str, int] = field(default_factory=dict)
    "How often each state has been entered."

    def keeping(self, values: Mapping[str, Value], is_private: Callable[[str], bool]) -> "Memory":
        """Return it with values by the names of their variables."""
        variables, private = dict(self.variables), dict(self.private)
        for name, value in values.items():
            (private if is_private(name) else variables)[name] = pack(value)
        return Memory(variables, private, self.visits)

    def without(self, prefix: str) -> "Memory":
        """Return it without what an invoked flow has left: all whose name begins so (C10)."""
        return Memory(_without(self.variables, prefix), _without(self.private, prefix), _without(self.visits, prefix))

    def lacking(self, names: Collection[str]) -> "Memory":
        """Return it without variables of these names."""
        variables, private = (
            {name: value for name, value in known.items() if name not in names}
            for known in (self.variables, self.private)
        )
        return Memory(variables, private, self.visits)

    def visited(self, state: str) -> "Memory":
        """Return it after a state was entered once more."""
        return replace(self, visits={**self.visits, state: self.visits.get(state, 0) + 1})

    def settled(self) -> "Memory":
        """Return it without an answer that waits for the caller's word, and without a sign-in that is under way."""
        if UNCONFIRMED not in self.variables and self.private.keys().isdisjoint(_OF_QUESTIONS):
            return self
        private = {name: value for name, value in self.private.items() if name not in _OF_QUESTIONS}
        return Memory(_without(self.variables, UNCONFIRMED), private, self.visits)


def _without(known: Mapping[str, T], prefix: str) -> Mapping[str, T]:
    """Return what is known under other names than those that begin so."""
    return {name: value for name, value in known.items() if not name.startswith(prefix)}


class Progress(Struct, frozen=True, omit_defaults=True):
    """How far the question of a state has come, beside the attempts that failed; entering a state begins anew."""

    page: int = 0
    "Which part of a list is offered, counted from 0 (LANGUAGE C5)."
    items: Mapping[str, Stored] = field(default_factory=dict)
    "What of the list is offered, by the names that the line was given: the list may have changed when one is chosen."
    denied: int = 0
    "How often the caller said that an answer was not right (LANGUAGE C6)."


NOT_BEGUN = Progress()
UNCONFIRMED = "answer to confirm"
"""Where `Memory` keeps an answer until the caller has said that it is right: what is private is sealed there. No
variable can have this name."""
SIGNING_IN = "sign-in under way"
"Where `Memory` keeps, sealed, what is known of a sign-in until it is decided. No variable can have this name."
_OF_QUESTIONS = frozenset({UNCONFIRMED, SIGNING_IN})


OperationKind: TypeAlias = Literal["answer", "play", "recognize", "record", "transfer", "hangup", "reject"]
KINDS: Mapping[type[LineCommand], OperationKind] = {
    Answer: "answer",
    Play: "play",
    Recognize: "recognize",
    Record: "record",
    Transfer: "transfer",
    HangUp: "hangup",
    Reject: "reject",
}


class Operation(Struct, frozen=True, omit_defaults=True):
    """One operation of the last reply, and where the call stood when it was asked for."""

    op: str
    kind: OperationKind
    state: str
    "The state that owns the operation."
    memory: Memory
    offered: tuple[str, ...] = ()
    "The choices that were open, by name."


class Waiting(Struct, frozen=True, omit_defaults=True):
    """The service that the call waits for."""

    job: str
    service: str
    until: float
    "Seconds since 1970, UTC."
    holds: int = 0
    "Hold prompts played for this answer so far."
    present: bool = False
    "It counts only while the caller is there: once the caller has left, it is waited for no more."


class Facts(Struct, frozen=True, omit_defaults=True):
    """What is known of a call from its first event on (LANGUAGE C11)."""

    id: str = ""
    channel: str = ""
    caller: str | None = None
    called: str = ""
    language: str | None = None
    started: float = 0.0
    "Seconds since 1970, UTC."
    ahead: float = 0.0
    "Seconds by which the flow's clock runs ahead, to try a flow out at another time."
    closed: Mapping[str, str] = {}
    "The calendars that the operator had closed when the call began, each with a notice that may be empty (C15)."
    transfers: bool = False
    "The line can connect the caller with somebody else."
    identity: str | None = None
    "Who the caller is in a directory, `<tenant>/<object id>`, if the line has authenticated them."
    placed: bool = False
    "We placed the call: `called` is who is on the line, and `caller` is what they are shown."
    answered_by: AnsweredBy | None = None
    "Who answered a call that we placed; None: nobody has, or somebody called us."
    answered: float | None = None
    "When that was, in seconds since 1970, UTC."
    within: str = ""
    "The part of the line in which the caller's name is that of one person alone; empty: in all of it."
    rung: float | None = None
    "When the other side of a call that we placed was first known to be rung, in seconds since 1970, UTC."

    @property
    def party(self) -> str | None:
        """Who is on the line, whichever side called; None if withheld."""
        return self.called if self.placed else self.caller

    @property
    def began(self) -> float:
        """Since when the flow runs, in seconds since 1970: ringing at the other side is not its time."""
        return self.started if self.answered is None else self.answered


class Call(Struct, frozen=True, omit_defaults=True):
    """One call. `new_call` makes the first one, `step` each further one."""

    flow: str
    "The hash of the flow that this call began with, and keeps."
    facts: Facts
    phase: Phase = "new"
    state: str = ""
    steps: int = field(default=0, name="turn")
    "Steps that counted so far; operations of a step are `<step>.<n>`. Stored calls have it as `turn`."
    memory: Memory = Memory()
    silent: int = 0
    "Silences in this state since it was entered."
    wrong: int = 0
    "Wrong answers in this state since it was entered."
    errors: int = 0
    "Failures of the line in a row."
    holds: int = 0
    "Hold prompts of the whole call; each costs the platform a workflow."
    hangup_raised: bool = False
    limited: bool = False
    "True once `error.limit` was raised."
    asked: tuple[Operation, ...] = ()
    "All operations of the last reply: the last one's success counts, any one's failure does."
    waiting: Waiting | None = None
    grace_until: float | None = None
    "Until when the recording of a caller who has gone may still come in, in seconds since 1970; none: it may not."
    outcome: str | None = None
    notified: tuple[str, ...] = ()
    "What stands for each notification of the last reply: one whose state was not reached is not sent once more."
    transferred: bool = False
    "The caller was connected with somebody else."
    progress: Progress = NOT_BEGUN

    @property
    def deadline(self) -> float | None:
        """When this call must be stepped with `TimePassed`, in seconds since 1970; none: never."""
        return self.waiting.until if self.waiting else self.grace_until


class Judged(Struct, frozen=True, omit_defaults=True):
    """A guard over a private value, and whether it held: all that a trace keeps of the value (LANGUAGE C12)."""

    guard: str
    "The beginning of the SHA-256 of its text, in hexadecimal digits."
    held: bool | None = None
    "None: it had no value, and raised `error.expression`."


class Failure(Struct, frozen=True, omit_defaults=True):
    """Why an error was raised, or would have been: for the author of the flow, and free of values."""

    state: str
    "Where the call stood."
    event: str
    "`error.expression`, say."
    reason: str
    "In our words: it names types and limits, never a value, and nothing that the line or a caller said."
    line: int = 0
    "Of the flow's file, counted from 1: where the expression stands, else the state."
    file: str = ""
    "That of an invoked flow, if the line is in one; empty: that of the call's own flow."


class Taken(Struct, frozen=True, omit_defaults=True):
    """One transition that was taken; together they are the path for diagrams, coverage and replay."""

    state: str
    event: str
    branch: int = 0
    target: str = ""
    "The state entered; empty where the call ended."


class Step(Struct, frozen=True):
    """What one event led to."""

    call: Call
    commands: tuple[Command, ...] = ()
    path: tuple[Taken, ...] = ()
    ignored: str | None = None
    "Why the event changed nothing, if so; then `call` is the very call that came in."
    traced: Event | None = None
    "The event as a trace may hold it, where that differs: sensitive keys and words are masked."
    judged: tuple[Judged, ...] = ()
    "The guards over private values, in the order in which they were tried."
    failures: tuple[Failure, ...] = ()
    "The errors on the way, in order."


def new_call(flow: str, facts: Facts) -> Call:
    """Return the record of a call that has not begun."""
    return Call(flow=flow, facts=facts)
