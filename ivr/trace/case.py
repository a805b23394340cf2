"""A case: one call that was taken, as a file to keep beside the flows (`docs/replay.md` describes every field).

JSON, one line each: the header, then what the caller, a service or a broken line did, with what was heard and asked
because of it, so that the call can be compared without the flow of that day. No operation ids and no names of audio
files: the same call always gives the same bytes. What is sensitive was masked before it got here.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any, Final, Literal, TypeAlias

from msgspec import Meta, Struct

from ivr.engine import commands
from ivr.engine.call import Judged, OperationKind, Taken
from ivr.engine.commands import FETCH, Argument, Audio, Choice, FreeSpeech, Gender, Silence, Text
from ivr.engine.events import (
    CallAnswered,
    CallNotAnswered,
    CallPlaced,
    CallReceived,
    ChoiceMade,
    InputInvalid,
    InputTimedOut,
    KeysJudged,
    KeysPressed,
    SignInResult,
    SignInWay,
    SpeechHeard,
    Transcribed,
    TransferFailed,
    Transferred,
)
from ivr.engine.sign_in_orders import SIGN_IN
from ivr.engine.values import Stored
from ivr.errors import IvrError

FORMAT: Final = 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Seconds: TypeAlias = Annotated[float, Meta(ge=0, lt=1e9)]
"A time within a call; what is more would overflow whatever is reckoned with it."
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Count: TypeAlias = Annotated[int, Meta(ge=0, lt=1_000_000)]


class CaseError(IvrError):
    """A file that is no case; the text names the file, the line and what is wrong."""


# --- what happened ---------------------------------------------------------------------------------------------------
#
# What a caller said or keyed is the engine's own event, with `op` left empty: the replay puts in the operation that
# stands open then. Only what names an operation, a job or an audio file in another way has a class here.


class Recorded(Struct, frozen=True, tag="recorded", omit_defaults=True, forbid_unknown_fields=True):
    """The caller was recorded."""

    seconds: Seconds
    ended: Literal["terminator", "silence", "limit", "hangup"] = "silence"
    kept: bool = True
    "False: the audio was still to come; `Arrived` follows, or the failure of the service `fetch`."


Running: TypeAlias = OperationKind | Literal["hold"]
"What the line was doing; a reply has at most one of each."


class HungUp(Struct, frozen=True, tag="left", omit_defaults=True, forbid_unknown_fields=True):
    """The call ended."""

    by: Literal["caller", "flow", "system", "operator"] = "caller"
    during: Running | None = None


class LineFailed(Struct, frozen=True, tag="line failed", omit_defaults=True, forbid_unknown_fields=True):
    """The line could not do what it was told: the only pacing that a case keeps."""

    code: Literal["system", "workflow"]
    during: Running | None = None
    reason: str = ""
    whole: bool = False
    "The whole reply was refused."


class Answered(Struct, frozen=True, tag="answered", omit_defaults=True, forbid_unknown_fields=True):
    """A service answered."""

    service: str
    answer: Transcribed


class Responded(Struct, frozen=True, tag="responded", omit_defaults=True, forbid_unknown_fields=True):
    """A web service answered."""

    service: str
    status: Count
    body: Any = None
    "What the flow reads of it, as JSON."
    readable: bool = True
    masked: bool = False


class SignInOpened(Struct, frozen=True, tag="sign-in begun", omit_defaults=True, forbid_unknown_fields=True):
    """A caller could sign in."""

    by: SignInWay

    @property
    def service(self) -> str:
        """What lets callers sign in."""
        return SIGN_IN


class SignInJudged(Struct, frozen=True, tag="sign-in checked", omit_defaults=True, forbid_unknown_fields=True):
    """What had become of a sign-in."""

    result: SignInResult

    @property
    def service(self) -> str:
        """What lets callers sign in."""
        return SIGN_IN


class Arrived(Struct, frozen=True, tag="arrived", omit_defaults=True, forbid_unknown_fields=True):
    """The audio of a recording arrived, later than the news of it."""

    seconds: Seconds = 0.0
    "How long it is by what the file says; 0: it does not say."

    @property
    def service(self) -> str:
        """What brought it."""
        return FETCH


class Failed(Struct, frozen=True, tag="failed", omit_defaults=True, forbid_unknown_fields=True):
    """A service did not answer, or said no."""

    service: str
    code: str


ByService: TypeAlias = Answered | Responded | SignInOpened | SignInJudged | Arrived | Failed
"What services said."
Answering: TypeAlias = (
    KeysPressed | KeysJudged | SpeechHeard | ChoiceMade | InputTimedOut | InputInvalid | Transferred | TransferFailed
)
"What answers a question, or a call that was to be transferred."
Beginning: TypeAlias = CallReceived | CallPlaced
"How a call begins: the first thing that happens, and nothing later."
PickedUp: TypeAlias = CallAnswered | CallNotAnswered
"What became of a call that was placed."
Happened: TypeAlias = Beginning | PickedUp | Answering | Recorded | HungUp | LineFailed | ByService

# --- what came of it -------------------------------------------------------------------------------------------------

Heard: TypeAlias = str | Text | Audio | Silence | commands.Recorded | commands.Card
"Something that was played; plain text is spoken in the flow's own voice and language."


class AskedChoices(Struct, frozen=True, tag="choices", omit_defaults=True, forbid_unknown_fields=True):
    """A question for one of several choices; every time is in seconds."""

    prompt: tuple[Heard, ...]
    choices: tuple[Choice, ...]
    silence: Seconds
    "How long a caller may be silent."
    barge_in: bool = True
    language: str | None = None
    "In which words are listened for; None: the flow's own."
    barge_in_speech: bool | None = None
    "Whether words interrupt; None: as keys do, of which `barge_in` speaks."
    type_ahead: bool = False
    "Keys pressed before the question count."
    inter_digit: Seconds | None = None
    "Between two keys of one choice; None: no choice has several."
    terminators: str = ""
    "Keys that end an input of several keys at once."


class AskedKeys(Struct, frozen=True, tag="keys", omit_defaults=True, forbid_unknown_fields=True):
    """A question for keys."""

    prompt: tuple[Heard, ...]
    minimum: Count
    maximum: Count
    terminators: str
    silence: Seconds
    inter_digit: Seconds
    barge_in: bool = True
    barge_in_speech: bool | None = None
    type_ahead: bool = False
    language: str | None = None
    "In which words are listened for; None: the flow's own, or no words are."
    free: FreeSpeech | None = None
    "What words mean, where they are an answer too."


class AskedRecording(Struct, frozen=True, tag="recording", omit_defaults=True, forbid_unknown_fields=True):
    """A question for spoken words."""

    prompt: tuple[Heard, ...]
    longest: Seconds
    silence: Seconds
    "Before anything is said."
    pause: Seconds
    "Silence that ends it once something was said."
    terminators: str
    beep: bool
    format: str


class AskedTransfer(Struct, frozen=True, tag="transfer", omit_defaults=True, forbid_unknown_fields=True):
    """A call to somebody else, with whom the caller is to be connected: it is for them to answer."""

    target: str
    ringing: Seconds
    "How long it may ring."
    whisper: str | None = None
    "What whoever answers is shown."

    @property
    def prompt(self) -> tuple[Heard, ...]:
        """Nothing of ours is heard: what was said before has been played to its end."""
        return ()


Asked: TypeAlias = AskedChoices | AskedKeys | AskedRecording | AskedTransfer


Ending: TypeAlias = Literal["hangup", "reject"]
"How a flow ends a call."


class Ordered(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a service was asked; audio is not named."""

    service: str
    arguments: Mapping[str, Argument]
    timeout: Seconds


