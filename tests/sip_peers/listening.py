"""What a caller hears, compared with what was to be said: loudness, 20 ms by 20 ms.

Two voices that say the same have the same rise and fall, whatever codec, gain and start; two texts have not. A pause
that a jitter buffer adds in the middle costs a little of the likeness, noise nearly nothing.
"""

import asyncio
from array import array
from collections.abc import Sequence
from math import sqrt
from operator import mul

import av

from tests.sip_peers.programs import PATIENCE

FRAME = 0.02
"Seconds over which loudness is measured."
ALIKE = 0.8
"The correlation from which on the same was said: mostly 0.95 and more, less where a busy machine delays sound."
_EARLY = 10
"Frames that may be missed of what is said first: the sound begins with the answer, a phone may need a moment."
_LATER = 3
"Frames after the best place at which it is known for the best."


class Levels(list[float]):
    """The loudness of each 20 ms of some sound."""

    @classmethod
    def of(cls, samples: bytes, rate: int) -> "Levels":
        """Measure 16 bit mono samples."""
        values = array("h", samples[: len(samples) & ~1])
        size = round(rate * FRAME)
        return cls(_loudness(values[start : start + size]) for start in range(0, len(values) - size + 1, size))

    def speech(self) -> "Levels":
        """Cut off the silence before and after."""
        loud = [index for index, level in enumerate(self) if level > max(self, default=0.0) / 50]
        return Levels(self[loud[0] : loud[-1] + 1]) if loud else Levels()


def resampled(samples: bytes, rate: int, wanted: int) -> bytes:
    """Bring 16 bit mono samples to another rate."""
    resampler = av.audio.resampler.AudioResampler(format="s16", layout="mono", rate=wanted)
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(samples) // 2)
    frame.planes[0].update(samples[: len(samples) & ~1])
    frame.sample_rate = rate
    pieces = [piece for part in (frame, None) for piece in resampler.resample(part)]
    return b"".join(bytes(piece.planes[0])[: 2 * piece.samples] for piece in pieces)


def likeness(heard: Sequence[float], wanted: Sequence[float]) -> float:
    """Return the best correlation of what was wanted with any part of what was heard, 1 at most."""
    return max((_correlation(heard[start : start + len(wanted)], wanted)
                for start in range(len(heard) - len(wanted) + 1)), default=0.0)  # fmt: skip


class Listener:
    """Somebody's ear: what comes is measured, and waited for."""

    def __init__(self, rate: int) -> None:
        self.levels = Levels([0.0] * _EARLY)
        self._rate = rate
        self._rest = b""
        self._more = asyncio.Event()
        self._over = False
        self._from = 0

    def hear(self, samples: bytes) -> None:
        """Take 16 bit mono samples, in pieces of any length."""
        data = self._rest + samples
        whole = len(data) - len(data) % (2 * round(self._rate * FRAME))
        self._rest = data[whole:]
        self.levels += Levels.of(data[:whole], self._rate)
        self._more.set()

    def hung_up(self) -> None:
        """Take that nothing more comes."""
        self._over = True
        self._more.set()

    async def hears(self, *wanted: Levels) -> tuple[int, float]:
        """Wait until one of these was said, whole, after what was heard before; return which, and how like it was."""
        searches = [_Search(one.speech(), self._from) for one in wanted]
        try:
            async with asyncio.timeout(PATIENCE):
                while not (found := [index for index, one in enumerate(searches) if one.finds(self.levels)]):
                    assert not self._over, f"the line was cut before it was said{_nearest(searches)}"
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise AssertionError(f"it was not said in time{_nearest(searches)}") from None
        self._from = searches[found[0]].end
        return found[0], searches[found[0]].best


class _Search:
    """The search for something in what is heard, while it comes."""

    def __init__(self, wanted: Levels, start: int) -> None:
        self.best, self.end = 0.0, 0
        self._wanted, self._next = wanted, start

    def finds(self, levels: Levels) -> bool:
        """Look on; return whether it was found, and what comes after is less like it."""
        size = len(self._wanted)
        for start in range(self._next, len(levels) - size + 1):
            self._next = start + 1
            found = _correlation(levels[start : start + size], self._wanted)
            if found > self.best:
                self.best, self.end = found, start + size
            elif self.best >= ALIKE and start + size >= self.end + _LATER:
                return True
        return False


def _nearest(searches: Sequence[_Search]) -> str:
    return f"; the nearest was {max(one.best for one in searches):.2f}"


def _loudness(values: "array[int]") -> float:
    some = values[::2]
    return sqrt(sum(map(mul, some, some)) / len(some))


def _correlation(heard: Sequence[float], wanted: Sequence[float]) -> float:
    """Return Pearson's correlation; 0 where one of them does not change."""
    size = len(wanted)
    mean, other = sum(heard) / size, sum(wanted) / size
    spread = sum(map(mul, heard, heard)) - size * mean * mean
    others = sum(map(mul, wanted, wanted)) - size * other * other
    if spread <= 1e-6 or others <= 1e-6:
        return 0.0
    return (sum(map(mul, heard, wanted)) - size * mean * other) / sqrt(spread * others)
