"""What the sound of a line is made of: prompts, an ear, an encoder.

Sound is 16 kHz, mono, 16 bit little endian, but for what a telephone captures (`capture`). Without a voice, prompts
take as long as they would; without an ear, words have to be typed; without an encoder, recordings are WAV.
"""

import math
from array import array
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Protocol

from msgspec import Struct

from ivr.audio.formats import RATE, WIDTH
from ivr.engine.commands import RecordingFormat, Segment, Silence, Spoken, Text, as_spoken
from ivr.errors import IvrError
from ivr.ports import Ear

BYTES_A_SECOND = WIDTH * RATE
FRAME = 0.02
"Seconds of one frame."
FRAME_BYTES = round(FRAME * BYTES_A_SECOND)
CHARACTERS_A_SECOND = 15.0
"How fast a text is taken to be spoken, without a voice."
MURMUR = 180.0
"Hertz of the tone that stands for words, without a voice."
FILE_SECONDS = 2.0
"How long a file is taken to be, if it cannot be decoded."


class Unplayable(IvrError):
    """A prompt that cannot be heard; the text says why."""


class SoundPiece(Struct, frozen=True):
    """A part of a prompt."""

    samples: bytes
    "Empty: it is not heard, but takes its time."
    seconds: float


class EncodedRecording(Struct, frozen=True):
    """A file of a recording."""

    data: bytes
    format: RecordingFormat
    seconds: float


class PromptRenderer(Protocol):
    """Turns prompts into sound."""

    def render(self, segments: Sequence[Segment]) -> AsyncGenerator[SoundPiece, None]:
        """Return the pieces as soon as each is there; raise Unplayable."""

    async def prepare(self, segments: Sequence[Segment]) -> None:
        """Make what is going to be rendered soon, as far as it is kept until then; never fails."""


async def spoken(words: Text, renderer: PromptRenderer) -> AsyncIterator[SoundPiece]:
    """Return a caller's typed words as sound, a tone without a voice; raise Unplayable."""
    async for piece in renderer.render([words]):
        yield SoundPiece(piece.samples or tone(MURMUR, piece.seconds), piece.seconds)


class Encoder(Protocol):
    """Makes files of recordings."""

    async def encode(self, samples: bytes, form: RecordingFormat, rate: int = RATE) -> EncodedRecording | None:
        """Return the file, as `wma`, `wav` or `mp3`, with so many samples a second; None: it cannot be made."""


class Sound(Struct, frozen=True):
    """What a line can do with sound."""

    renderer: PromptRenderer
    encoder: Encoder
    ear: Ear | None = None


class SilentRenderer:
    """A `PromptRenderer` without a sound: prompts take as long as they would."""

    async def render(self, segments: Sequence[Segment]) -> AsyncGenerator[SoundPiece, None]:
        """Return the time that each segment takes."""
        for segment in as_spoken(segments):
            yield SoundPiece(b"", estimate(segment))

    async def prepare(self, segments: Sequence[Segment]) -> None:
        """Do nothing: nothing has to be made."""


def estimate(segment: Spoken) -> float:
    """Return how long a segment takes, in seconds, without a voice."""
    match segment:
        case Silence(milliseconds=milliseconds):
            return milliseconds / 1000
        case Text(value=value):
            return max(0.3, len(value) / CHARACTERS_A_SECOND)
    return FILE_SECONDS


def silence(seconds: float) -> bytes:
    """Return nothing to hear."""
    return bytes(2 * round(seconds * RATE))


def tone(frequency: float, seconds: float, level: float = 0.25) -> bytes:
    """Return a sine; `level` is a share of full scale."""
    wave = (math.sin(2 * math.pi * frequency * index / RATE) for index in range(round(seconds * RATE)))
    return array("h", (int(32767 * level * value) for value in wave)).tobytes()


BEEP = SoundPiece(tone(1000, 0.25), 0.25)