class Told(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What somebody was told by mail or webhook; audio is not named."""

    way: commands.NotificationWay
    to: str
    subject: str = ""
    text: str = ""
    recordings: Count = 0
    "How many were attached."


class Held(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a caller heard first while a service worked; how often it was repeated is the line's affair."""

    at: Seconds
    "Seconds since the call came in."
    prompt: tuple[Heard, ...]


class CaseLine(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One thing that happened, and what the caller heard and could do because of it."""

    at: float
    "Seconds since the call came in, or was placed."
    event: Happened
    path: tuple[Taken, ...] = ()
    "The transitions that were taken."
    heard: tuple[Heard, ...] = ()
    "What was played to its end, before anything was asked."
    asked: Asked | None = None
    ordered: tuple[Ordered, ...] = ()
    held: Held | None = None
    end: Ending | None = None
    then: tuple[Seconds, ...] = ()
    "When the line was done with what had to end first: the answer, a last prompt, the end of the call, the wait for a "
    "recording that the end of the call had cut off."
    paced: Count = 0
    "Steps that only kept the caller company; they count as turns (`limits`)."
    judged: tuple[Judged, ...] = ()
    "What guards over private values said."
    told: tuple[Told, ...] = ()
    kept: Mapping[str, Stored] = {}
    "What was kept of the caller beyond the call, by the names of the variables; null: it was erased."


class Header(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The first line."""

    case: Literal[1]
    "The version of this format."
    flow: str
    hash: str
    "Of the flow that took the call."
    call: str
    channel: str
    started: datetime
    language: str
    voice: Gender
    zone: str
    "The time zone in which the flow told the time."
    outcome: str | None
    "None: the call was not over."
    states: Mapping[str, Count]
    "The flow's states, each with its line in the file of that day."
    asks: tuple[str, ...] = ()
    "Those of them that ask the caller something."
    private: str | None = None
    "A hash over how the flow makes and judges private values, if it has any."


class Case(Struct, frozen=True):
    """One call."""

    header: Header
    lines: tuple[CaseLine, ...]

    def now(self, at: float) -> float:
        """Return a moment of the call in seconds since 1970."""
        elapsed = (self.header.started - EPOCH) // timedelta(microseconds=1) + round(at * 1e6)
        return elapsed / 1e6


def moment(now: float) -> datetime:
    """Return seconds since 1970 as a header has them: to the microsecond, as expressions of a flow see the time."""
    return EPOCH + timedelta(microseconds=round(now * 1e6))


class CallerStep(Struct, frozen=True):
    """Something the caller did, and everything up to the next such thing."""

    lines: tuple[CaseLine, ...]
    upcoming: int | None
    "The line of the next caller action."

    @property
    def first(self) -> CaseLine:
        """What the caller did."""
        return self.lines[0]


def caller_steps(recorded: Case) -> Iterator[CallerStep]:
    """Divide a case at what the caller did; what services said belongs to what the caller did before."""
    lines = recorded.lines
    starts = [n for n, line in enumerate(lines) if not isinstance(line.event, ByService)]
    for start, end in pairwise([*starts, None]):
        if start is not None:
            yield CallerStep(lines[start:end], end)
