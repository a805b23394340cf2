"""What a line captures, in the form in which it comes: 16 kHz linear samples, or the bytes of a telephone's G.711.

A frame of G.711 stays as it came until somebody needs samples: its level is read from a table. So two hundred calls on
one core cost little, and a recording has the caller's audio at its own rate.
"""

import asyncio
from collections.abc import Callable

from msgspec import Struct

from ivr.audio import g711
from ivr.audio.formats import RATE, WIDTH
from ivr.media.sound import FRAME
from ivr.media.voice_activity import loudness


class CaptureFormat(Struct, frozen=True, eq=False):
    """A form of sound, mono."""

    name: str
    rate: int
    "Samples a second."
    width: int
    "Bytes of a sample."
    silence: bytes
    "One sample."
    level: Callable[[bytes], float]
    "Returns the root mean square of a frame, as 16 bit samples."
    linear: Callable[[bytes], bytes]
    "Returns whole samples as 16 bit little endian, at the same rate."

    @property
    def bytes_a_second(self) -> int:
        """Return how many bytes a second of it has."""
        return self.rate * self.width

    @property
    def frame_bytes(self) -> int:
        """Return how many bytes 20 ms of it have."""
        return round(FRAME * self.bytes_a_second)


def _law(law: g711.CompandingLaw) -> CaptureFormat:
    return CaptureFormat(law.name, g711.RATE, 1, law.silence, law.loudness, law.linear)


LINEAR = CaptureFormat("linear", RATE, WIDTH, b"\0\0", loudness, lambda data: data[: len(data) & ~1])
"16 bit little endian: a microphone's, and what wideband codecs are decoded to."
A_LAW = _law(g711.A_LAW)
MU_LAW = _law(g711.MU_LAW)


class CapturedSound(Struct, frozen=True):
    """Sound as it was captured; in several pieces if the line changed its codec, or typed words are in between."""

    pieces: tuple[tuple[CaptureFormat, bytes], ...] = ()
    rate: int = RATE
    "Samples a second: of the piece that has most; of the line, if there is none."

    def __bool__(self) -> bool:
        """Return whether there is anything in it."""
        return bool(self.pieces)

    @property
    def seconds(self) -> float:
        """Return how long it is."""
        return sum(len(data) / form.bytes_a_second for form, data in self.pieces)

    async def samples(self, rate: int, seconds: float | None = None) -> bytes:
        """Return 16 bit little endian samples; of exactly so many `seconds`, cut off or followed by silence."""
        if all(form is LINEAR and rate == RATE for form, _ in self.pieces):
            return _converted(self, rate, seconds)
        return await asyncio.to_thread(_converted, self, rate, seconds)


def _converted(sound: CapturedSound, rate: int, seconds: float | None) -> bytes:
    samples = b"".join(_at_rate(form.linear(data), form.rate, rate) for form, data in sound.pieces)
    if seconds is None:
        return samples
    wanted = WIDTH * round(seconds * rate)
    return samples[:wanted].ljust(wanted, b"\0")


def _at_rate(samples: bytes, rate: int, wanted: int) -> bytes:
    if rate == wanted:
        return samples
    from ivr.audio.encode import resampled  # noqa: PLC0415  # a slow import

    # The same number of samples for the same time: a resampler may hold some back, and a recording keeps its length.
    length = WIDTH * (len(samples) // WIDTH * wanted // rate)
    return resampled(samples, rate, wanted)[:length].ljust(length, b"\0")


class CaptureBuffer:
    """Collects sound as it comes, of any form."""

    def __init__(self) -> None:
        self._earlier: list[tuple[CaptureFormat, bytes]] = []
        self._form = LINEAR
        self._data = bytearray()

    def add(self, form: CaptureFormat, data: bytes) -> None:
        """Append data."""
        if form is not self._form:
            self._earlier += self._current()
            self._form, self._data = form, bytearray()
        self._data += data

    def clear(self) -> None:
        """Drop everything."""
        self._earlier.clear()
        self._data.clear()

    def keep_last(self, seconds: float) -> None:
        """Drop what is older."""
        form = self._form
        excess = len(self._data) - round(seconds * form.bytes_a_second)
        if self._earlier:
            self._drop_earlier(-excess / form.bytes_a_second)
        if excess > 0:
            del self._data[: excess - excess % form.width]

    def sound(self, rate: int) -> CapturedSound:
        """Return everything; `rate` is the line's, for when there is nothing."""
        pieces = (*self._earlier, *self._current())
        return CapturedSound(pieces, max((form.rate for form, _ in pieces), default=rate))

    def linear_from(self, start: int, most: int) -> bytes:
        """Return at most so many bytes, from one of them on; nothing if any is of another form than `LINEAR`."""
        return bytes(self._data[start : start + most]) if self._form is LINEAR and not self._earlier else b""

    def _current(self) -> list[tuple[CaptureFormat, bytes]]:
        return [(self._form, bytes(self._data))] if self._data else []

    def _drop_earlier(self, room: float) -> None:
        """Drop pieces of other forms that are older than the last `room` seconds before the current one."""
        while self._earlier:
            form, data = self._earlier[0]
            later = sum(len(other) / of.bytes_a_second for of, other in self._earlier[1:])
            most = form.width * round(max(0.0, room - later) * form.rate)
            if most:
                self._earlier[0] = form, data[-most:]
                return
            del self._earlier[0]
