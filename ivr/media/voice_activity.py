"""Voice activity detection: loudness against the background noise, frame by frame; pure.

A sound must last to count as one (a click is none), and a pause must last to end one (between two words is none). The
floor follows the quietest that was heard, so that a hum is silence after a while.
"""

import math
from array import array

from msgspec import Struct

from ivr.media.sound import FRAME

ONSET = 0.1
"Seconds that a sound lasts before it counts."
RELEASE = 0.35
"Seconds of quiet that end a sound."
PAUSE = 0.15
"Seconds of quiet after which a sound is probably over: in a short answer there are few pauses that are longer."
ABOVE = 3.0
"How many times louder than the floor a sound is (10 dB)."
LEAST = 120.0
"Root mean square below which nothing is a sound: some -49 dB of full scale."
RISE = 0.005
"How fast the floor rises, for each frame: a hum is silence after some seconds, a voice dips long before."
LOUDEST_FLOOR = 1500.0


class Activity(Struct, frozen=True):
    """What was heard so far."""

    active: bool = False
    "Somebody makes a sound."
    floor: float = LEAST / ABOVE
    "The loudness of silence."
    changing: float = 0.0
    "Seconds for which it has been otherwise than `active` says."


def detect(before: Activity, level: float) -> Activity:
    """Take one frame of 20 ms, by its root mean square as 16 bit samples."""
    loud = level > max(LEAST, before.floor * ABOVE)
    floor = min(max(min(level, before.floor * (1 + RISE)), LEAST / ABOVE), LOUDEST_FLOOR)
    changing = 0.0 if loud == before.active else before.changing + FRAME
    if changing >= (RELEASE if before.active else ONSET) - FRAME / 2:
        return Activity(loud, floor)
    return Activity(before.active, floor, changing)


def pauses(before: Activity, after: Activity) -> bool:
    """Return whether the quiet within a sound has become a pause with the frame between these two."""
    return before.active and before.changing < PAUSE - FRAME / 2 <= after.changing


def loudness(samples: bytes) -> float:
    """Return the root mean square of 16 bit samples in this machine's byte order.

    Every fourth is enough to tell speech from silence.
    """
    some = array("h", samples[: len(samples) & ~1])[::4]
    if not some:
        return 0.0
    return math.sqrt(sum(sample * sample for sample in some) / len(some))
