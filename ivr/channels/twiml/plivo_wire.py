"""Plivo XML in the vendor's spelling: elements that we write, and the names of the fields that it posts.

Sources: Plivo's pages of each element and its package `plivo`, whose classes judge in tests which attributes there are
and what may stand in what. An attribute that is None is left out. Times are whole seconds.
"""

from typing import Final, Literal, TypeAlias

from msgspec import Struct

from ivr.channels.twiml.wire import Break, Emphasis, Play, Redirect, SayAs


class Speak(Struct, frozen=True, tag="Speak"):
    """Words, spoken by the carrier; with a voice of Polly, in SSML, too."""

    content: str | Break | SayAs | Emphasis
    voice: str | None = None
    language: str | None = None


class Wait(Struct, frozen=True, tag="Wait"):
    """Nothing, for whole seconds."""

    length: int


Audible: TypeAlias = Speak | Play | Wait


class GetInput(Struct, frozen=True, tag="GetInput", rename="camel"):
    """A question: keys, speech or both. Without an answer, the document goes on."""

    content: tuple[Audible, ...]
    "What its input interrupts."
    action: str
    input_type: tuple[Literal["dtmf", "speech"], ...]
    execution_timeout: int
    "From the end of the prompt; 5 to 60."
    method: Literal["POST"] = "POST"
    digit_end_timeout: int | None = None
    "Between two keys; 2 to 10."
    num_digits: int | None = None
    finish_on_key: str | None = None
    "One key, or `none`."
    speech_end_timeout: int | None = None
    "Silence after which what was said is whole; 2 to 10."
    language: str | None = None
    hints: str | None = None
    profanity_filter: bool | None = None
    log: bool | None = None
    "Whether the carrier keeps what was keyed in its own log."


class Record(Struct, frozen=True, tag="Record", rename="camel"):
    """What the caller says, recorded."""

    action: str
    method: Literal["POST"] = "POST"
    file_format: Literal["wav"] = "wav"
    max_length: int | None = None
    timeout: int | None = None
    "Silence that ends the recording."
    finish_on_key: str | None = None
    play_beep: bool | None = None
    callback_url: str | None = None
    callback_method: Literal["POST"] | None = None
    record_channel_type: Literal["mono"] = "mono"


class Hangup(Struct, frozen=True, tag="Hangup"):
    """The end of the call; before it was answered, and with a reason, it is declined."""

    reason: Literal["rejected", "busy"] | None = None


class Number(Struct, frozen=True, tag="Number"):
    """A telephone that is called by `Dial`."""

    content: str


class User(Struct, frozen=True, tag="User"):
    """A SIP address that is called by `Dial`."""

    content: str


class Dial(Struct, frozen=True, tag="Dial", rename="camel"):
    """The caller is connected with somebody else."""

    content: Number | User
    action: str
    method: Literal["POST"] = "POST"
    timeout: int | None = None
    confirm_sound: str | None = None
    "Where what whoever answers is told is to be had, as a document of its own."
    callback_url: str | None = None
    callback_method: Literal["POST"] | None = None


Element: TypeAlias = Audible | GetInput | Record | Redirect | Hangup | Dial


class Response(Struct, frozen=True, tag="Response"):
    """A document."""

    content: tuple[Element, ...] = ()


# --- what is posted ---

CALL: Final = "CallUUID"
PARENT_CALLS: Final = ("ALegUUID", "DialALegUUID", "ParentCallUUID")
"Whoever was called by `Dial` is on a call of their own; one of these is the caller's."
SPEECH, CONFIDENCE = "Speech", "SpeechConfidenceScore"
RECORDING, RECORDING_ID, RECORDING_SECONDS = "RecordUrl", "RecordingID", "RecordingDuration"
RECORDING_MILLISECONDS: Final = "RecordingDurationMs"
DIAL_STATUS: Final = "DialStatus"
CALL_STATUS: Final = "CallStatus"
EVENT: Final = "Event"
MACHINE: Final = "Machine"
"`true` or `false`, where the carrier was asked to tell an answering machine."
