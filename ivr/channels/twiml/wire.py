"""TwiML in the vendor's spelling: verbs that we write, and the names of the fields that carriers post.

Sources: Twilio's own typings (`twilio/lib/twiml/VoiceResponse.d.ts`), against which tests compile every verb that was
written; Telnyx's and SignalWire's pages for what differs, which stands in `profiles`. An attribute that is None is left
out. Times are whole seconds.
"""

from typing import Final, Literal, TypeAlias

from msgspec import Struct

CONTENT_TYPE: Final = "text/xml; charset=utf-8"

# --- inside of Say (SSML) ---

InterpretAs: TypeAlias = Literal["characters", "cardinal", "ordinal", "date", "time", "telephone"]
DateFormat: TypeAlias = Literal["mdy", "dmy", "ymd", "md", "dm", "ym", "my", "d", "m", "y"]


class Break(Struct, frozen=True, tag="break"):
    """A pause inside of what is said."""

    time: str
    "`350ms`; 10 s at most."


class SayAs(Struct, frozen=True, tag="say-as", rename={"interpret_as": "interpret-as"}):
    """How a text is to be read."""

    content: str
    interpret_as: InterpretAs
    format: DateFormat | None = None


class Emphasis(Struct, frozen=True, tag="emphasis"):
    """A text that is stressed."""

    content: str | SayAs
    level: Literal["strong"] = "strong"


# --- verbs ---


class Say(Struct, frozen=True, tag="Say"):
    """Words, spoken by the carrier."""

    content: str | Break | SayAs | Emphasis
    voice: str | None = None
    language: str | None = None


class Play(Struct, frozen=True, tag="Play"):
    """A file, played."""

    content: str
    "The file's address."


class Pause(Struct, frozen=True, tag="Pause"):
    """Nothing, for whole seconds."""

    length: int


Audible: TypeAlias = Say | Play | Pause


class Gather(Struct, frozen=True, tag="Gather", rename="camel"):
    """A question: keys, speech or both."""

    content: tuple[Audible, ...]
    "What its input interrupts."
    input: tuple[Literal["dtmf", "speech"], ...]
    action: str
    method: Literal["POST"] = "POST"
    action_on_empty_result: bool | None = None
    num_digits: int | None = None
    timeout: int | None = None
    finish_on_key: str | None = None
    "One key; an empty text: none. It is `#` where nothing is written."
    barge_in: bool | None = None
    "Whether speech interrupts; keys always do."
    language: str | None = None
    hints: str | None = None
    speech_timeout: str | None = None
    "`auto`, or whole seconds of silence that end what is said."
    profanity_filter: bool | None = None


class Record(Struct, frozen=True, tag="Record", rename="camel"):
    """What the caller says, recorded."""

    action: str
    method: Literal["POST"] = "POST"
    max_length: int | None = None
    timeout: int | None = None
    finish_on_key: str | None = None
    "Any of these keys; an empty text: none. All are where nothing is written."
    play_beep: bool | None = None
    trim: Literal["do-not-trim"] | None = None
    channels: Literal["single"] | None = None
    recording_status_callback: str | None = None
    recording_status_callback_method: Literal["POST"] | None = None
    recording_status_callback_event: tuple[Literal["completed", "absent"], ...] | None = None


class Redirect(Struct, frozen=True, tag="Redirect"):
    """Where the next document is."""

    content: str
    method: Literal["POST"] = "POST"


class Reject(Struct, frozen=True, tag="Reject"):
    """The call is declined, unanswered; first and alone."""

    reason: Literal["rejected", "busy"]


class Hangup(Struct, frozen=True, tag="Hangup"):
    """The end of the call."""


class Number(Struct, frozen=True, tag="Number", rename="camel"):
    """A telephone that is called by `Dial`."""

    content: str
    url: str | None = None
    method: Literal["POST"] | None = None
    status_callback: str | None = None
    status_callback_method: Literal["POST"] | None = None
    status_callback_event: tuple[Literal["answered"], ...] | None = None


class Sip(Struct, frozen=True, tag="Sip", rename="camel"):
    """A SIP address that is called by `Dial`."""

    content: str
    url: str | None = None
    method: Literal["POST"] | None = None
    status_callback: str | None = None
    status_callback_method: Literal["POST"] | None = None
    status_callback_event: tuple[Literal["answered"], ...] | None = None


class Dial(Struct, frozen=True, tag="Dial"):
    """The caller is connected with somebody else."""

    content: Number | Sip
    action: str
    method: Literal["POST"] = "POST"
    timeout: int | None = None


Verb: TypeAlias = Audible | Gather | Record | Redirect | Reject | Hangup | Dial


class Response(Struct, frozen=True, tag="Response"):
    """A document."""

    content: tuple[Verb, ...] = ()


# --- what carriers post ---

ACCOUNT, CALL, PARENT_CALL = "AccountSid", "CallSid", "ParentCallSid"
CALLER, CALLED, FORWARDED = "From", "To", "ForwardedFrom"
CALL_STATUS, ANSWERED_BY = "CallStatus", "AnsweredBy"
SIP_STATUS: Final = "SipResponseCode"
KEYS, FINISHED_ON_KEY = "Digits", "FinishedOnKey"
SPEECH, CONFIDENCE = "SpeechResult", "Confidence"
RECORDING, RECORDING_ID, RECORDING_SECONDS = "RecordingUrl", "RecordingSid", "RecordingDuration"
RECORDING_STATUS = "RecordingStatus"
DIAL_STATUS, DIAL_SIP_STATUS = "DialCallStatus", "DialSipResponseCode"
DIAL_ACTION: Final = "DialAction"
"Only where a carrier tells more of a transfer than that somebody has answered: what it tells."
ANSWERED: Final = frozenset({"answer", "connected"})
ERROR, ERROR_ADDRESS = "ErrorCode", "ErrorUrl"

HUNG_UP: Final = "hangup"
"In the place of the key that ended a recording: the caller has left."
OVER: Final = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
"States of a call after which nothing more comes of it."
WITHHELD: Final = frozenset({
    "", "anonymous", "unknown", "unavailable", "restricted", "private",
    # What the keys of those words would be on a telephone, which is how Twilio writes them.
    "+266696687", "+7378742833", "+2562533", "+8566", "+86282452253", "+464",
})  # fmt: skip
