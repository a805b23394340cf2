"""What can happen to a call, in three families: the caller's events, the services', and pacing.

Events are past, frozen and complete: an event is all the engine learns. `op` is the operation that an event answers, a
counted string that the engine itself gave out. The order of the families and what a case keeps of them is in
`docs/architecture.md`.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from ivr.engine.line_facts import LineFacts
from ivr.engine.values import Stored

Scalar: TypeAlias = str | int | float | bool | None

PHONE_KEYS = frozenset("0123456789*#ABCD")
"What a caller can press; the letters are on few phones."


class CallReceived(Struct, frozen=True, tag=True, omit_defaults=True):
    """A call has come in, and is not answered yet."""

    caller: str | None
    "The line's own name for the caller (`29:…`, `+43…`); none if withheld."
    called: str
    language: str | None = None
    "The caller's language as the line tells it, a BCP 47 tag."
    at: str | None = None
    "The time that it is for the flow, as `ivr.engine.pretend` reads it, to try a flow out."
    closed: Mapping[str, str] = {}
    "The calendars that the operator has closed, each with a notice that may be empty (LANGUAGE C15)."
    transfers: bool = False
    "The line offers to connect the caller with somebody else."
    identity: str | None = None
    "Who the caller is in a directory, `<tenant>/<object id>`, if the line has authenticated them; None: it has not."
    within: str = ""
    "The part of the line in which `caller` is the name of one person alone; empty: in all of it."
    user: Mapping[str, Stored] = {}
    "What is kept of the caller for each variable `user.NAME` of the flow, by their names; none: nothing is."
    masked: tuple[str, ...] = ()
    "Of what a trace holds: the private ones among them for which something is kept (LANGUAGE C12)."


AnsweredBy: TypeAlias = Literal["human", "machine", "unknown"]
"Who answered a call of ours, as far as the line can tell."
NotAnswered: TypeAlias = Literal["busy", "noAnswer", "rejected", "unreachable", "failed"]
"Why a call of ours was not answered; `failed`: the line could not place it."


class CallPlaced(Struct, frozen=True, tag=True, omit_defaults=True):
    """We place a call: the line is told whom to ring."""

    caller: str | None
    "Whom the other side is shown as the caller; none: the line's own number."
    called: str
    at: str | None = None
    "As of `CallReceived`."
    closed: Mapping[str, str] = {}
    "As of `CallReceived`."
    values: Mapping[str, Scalar] = {}
    "What variables of the flow begin with, and the facts that `set` may change, by name."
    masked: tuple[str, ...] = ()
    "Of what a trace holds: the private variables that were given a value, or have one of the caller (LANGUAGE C12)."
    user: Mapping[str, Stored] = {}
    "As of `CallReceived`; of whoever is called."


class CallRinging(Struct, frozen=True, tag=True, omit_defaults=True):
    """A call that we placed is rung at the other side."""


class CallAnswered(Struct, frozen=True, tag=True, omit_defaults=True):
    """Somebody answered a call that we placed, or a machine did: its flow begins."""

    by: AnsweredBy = "unknown"
    transfers: bool = False
    "As of `CallReceived`."


class CallNotAnswered(Struct, frozen=True, tag=True, omit_defaults=True):
    """A call that we placed was not answered, and is over."""

    reason: NotAnswered
    status: int = 0
    "What the other side answered, as a SIP status; 0: the line does not tell."


class KeysPressed(Struct, frozen=True, tag=True, omit_defaults=True):
    """The caller pressed keys, and the channel decided that the input was complete."""

    op: str
    keys: str
    "As pressed, each of `PHONE_KEYS`, without the terminator; may be empty. Silence is `InputTimedOut`."
    ended: Literal["terminator", "silence", "count"] = "count"


class KeysJudged(Struct, frozen=True, tag=True, omit_defaults=True):
    """`KeysPressed` as a trace may keep it where keys are sensitive: the judgement, never the keys or their number."""

    op: str
    verdict: Literal["accepted", "refused"]


class SpeechHeard(Struct, frozen=True, tag=True, omit_defaults=True):
    """The caller spoke, and the channel passes the words on as they were recognised."""

    op: str
    text: str
    confidence: float | None = None
    "0 to 1, if the channel tells."


class ChoiceMade(Struct, frozen=True, tag=True, omit_defaults=True):
    """The channel matched one of the choices it was given."""

    op: str
    choice: str
    by: Literal["keys", "speech"]


class InputTimedOut(Struct, frozen=True, tag=True, omit_defaults=True):
    """The caller gave no answer in the time allowed."""

    op: str


class InputInvalid(Struct, frozen=True, tag=True, omit_defaults=True):
    """The caller gave an answer that the channel itself knows to be none of those asked for."""

    op: str


class RecordingMade(Struct, frozen=True, tag=True, omit_defaults=True):
    """The caller was recorded, and the audio is kept."""

    op: str
    seconds: float
    "How long it is; 0: neither the line nor the file says."
    media: str | None
    "The name under which the audio is kept; none: it follows as `RecordingReady`, for which the call waits."
    ended: Literal["terminator", "silence", "limit", "hangup"] = "silence"


class CallEnded(Struct, frozen=True, tag=True, omit_defaults=True):
    """The caller has left the line."""

    by: Literal["caller", "system", "operator"]
    op: str | None = None
    "The operation that was running, if the channel knows; its state is the one the caller left."
    grace: float | None = None
    "Seconds for which a recording that was under way may still come in; none: nothing more comes."


class Transcribed(Struct, frozen=True, omit_defaults=True):
    """The answer of the service `transcribe`: what a speech engine understood of a recording."""

    transcript: str | None = None
    "None: nothing was understood."
    confidence: float | None = None
    "0 to 1, if the engine tells."
    engine: str = ""
    "The engine's name, for the trace."
    seconds: float | None = None
    "How long the recording is, if the engine tells."
    masked: bool = False
    "It was about a sensitive recording: a trace keeps that there was an answer, and nothing of it (LANGUAGE C12)."


class ServiceAnswered(Struct, frozen=True, tag=True, omit_defaults=True):
    """A service did what a `Request` asked."""

    job: str
    answer: Transcribed


class HttpAnswered(Struct, frozen=True, tag=True, omit_defaults=True):
    """A web service answered, whatever it said: the action judges that."""

    job: str
    status: int
    body: Any = None
    "JSON: what `returns` names of it, and nothing else; None: nothing was to be read."
    readable: bool = True
    "False: the body is too large, or no JSON."
    masked: bool = False
    "The answer is private: a trace keeps that there was one, and its status (LANGUAGE C12)."


SignInWay: TypeAlias = Literal["code", "link", "device"]
"""How a caller signs in: by a code that a page shows and the caller keys, by a link to a page alone, or by a code that
the caller enters at the authority's own page (RFC 8628)."""
SignInResult: TypeAlias = Literal["signedIn", "pending", "wrong", "burnt", "declined", "expired", "failed"]
"""What has become of a sign-in: `pending` if nothing yet, `wrong` for a code that is not the right one, `burnt` after
too many of these, `failed` if the authority says no."""


