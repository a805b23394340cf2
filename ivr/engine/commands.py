"""What the engine orders: of the line (play, recognize, record, transfer …), of services (a `Request`), by mail.

Commands are plain and complete. `None` in a field that the flow's author can set means "not written": the channel uses
the language's default, named here, and leaves it out where its own is the same.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, TypeAlias, final

from msgspec import Struct
from msgspec.structs import replace

from ivr.engine.cards import CardFace
from ivr.engine.events import Scalar
from ivr.engine.text_markup import Markup
from ivr.engine.values import Stored

Argument: TypeAlias = Scalar | tuple[str, ...] | dict[str, Scalar]
"What a service is told: one value, a list of texts, or values by name."

INITIAL_SILENCE = 5.0
"Seconds that a caller may be silent after a question, where the author says nothing (LANGUAGE C4)."
RINGING = 30.0
"Seconds for which a transfer may ring, where the author says nothing (LANGUAGE C4)."

Gender: TypeAlias = Literal["male", "female"]
"Of a voice."
FreeSpeech: TypeAlias = Literal["number", "date", "yesno"]
"What the words of a caller are to mean, where any may be said; `ivr.engine.spoken_answers` reads them."
RecordingFormat: TypeAlias = Literal["wma", "wav", "mp3"]
RECORDING_FORMAT: RecordingFormat = "wma"
NotificationWay: TypeAlias = Literal["mail", "webhook"]


class Text(Struct, frozen=True, tag=True, omit_defaults=True):
    """Words to be spoken."""

    value: str
    voice: Gender
    language: str
    "BCP 47."
    say_as: str | None = None
    emphasize: bool = False
    marked: str | None = None
    "The same with markup, for lines that show texts; None: it has none."
    markup: Markup | None = None
    "Of `marked`."
    traced: "Text | None" = None
    "What a trace holds in its place, where it tells what nobody else may know (LANGUAGE C12); None: itself."


class Audio(Struct, frozen=True, tag=True, omit_defaults=True):
    """An audio file to be played: either collected with the flow (`asset`) or at an address (`url`)."""

    asset: str | None = None
    "The SHA-256 of the file, 64 lower-case hexadecimal digits; never a path."
    url: str | None = None
    text: str | None = None
    "What the file says, for transcripts."


class Silence(Struct, frozen=True, tag=True, omit_defaults=True):
    """A pause."""

    milliseconds: int


class Recorded(Struct, frozen=True, tag=True, omit_defaults=True):
    """What the caller has recorded, to be played."""

    media: str = ""
    "The name under which the audio is kept; a case has none."
    text: str | None = None
    "What was understood of it, for transcripts."


class Card(Struct, frozen=True, tag=True, omit_defaults=True):
    """A card: shown in a chat, and spoken by its text on every other line."""

    face: CardFace
    voice: Gender
    language: str
    "BCP 47, of its words."
    say_as: str | None = None
    emphasize: bool = False
    carousel: bool = False
    "Shown beside its neighbours of this sort, and not below them."
    traced: "Card | None" = None
    "As of `Text`."

    @property
    def spoken(self) -> Text | None:
        """What is spoken of it; None: nothing."""
        text = self.face.text
        return Text(text, self.voice, self.language, self.say_as, self.emphasize) if text else None


Spoken: TypeAlias = Text | Audio | Silence | Recorded
"What can be heard."
Segment: TypeAlias = Spoken | Card


def as_spoken(prompt: Iterable[Segment]) -> tuple[Spoken, ...]:
    """Return what is heard of a prompt on a line that shows nothing: cards are spoken, and texts have no markup."""
    heard = map(_as_spoken, prompt)
    return tuple(segment for segment in heard if segment is not None)


def _as_spoken(segment: Segment) -> Spoken | None:
    match segment:
        case Card():
            return segment.spoken
        case Text(markup=str()):  # of which nothing is heard if it is an emoticon
            return replace(segment, marked=None, markup=None) if segment.value else None
    return segment


class Choice(Struct, frozen=True, omit_defaults=True):
    """One of the answers that a `Recognize` listens for."""

    name: str
    key: str | None = None
    "The key or, where `Recognize.inter_digit` is set, the keys one after the other: `42`."
    speech: tuple[str, ...] = ()


class DigitInput(Struct, frozen=True, omit_defaults=True):
    """Keys that a `Recognize` collects, instead of choices."""

    minimum: int
    maximum: int
    terminators: str
    "Each character is a key that ends the input; may be empty."
    inter_digit: float
    "Seconds."


class Answer(Struct, frozen=True, tag=True, omit_defaults=True):
    """Take the call."""

    op: str


class Reject(Struct, frozen=True, tag=True, omit_defaults=True):
    """Decline the call, which was never answered."""

    op: str


class HangUp(Struct, frozen=True, tag=True, omit_defaults=True):
    """End the call."""

    op: str


class Play(Struct, frozen=True, tag=True, omit_defaults=True):
    """Play a prompt to its end; the caller cannot interrupt it."""

    op: str
    prompt: tuple[Segment, ...]


class Recognize(Struct, frozen=True, tag=True, omit_defaults=True):
    """Play a prompt and listen: for one of `choices`, or for keys as `digits` says; never for both."""

    op: str
    prompt: tuple[Segment, ...]
    choices: tuple[Choice, ...] = ()
    digits: DigitInput | None = None
    barge_in: bool = True
    "Keys interrupt the prompt and, where `barge_in_speech` does not say otherwise, so do words."
    initial_silence: float | None = None
    "Seconds after the prompt; none: `INITIAL_SILENCE`."
    language: str = "en-US"
    barge_in_speech: bool | None = None
    "Whether words interrupt the prompt, on lines that can tell; none: as keys do."
    type_ahead: bool = False
    "Keys pressed since the last answer count, on lines that keep them: the prompt is skipped if they are an answer."
    free: FreeSpeech | None = None
    "With `digits`: on lines that recognise free speech, words count too, and come back as `SpeechHeard`."
    inter_digit: float | None = None
    "Of choices, some of which have several keys: the longest pause between two, in seconds; none: all have one key."
    terminators: str = ""
    "With `inter_digit`: the keys that end an input at once."


class Record(Struct, frozen=True, tag=True, omit_defaults=True):
    """Play a prompt and record the caller."""

    op: str
    prompt: tuple[Segment, ...]
    max_duration: float
    max_silence: float
    "Seconds of silence that end a recording once something was said."
    terminators: str
    beep: bool = True
    initial_silence: float | None = None
    "Seconds after the prompt; none: `INITIAL_SILENCE`."
    format: RecordingFormat | None = None
    "None: `RECORDING_FORMAT`."


class Transfer(Struct, frozen=True, tag=True, omit_defaults=True):
    """Connect the caller with somebody else; where that succeeds, the call is over for the flow."""

    op: str
    target: str
    "An address: `sip:…`, `sips:…` or `tel:…`."
    timeout: float | None = None
    "Seconds for which the other side may ring; none: `RINGING`."
    whisper: str | None = None
    "What whoever answers is told of the caller."


def ringing_allowed(ordered: Transfer) -> float:
    """Return the seconds for which the other side may ring."""
    return RINGING if ordered.timeout is None else ordered.timeout


def silence_allowed(asked: Recognize | Record) -> float:
    """Return the seconds for which the caller may be silent."""
    return INITIAL_SILENCE if asked.initial_silence is None else asked.initial_silence


def recorded_as(asked: Record) -> RecordingFormat:
    """Return the format in which the audio is wanted."""
    return asked.format or RECORDING_FORMAT


LineCommand: TypeAlias = Answer | Reject | HangUp | Play | Recognize | Record | Transfer

FETCH: Final = "fetch"
"""The service that brings a recording which the line keeps at an address of its own. No command orders it: the channel
knows the address. Its job has the id of the recording's operation, and its answer is `RecordingReady`."""
FETCH_TIME: Final = 300.0
"Seconds for which a recording may be on its way."


