"""The record of a call: everything that a restart needs of it, the lines of its trace, and what one turn saves."""

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from ivr.engine.call import Call, Failure, Judged, Taken
from ivr.engine.commands import Command, Notify, Request
from ivr.engine.events import Event, RecordingMade, RecordingReady
from ivr.engine.line_facts import LineFacts
from ivr.ports import CallKey, Leg, Outbound, WebhookReply
from ivr.user_values import KeptValue, User

REMEMBERED = 16
"Replies kept for repeats; an older message gets the last reply. And messages in a row that move nothing, and are kept."


class CallRecord(Struct, frozen=True, omit_defaults=True):
    """A live call with everything a restart needs."""

    id: str
    "Ours: 32 hexadecimal digits, minted at the first message; in logs, traces and file names."
    key: CallKey
    call: Call
    version: int = 0
    "Commits so far; a commit of version n + 1 needs n in the store."
    steps: int = 0
    "Lines in the trace so far."
    leg: Leg = Leg()
    replies: Mapping[str, WebhookReply | None] = field(default_factory=dict)
    "By what stands for a message's id, the last 16 in order; None: the call waits for a service, none is written."
    last: WebhookReply | None = None
    "The last reply that was written."
    idle_at: float = 0.0
    "When the call is closed if no message comes, in seconds since 1970."
    wake: float | None = None
    "When the channel wants to be woken."
    line: LineFacts | None = None
    "What the line has told of itself so far."
    unmoved: int = 0
    "Messages since the call was moved last; of the first of them alone a trace is kept."
    fetches: Mapping[str, Outbound | None] = {}
    "Recordings that are on their way, by their operations: what the platform is told once each is kept."
    ordered: str = ""
    "Of a call that we place: what stands for its whole order, so that another order under the same key is noticed."

    @property
    def until(self) -> float:
        """When the call's time is over, in seconds since 1970, unless a recording of it is on its way in."""
        return self.idle_at if self.call.grace_until is None else self.call.grace_until

    @property
    def user(self) -> User | None:
        """Whose values are kept beyond the call; None: nobody's, since the line does not say who is calling."""
        facts = self.call.facts
        return User(self.key.channel, self.key.account, facts.within, facts.party) if facts.party is not None else None


class Stepped(Struct, frozen=True, omit_defaults=True):
    """A line of the trace: one event and what it led to. Sensitive input is masked in it."""

    event: Event
    now: float
    commands: tuple[Command, ...] = field(default=(), name="actions")
    path: tuple[Taken, ...] = ()
    ignored: str | None = None
    judged: tuple[Judged, ...] = ()
    failures: tuple[Failure, ...] = ()


_RECORDINGS = (RecordingMade, RecordingReady)


def recordings_in(trace: Sequence[Stepped]) -> list[str]:
    """Return the recordings that a call takes with these lines; an ignored event takes nothing."""
    return [
        step.event.media
        for step in trace
        if isinstance(step.event, _RECORDINGS) and step.ignored is None and step.event.media is not None
    ]


class Commit(Struct, frozen=True):
    """Everything of one turn, saved together or not at all."""

    record: CallRecord
    "With its new version."
    trace: tuple[Stepped, ...] = ()
    "To be appended after the `steps - len(trace)` lines that stand."
    jobs: tuple[Request, ...] = ()
    outbound: tuple[Outbound, ...] = ()
    taken: tuple[str, ...] = ()
    "Jobs whose answers were stepped, and leave the inbox."
    message: str | None = None
    "The message, among `record.replies`, whose reply this turn wrote or owes: a turn writes one reply at most."
    audio: bytes | None = None
    "The recording that the turn takes, if it is saved with it; its name is in the trace."
    notifications: tuple[Notify, ...] = ()
    "Who is to be told of something."
    kept: tuple[KeptValue, ...] = ()
    "Of the caller, beyond the call; of a caller without a name, nothing."
    now: float | None = None
    "When the turn was, in seconds since 1970; None: when the last line of its trace was."

    @property
    def at(self) -> float:
        """When it ordered what it orders, in seconds since 1970."""
        if self.now is not None:
            return self.now
        return self.trace[-1].now if self.trace else 0.0
