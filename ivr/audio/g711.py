"""A-law and mu-law (ITU-T G.711): one byte a sample, 8,000 samples a second; tables alone, so a frame costs little.

Linear samples are 16 bit little endian. A-law has 13 bits of them and mu-law 14; the rest is zero, or lost.
"""

import math
import sys
from array import array
from collections.abc import Sequence

from msgspec import Struct

RATE = 8_000
"Samples a second."
_A_LAW_BITS = 0x55
"What A-law inverts: every second bit (G.711, table 1a, note 2)."
_MU_LAW_BIAS = 33
"What is added to the magnitude, of 14 bits, so that each segment begins at a power of two."


class CompandingLaw(Struct, frozen=True, eq=False):
    """One of the two laws, as tables."""

    name: str
    "As RTP calls it (RFC 3551 4.5.14)."
    silence: bytes
    "The byte of silence, which is that of the least positive sample."
    low: bytes
    "The low byte of the sample of each code."
    high: bytes
    "The high byte of the sample of each code."
    codes: bytes
    "The code of each of 65,536 samples; negative ones come after the positive ones, as in two's complement."
    squares: Sequence[int]
    "The square of the sample of each code."

    def linear(self, data: bytes) -> bytes:
        """Return the samples of codes: 16 bit little endian, at the same rate."""
        samples = bytearray(2 * len(data))
        samples[::2] = data.translate(self.low)
        samples[1::2] = data.translate(self.high)
        return bytes(samples)

    def compressed(self, samples: bytes) -> bytes:
        """Return the codes of samples: 16 bit little endian in, one byte each out. An odd last byte is ignored."""
        numbers = array("H", samples[: len(samples) & ~1])
        if sys.byteorder == "big":
            numbers.byteswap()
        return bytes(map(self.codes.__getitem__, numbers))

    def loudness(self, frame: bytes) -> float:
        """Return the root mean square of codes as 16 bit samples, as `ivr.media.voice_activity.loudness` does.

        Every fourth is looked at.
        """
        some = frame[::4]
        return math.sqrt(sum(map(self.squares.__getitem__, some)) / len(some)) if some else 0.0


def _a_law_sample(code: int) -> int:
    code ^= _A_LAW_BITS
    segment, step = code >> 4 & 7, (code & 15) << 4
    magnitude = step + 0x108 << segment - 1 if segment else step + 8
    return magnitude if code & 0x80 else -magnitude


def _a_law_code(magnitude: int) -> int:
    """Return the code of a positive sample, of whose 16 bits the first 12 are given."""
    segment = max(magnitude.bit_length() - 4, 0)
    step = magnitude >> max(segment - 1, 0) & 15
    return (0x80 | segment << 4 | step) ^ _A_LAW_BITS


def _mu_law_sample(code: int) -> int:
    code ^= 0xFF
    magnitude = ((((code & 15) << 1) + _MU_LAW_BIAS << (code >> 4 & 7)) - _MU_LAW_BIAS) << 2
    return -magnitude if code & 0x80 else magnitude


def _mu_law_code(magnitude: int) -> int:
    """Return the code of a positive sample, of whose 16 bits the first 14 are given."""
    biased = min(magnitude + _MU_LAW_BIAS, 0x1FFF)
    segment = biased.bit_length() - 6
    return (segment << 4 | biased >> segment + 1 & 15) ^ 0xFF


def _law(name: str, samples: Sequence[int], positive: Sequence[int]) -> CompandingLaw:
    """Return a law by the sample of each code, and the codes of evenly spread positive samples, from 0 to 32,767."""
    width = 32_768 // len(positive)
    half = b"".join(bytes((code,)) * width for code in positive)
    # A negative sample has the code of its bits inverted, with the other sign (G.191, alaw_compress): -1 that of 0.
    negative = half[::-1].translate(bytes(code ^ 0x80 for code in range(256)))
    numbers = [sample & 0xFFFF for sample in samples]
    return CompandingLaw(
        name=name,
        silence=half[:1],
        low=bytes(number & 0xFF for number in numbers),
        high=bytes(number >> 8 for number in numbers),
        codes=half + negative,
        squares=[sample * sample for sample in samples],  # a list's __getitem__ takes half the time of a tuple's
    )


A_LAW = _law("PCMA", [_a_law_sample(code) for code in range(256)], [_a_law_code(each) for each in range(2_048)])
MU_LAW = _law("PCMU", [_mu_law_sample(code) for code in range(256)], [_mu_law_code(each) for each in range(8_192)])


def _between(source: CompandingLaw, target: CompandingLaw) -> bytes:
    return target.compressed(source.linear(bytes(range(256))))


MU_LAW_OF_A_LAW = _between(A_LAW, MU_LAW)
"For `bytes.translate`: the mu-law code of each A-law code."
A_LAW_OF_MU_LAW = _between(MU_LAW, A_LAW)
"For `bytes.translate`: the A-law code of each mu-law code."
