"""Makes files of recordings: WAV by itself, WMA and MP3 where PyAV is installed."""

import asyncio
import io
import wave
from importlib.util import find_spec
from typing import Self

from ivr.audio.formats import RATE, WIDTH
from ivr.engine.commands import RecordingFormat
from ivr.media.sound import EncodedRecording


class Recorder:
    """An `Encoder`."""

    def __init__(self, *, encodes: bool) -> None:
        """Record WAV, and more if it `encodes`: if PyAV is installed."""
        self._encodes = encodes

    @classmethod
    def installed(cls) -> Self:
        """Make the best one there is."""
        return cls(encodes=find_spec("av") is not None)

    async def encode(self, samples: bytes, form: RecordingFormat, rate: int = RATE) -> EncodedRecording | None:
        """Return the file; None where there is nothing to be heard, or nothing to encode it with."""
        if not samples:
            return None
        if form == "wav":
            return wav(samples, rate)
        if not self._encodes:
            return None
        data = await asyncio.to_thread(_encoded, samples, form, rate)
        return EncodedRecording(data, form, len(samples) / (WIDTH * rate))


def wav(samples: bytes, rate: int = RATE) -> EncodedRecording:
    """Write a WAV file of 16 bit samples."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, WIDTH, rate, 0, "NONE", ""))
        writer.writeframes(samples)
    return EncodedRecording(file.getvalue(), "wav", len(samples) / (WIDTH * rate))


def _encoded(samples: bytes, form: RecordingFormat, rate: int) -> bytes:
    from ivr.audio.encode import encoded  # noqa: PLC0415  # an extra, and a slow import

    return encoded(samples, form, rate)
