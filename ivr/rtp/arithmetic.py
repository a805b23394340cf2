"""Numbers that wrap around: sequence numbers of 16 bits, timestamps of 32 (RFC 3550 5.1)."""

from typing import Final

SEQUENCES: Final = 0x10000
TIMESTAMPS: Final = 0x100000000
FURTHEST: Final = 3_000
"How many packets may be lost in a row (MAX_DROPOUT of RFC 3550 A.1)."
LATEST: Final = SEQUENCES - 100
"The distance, modulo, of the latest packet that only came late (MAX_MISORDER)."


def sequence_after(sequence: int, count: int = 1) -> int:
    """Return the sequence number that comes `count` packets later."""
    return (sequence + count) % SEQUENCES


def units_between(earlier: int, later: int) -> int:
    """Return how many units a timestamp comes after another; below zero: before it. The shorter way round counts."""
    return (later - earlier + TIMESTAMPS // 2) % TIMESTAMPS - TIMESTAMPS // 2
