"""The plug points: what a channel, a store, a verifier and a speech engine promise, and the data they exchange.

Each Protocol is small, says its promise in its docstring, and has a working twin or a local fake for tests.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from msgspec import Struct, field

from ivr.capabilities import Capabilities
from ivr.engine.commands import LineCommand, Text
from ivr.engine.events import Event
from ivr.user_values import User

# --- the web, cut loose from any web server --------------------------------------------------------------------------


class Upload(Struct, frozen=True):
    """A file that came with a request, whole: in memory, or synced under a name of ours."""

    media: str
    "The name under which it is kept."
    size: int
    "Bytes."
    content_type: str
    seconds: float | None = None
    "How long it is by what the file says of itself; None: it does not say."
    audio: bytes | None = None
    "The file itself, if it is small: it is saved with the turn that takes it. None: it is a file on the disk already."


class WebhookRequest(Struct, frozen=True):
    """One request of a platform. Header names are lower case; the body has passed the size limit."""

    method: str
    path: str
    "Without its query, percent-decoded."
    headers: Mapping[str, str]
    body: bytes = b""
    "As it came, byte for byte; of a multipart request, its JSON part."
    uploads: Mapping[str, Upload] = field(default_factory=dict)
    "By the name of the part."
    target: str = ""
    "Path and query as they came, letter by letter: what platforms sign."


class WebhookReply(Struct, frozen=True):
    """What a platform gets back, byte for byte."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"


BodyKind: TypeAlias = Literal["json", "form", "multipart"]
"What can be posted: `application/json`, `application/x-www-form-urlencoded`, `multipart/form-data`."


class Form(Struct, frozen=True):
    """What a multipart form must hold, by the names of its parts; other parts are read and forgotten."""

    json: str
    upload: str


class Endpoint(Struct, frozen=True):
    """An address at which a platform posts to a channel."""

    path: str
    "Such as `/twilio/call`; no two channels have the same."
    named: bool = False
    "`/NAME` may follow: the flow of a new call."
    bodies: frozenset[BodyKind] = frozenset({"json"})
    form: Form | None = None
    "What a multipart body holds; without it, none is taken."


# --- channels --------------------------------------------------------------------------------------------------------


class CallKey(Struct, frozen=True):
    """How a platform names a call. All three parts are the platform's words, and hostile until checked."""

    channel: str
    account: str
    "App id, tenant, account: what makes `id` unique."
    id: str


class Incoming(Struct, frozen=True):
    """One message about one call."""

    key: CallKey
    id: str
    "The message's id: a repeat has the same. 1 to 128 visible ASCII characters."
    payload: object
    "For `hear` of the same channel alone."
    wants: Literal["commands", "ack"] = "commands"
    starts: bool = False
    "True: this message can open a call."
    upload: Upload | None = None
    "The recording that came with it."
    again: bool = False
    "`key` names a conversation, in which one call follows another (`ivr.conversations`)."
    otherwise: WebhookReply | None = None
    "The reply where no such call is known; None: it is refused (404)."
    line: str = ""
    "What flows call the channel (`call.channel`); empty: by its name."
    forgets: User | None = None
    "Somebody who wants nothing to be kept any more; it is erased, whatever becomes of the call."


class Outbound(Struct, frozen=True):
    """A request to a platform's API; the credential is the channel's, never stored."""

    id: str
    "The operation's id, and the platform's idempotency key."
    method: str
    path: str
    "After the address of the API; a whole address where a platform has many, each of which its `RequestTaker` judges."
    body: object = None
    "None: no body. A form is a flat object of texts."
    kind: Literal["json", "form", "written"] = "json"
    "How the body is written; `written`: it is a text of JSON already, of which no letter may change."
    answered: bool = False
    "Its channel, a `CallingChannel`, is told what the platform answers."
    once: bool = False
    "It must not be done twice, and its platform knows no idempotency key: it is given up where it may have been done."
    until: float | None = None
    "When it is of no use any more, in seconds since 1970; None: it is tried for a day."
    lane: str = ""
    "What it waits for: all that was ordered before it in the same lane is sent, or given up, first. None: for nothing."
    refusal: bool = False
    "Its channel, a `CallingChannel`, is told if it is given up; of a success, only where `answered` says so."


class Fetch(Struct, frozen=True):
    """A recording that the platform keeps at an address of its own, to be fetched from there."""

    op: str
    "The recording's operation."
    address: str
    "Absolute."
    then: Outbound | None = None
    "Sent once the recording is kept, such as the order to delete it at the carrier."


class Leg(Struct, frozen=True):
    """A channel's own notes on one call, saved with it; the engine never reads them."""

    notes: Mapping[str, str] = field(default_factory=dict)


class Exchange(Struct, frozen=True):
    """What a channel makes of a message, or of commands."""

    leg: Leg
    events: tuple[Event, ...] = ()
    reply: WebhookReply | None = None
    outbound: tuple[Outbound, ...] = ()
    wake: float | None = None
    "When the channel wants to be woken (`tick`), in seconds since 1970."
    fetches: tuple[Fetch, ...] = ()
    "Recordings of these events that come later: each ends in `RecordingReady`, or in a failure of the service."


