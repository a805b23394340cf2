"""Keys in the sound itself (ITU-T Q.23, Q.24), for a line on which telephone events were not agreed on.

Each 10 ms the last 20 ms are looked at: how strong are the eight tones (Goertzel's algorithm), and are two of them
nearly all that is heard? A voice has overtones, so it is seldom made of two tones alone, and hardly ever for long.

| of Q.24, annex A | here |
| --- | --- |
| a tone within 1.5 % of its frequency counts, one 3.5 % off does not | the strongest of nine around it is within 2 % |
| each tone at -25 dBm0 at least | -28 dBm0 |
| the high tone up to 4 dB stronger, or 8 dB weaker | 6 and 10 dB |
| 40 ms are a key, 23 ms are none | two looks in a row |
| 10 ms of interruption do not end it, 40 ms of pause do | four looks without it |
"""

import sys
from array import array
from collections.abc import Sequence
from math import cos, pi
from typing import Final

from ivr.rtp.dtmf_tones import HIGH, LOW, TONES
from ivr.rtp.heard import KeyBegan, KeyEnded

RATE: Final = 8_000
_HOP: Final = RATE // 100
_WINDOW: Final = 2 * _HOP
_LEAST: Final = (900 * _WINDOW / 2) ** 2
"The power of the weakest tone: that of a sine whose peak is 900 of 32,768."
_SHARE: Final = 0.83
"The part of all power that the two tones must have."
_ALONE: Final = 4.0
"How many times a tone must be stronger than the others of its group (6 dB)."
_HIGH_STRONGER: Final = 4.0
_LOW_STRONGER: Final = 10.0
_BEGINS: Final = 2
_ENDS: Final = 4
_OFFSETS: Final = (-0.035, -0.027, -0.02, -0.01, 0.0, 0.01, 0.02, 0.027, 0.035)
_NEAR: Final = range(2, 7)
"The offsets that are the tone; a stronger one beyond is another tone."
_KEYS: Final = {tones: key for key, tones in TONES.items()}


def _factor(frequency: float) -> float:
    return 2 * cos(2 * pi * frequency / RATE)


_FACTORS: Final = {tone: _factor(tone) for tone in (*LOW, *HIGH)}
_AROUND: Final = {tone: tuple(_factor(tone * (1 + offset)) for offset in _OFFSETS) for tone in (*LOW, *HIGH)}


class DtmfDetector:
    """Sound to keys, frame by frame."""

    def __init__(self) -> None:
        self.keys = 0
        "Keys that went down."
        self._before = array("h", bytes(2 * _WINDOW))
        "The last 20 ms."
        self._key: str | None = None
        "What is down."
        self._seen: str | None = None
        "What the last look found."
        self._looks = 0
        "How often in a row it was found; or, while a key is down, how often it was not."

    def hear(self, samples: bytes) -> Sequence[KeyBegan | KeyEnded]:
        """Take 20 ms of sound: 8 kHz, 16 bit little endian."""
        frame = array("h", samples)
        if sys.byteorder == "big":
            frame.byteswap()
        before, self._before = self._before, frame
        middle = _found(before[_HOP:] + frame[:_HOP])
        if self._key is not None:
            return [*self._look(middle), *self._look(_found(frame))]
        if middle is None:  # of any two looks in a row one is at the middle, so that there is no need for the others
            return ()
        self._seen = None
        return [*self._look(_found(before)), *self._look(middle), *self._look(_found(frame))]

    def release(self) -> Sequence[KeyEnded]:
        """Let the key up that is down, if one is, since no more sound comes."""
        down, self._key = self._key, None
        return () if down is None else (KeyEnded(),)

    def _look(self, found: str | None) -> Sequence[KeyBegan | KeyEnded]:
        if self._key is None:
            self._looks = self._looks + 1 if found == self._seen else 1
            self._seen = found
            if found is None or self._looks < _BEGINS:
                return ()
            self._key, self._looks = found, 0
            self.keys += 1
            return (KeyBegan(found),)
        self._looks = 0 if found == self._key else self._looks + 1
        if self._looks < _ENDS:
            return ()
        self._key = self._seen = None
        return (KeyEnded(),)


def _found(window: Sequence[int]) -> str | None:
    """Return the key whose tones a window of 20 ms is made of; None: it is something else."""
    power = sum(sample * sample for sample in window) * _WINDOW / 2  # that of one tone alone would be as much
    if power < 2 * _LEAST * _SHARE:
        return None
    low = _strongest(window, LOW)
    high = _strongest(window, HIGH) if low is not None else None
    if low is None or high is None:
        return None
    low_power, high_power = _tuned(window, low), _tuned(window, high)
    if min(low_power, high_power) < _LEAST or low_power + high_power < power * _SHARE:
        return None
    if high_power > low_power * _HIGH_STRONGER or low_power > high_power * _LOW_STRONGER:
        return None
    return _KEYS[low, high]


def _strongest(window: Sequence[int], group: Sequence[int]) -> int | None:
    """Return the one tone of a group that is heard; None: there are several, or it is too weak."""
    powers = sorted((_power(window, _FACTORS[tone]), tone) for tone in group)
    (second, _), (first, tone) = powers[-2:]
    return tone if first > max(second * _ALONE, _LEAST / 4) else None


def _tuned(window: Sequence[int], tone: int) -> float:
    """Return the power at the frequency that is heard, which may be a little off; 0: it is another one."""
    powers = [_power(window, factor) for factor in _AROUND[tone]]
    strongest = max(powers)
    return strongest if powers.index(strongest) in _NEAR else 0.0


def _power(window: Sequence[int], factor: float) -> float:
    """Return the power of one frequency (Goertzel): of a sine with a peak of a, (a * samples / 2) ** 2."""
    last = before = 0.0
    for sample in window:
        last, before = sample + factor * last - before, last
    return last * last + before * before - factor * last * before
