"""A recording of any sort as a file of another: for a line that plays it back, and for people.

Runs in worker processes only, like `ivr.audio.decode`, which reads the stranger's file here, too; what is written is
made of samples alone.
"""

import os

from ivr.audio.decode import RecordingSamples
from ivr.audio.encode import encoded, resampled
from ivr.audio.formats import RATE, WIDTH, Reencoded
from ivr.engine.commands import RecordingFormat
from ivr.errors import TranscriptionFailed

_LEAST_RATE, _LEAST_BITS = 8_000, 24_000
"What FFmpeg's encoder of WMA can do with the fewest bits a second."
_TRIES = 4
"Files of ever less sound that are made, until one is small enough."
_MARGIN = 0.99


def to_file(source: int, target: int, *, form: RecordingFormat, longest: float, most: int | None = None) -> Reencoded:
    """Write a recording as `wma`, `mp3` or `wav`, both given as open files; raise TranscriptionFailed.

    `longest` is in seconds; more is refused. `most` is in bytes: a recording that would be more gets less quality, and
    its end is cut off if that is not enough.
    """
    with os.fdopen(target, "wb") as written:
        written.seek(0)  # a worker that crashed may have begun, and its place in the file is ours
        written.truncate()
        samples = b"".join(RecordingSamples(source, longest=longest))
        whole = seconds = len(samples) / (RATE * WIDTH)
        file = encoded(samples, form)
        if most is not None and len(file) > most:
            file, seconds = _smaller(resampled(samples, RATE, _LEAST_RATE), form, most)
        written.write(file)
        return Reencoded(seconds, cut=seconds < whole - 1)


def _smaller(samples: bytes, form: RecordingFormat, most: int) -> tuple[bytes, float]:
    """Return a file of at most so many bytes, and how long it is in seconds."""
    # How much room a file takes beside its sound, its packets alone tell.
    for _ in range(_TRIES):
        file = encoded(samples, form, _LEAST_RATE, _LEAST_BITS)
        if len(file) <= most:
            return file, len(samples) / (_LEAST_RATE * WIDTH)
        kept = int(len(samples) / WIDTH * most / len(file) * _MARGIN)
        samples = samples[: kept * WIDTH]
    raise TranscriptionFailed("recording", "it cannot be made small enough")