class Channel(Protocol):
    """A line. Pure but for what it was made with: no clock, no network, no store."""

    name: str
    can: Capabilities
    reads: frozenset[str]
    "The names, in lower case, of the header fields that `decode` looks at; others need not be there."

    @property
    def endpoints(self) -> Sequence[Endpoint]:
        """Where its platform posts."""

    def decode(self, request: WebhookRequest) -> Sequence[Incoming] | WebhookReply:
        """Return whose calls a request is about, or answer it at once; raise WebhookError if it cannot be read."""

    def hear(self, leg: Leg, incoming: Incoming, *, now: float) -> Exchange:
        """Turn a platform's message into events, in the order in which they are to be stepped."""

    def speak(self, leg: Leg, commands: Sequence[LineCommand], *, now: float) -> Exchange:
        """Turn commands into a reply or into outbound requests. No commands: `nothing` is the reply."""

    def tick(self, leg: Leg, *, now: float) -> Exchange:
        """Return what follows now that the time at which the channel wanted to be woken is over; its reply counts not.

        It is asked once for each `Exchange.wake`; the `wake` of what it returns is the next one.
        """

    def nothing(self, wants: Literal["commands", "ack"]) -> WebhookReply:
        """Return the reply by which the line is told that nothing follows now, to a message that wants this."""


class Dial(Struct, frozen=True):
    """A call that we make."""

    id: str
    "Our id of the call, 32 hexadecimal digits: also the platform's idempotency key, and in each address handed out."
    to: str
    caller: str | None = None
    "Who calls, in the platform's spelling; None: whoever the channel's settings say."
    ring: float = 60.0
    "Seconds to let it ring."
    machine: bool = False
    "Whether the platform is to find out if a machine has answered."
    until: float | None = None
    "When the order is of no use any more, in seconds since 1970; None: it always is."


@runtime_checkable
class CallingChannel(Channel, Protocol):
    """A channel that can place calls, too."""

    def place(self, dial: Dial, *, now: float) -> Exchange:
        """Return the leg of a call and the requests that place it; raise ValueError for a target it cannot call."""

    def answered(self, leg: Leg, request: Outbound, status: int, body: bytes, *, now: float) -> Exchange:
        """Return what the platform's answer to a request means for the call. It may be told twice of one answer.

        A status that is no success is that of a request which was given up; 0: no answer is known. `body`: the first
        part of a success, as it came.
        """


# --- who may call ----------------------------------------------------------------------------------------------------


class GoodCredentials(Protocol):
    """Credentials that a verifier has found good."""

    def hold(self, now: float) -> bool:
        """Return whether they would be found good again at `now`."""


class Verifier(Protocol):
    """Is this really the platform?"""

    async def verify(self, request: WebhookRequest, *, now: float) -> None:
        """Return if so; else raise WebhookError with 401, 403 or 503. The body was not read and is not looked at."""

    def verify_body(self, request: WebhookRequest) -> None:
        """Return if the request, now with its body, is the platform's; else raise WebhookError with 401 or 403.

        For platforms that sign bodies; where the head is all that counts, it returns for every request.
        """

    def remembered(self, authorization: str, *, now: float) -> GoodCredentials | None:
        """Return what is known of an Authorization header that is good at `now`; None: `verify` has to look at it."""


# --- speech ----------------------------------------------------------------------------------------------------------


class SpokenPiece(Struct, frozen=True):
    """A piece of a recording, and what is said in it."""

    start: float
    "Seconds from the beginning of the recording."
    end: float
    "Seconds."
    text: str


class Transcript(Struct, frozen=True):
    """What an engine understood."""

    text: str | None
    "None: nothing was understood."
    confidence: float | None = None
    "0 to 1."
    engine: str = ""
    "The name of the engine."
    seconds: float | None = None
    "How long the recording is, as far as the engine tells."
    spoken: tuple[SpokenPiece, ...] = ()
    "The text piece by piece, as far as the engine tells."


class EngineCapabilities(Struct, frozen=True):
    """What a speech engine can do; read by `ivr check`."""

    languages: frozenset[str] | None
    "Language tags, or their first part (`en`) for all of a language; None: any."
    phrases: Literal["only", "hints", "none"]
    "What it does with `phrases`: understands nothing else, prefers them, or passes them over."
    dictation: bool
    "It writes down whatever is said."
    formats: frozenset[str]
    "The kinds of recordings that it takes."


class SpeechToText(Protocol):
    """A speech engine."""

    name: str

    async def transcribe(self, audio: Path, *, language: str, phrases: Sequence[str]) -> Transcript:
        """Return the words of an audio file; raise TranscriptionFailed. May be run twice for one recording."""


# --- speech on a line that is live -----------------------------------------------------------------------------------
# Samples are 16 kHz, mono, 16 bit, little endian, so that a frame of 20 ms is 640 bytes. Whatever carries such frames
# can use a voice and an ear: the phone does (`ivr.media`). A voice speaks at two other rates, too, for files.

SampleRate: TypeAlias = Literal[8_000, 16_000, 48_000]
"Samples a second of what a voice speaks: of a telephone line, of live lines and most files, of a studio."


class Voice(Protocol):
    """Text to speech."""

    def speak(self, text: Text, *, rate: SampleRate = 16_000) -> AsyncIterator[bytes]:
        """Return the samples of a text, in its language, part by part as soon as each is there; raise SynthesisFailed.

        They have `rate` samples a second, and are resampled once at most, from the rate at which the voice made them.
        A part can be of any length. A listener who interrupts takes no more parts.
        """


class Ear(Protocol):
    """Understands short answers, each in the moment in which it was given."""

    async def understand(self, samples: bytes, phrases: Sequence[str], *, language: str) -> str | None:
        """Return which of the phrases was said; None: none of them, or it could not be understood.

        Without phrases, whatever was said is returned, as far as the ear can write that down. `language` is BCP 47.
        """