@final
class Request(Struct, frozen=True, tag=True, omit_defaults=True):
    """An order to a service; saved with the call, carried out by a worker, its answer comes back as an event.

    It may be run twice after a crash, but its answer counts once: `job` is the key by which a service can tell.
    """

    job: str
    service: str
    "`transcribe` is the first."
    arguments: Mapping[str, Argument]
    timeout: float
    "Seconds for one run."
    sensitive: bool = False
    "True: the answer is sealed wherever it is stored, and masked in the trace (LANGUAGE C12)."
    private: Mapping[str, Argument] = {}
    "Arguments that hold a sensitive value: sealed wherever they are stored, and left out of the trace."


@final
class Notify(Struct, frozen=True, tag=True, omit_defaults=True):
    """Tell somebody, by mail or webhook: saved with the call, sent by a worker until it is taken. No call waits for it.

    It is sent at least once; `job` is the same each time, so that a receiver can tell.
    """

    job: str
    way: NotificationWay
    to: str
    "An address of mail, or of a webhook."
    subject: str = ""
    text: str = ""
    attach: tuple[str, ...] = ()
    "The names of recordings."
    computed: bool = False
    "The address was put together in the call."
    flow: str = ""
    "The flow's name; like what follows, for who is told."
    caller: str | None = None
    called: str = ""
    started: float = 0.0
    "When the call came in or was placed, in seconds since 1970."
    placed: bool = False
    "We placed the call: `called` is who was on the line."


@final
class Remember(Struct, frozen=True, tag=True, omit_defaults=True):
    """Keep values of the caller beyond the call, saved with it: the last one for each variable `user.NAME`.

    None: what is kept is erased, and the variable has its default again.
    """

    values: Mapping[str, Stored] = {}
    private: Mapping[str, Stored] = {}
    "Those that are sensitive: sealed wherever they are stored, and masked in the trace (LANGUAGE C12)."


Command: TypeAlias = LineCommand | Request | Notify | Remember
