"""The samples of an audio file that is in memory: somebody else's, so a worker process decodes it."""

import tempfile

from ivr.audio.formats import RATE, TO_WAV
from ivr.audio.workers import Workers

_HEADER = 44
"Bytes before the samples in the WAV files that workers make."


async def decoded_samples(data: bytes, workers: Workers, *, longest: float, rate: int = RATE) -> bytes:
    """Return mono samples of 16 bit, little endian; raise TranscriptionFailed.

    `longest` is in seconds, `rate` in samples a second.
    """
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
        source.write(data)
        source.flush()
        await workers.run(TO_WAV, source, target, longest=longest, rate=rate)
        target.seek(_HEADER)
        return target.read()