class SignInBegun(Struct, frozen=True, tag=True, omit_defaults=True):
    """A caller can sign in now. What opens the way to it is for the caller's eyes and ears alone."""

    job: str
    by: SignInWay
    "How the caller signs in, which may be another way than the one that was ordered."
    attempt: str = ""
    "By which the service knows it."
    page: str = ""
    "The address of the page to be opened, short enough to be spoken."
    ticket: str = ""
    "Digits to be entered there; none by `device`."
    link: str = ""
    "The address of a page that needs no ticket; none by `device`."
    code: str = ""
    "By `device`: what is to be entered there."
    masked: bool = False
    "Of what a trace holds: all that is above was there, but for the way (LANGUAGE C12)."


class SignInChecked(Struct, frozen=True, tag=True, omit_defaults=True):
    """What has become of a sign-in."""

    job: str
    result: SignInResult


class RecordingReady(Struct, frozen=True, tag=True, omit_defaults=True):
    """The audio of an announced recording has arrived, and is kept."""

    op: str
    media: str
    "The name under which it is kept."
    seconds: float = 0.0
    "How long it is by what the file says of itself; 0: it does not say. The line's own word comes first."

    @property
    def job(self) -> str:
        """What brought it, where a service did: that job has the id of the operation."""
        return self.op


class ServiceFailed(Struct, frozen=True, tag=True, omit_defaults=True):
    """A service did not do what a `Request` asked."""

    job: str
    code: str
    """`timeout`, `failed`, `recording` (the audio cannot be read), `connect` (a web service cannot be asked), `auth`
    (the caller is not signed in to it, or not any more)."""


class OperationDone(Struct, frozen=True, tag=True, omit_defaults=True):
    """An answer, a prompt or a hang-up was carried out."""

    op: str


class OperationFailed(Struct, frozen=True, tag=True, omit_defaults=True):
    """The line could not carry out a command."""

    op: str | None
    "None: some operation of the last reply."
    code: Literal["system", "workflow"]
    reason: str = ""
    whole: bool = False
    "The reply that the operation belongs to was refused, and nothing of it was done."


TransferFailure: TypeAlias = Literal["busy", "noAnswer", "rejected", "unreachable", "unsupported"]
"Why a caller could not be connected, in the words of the flow language (C8)."


class Transferred(Struct, frozen=True, tag=True, omit_defaults=True):
    """The caller was connected with somebody else, and has left the line."""

    op: str


class TransferFailed(Struct, frozen=True, tag=True, omit_defaults=True):
    """The caller could not be connected with somebody else, and is still there."""

    op: str
    reason: TransferFailure
    status: int = 0
    "What the other side answered, as a SIP status; 0: the line does not tell."


class HoldNeeded(Struct, frozen=True, tag=True, omit_defaults=True):
    """A reply is due, and the service that the call waits for has not answered."""


class TimePassed(Struct, frozen=True, tag=True, omit_defaults=True):
    """The call's deadline is over."""


class LineReported(Struct, frozen=True, tag=True, omit_defaults=True):
    """The line reported something that moves no call: that it is established, or what it tells of itself."""

    facts: LineFacts | None = None
    "What is new about the line. The channel has cleaned it: short plain text, and numbers in their range."


CallersEvent: TypeAlias = (
    CallReceived
    | CallPlaced
    | CallAnswered
    | CallNotAnswered
    | KeysPressed
    | KeysJudged
    | SpeechHeard
    | ChoiceMade
    | InputTimedOut
    | InputInvalid
    | RecordingMade
    | Transferred
    | TransferFailed
    | CallEnded
)
ServicesEvent: TypeAlias = ServiceAnswered | HttpAnswered | RecordingReady | SignInBegun | SignInChecked | ServiceFailed
PacingEvent: TypeAlias = CallRinging | OperationDone | OperationFailed | HoldNeeded | TimePassed | LineReported
Event: TypeAlias = CallersEvent | ServicesEvent | PacingEvent
