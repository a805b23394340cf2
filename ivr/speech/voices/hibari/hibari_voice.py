"""The voice `hibari` in the server's process, which loads nothing of it: each sentence is a job for a worker."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from types import NoneType
from typing import BinaryIO

from ivr.audio.confinement import ProcessLimits
from ivr.audio.workers import Job, Workers
from ivr.engine.commands import Text
from ivr.errors import SynthesisFailed, TranscriptionFailed, VoiceUnavailable
from ivr.ports import SampleRate
from ivr.speech.languages import without_region
from ivr.speech.voice_cache import VoiceIdentity
from ivr.speech.voices.hibari.reading import sentences
from ivr.speech.voices.hibari.voice_package import VERSION, checked_package
from ivr.speech.wording import in_words

LANGUAGE = "en"
LONGEST_WAIT = 8.0
"Seconds for which a caller hears silence, at most."
RATE = 24_000
"Samples a second of what it makes."
_MEBIBYTE = 1 << 20
# Default limits but for one, and so workers of its own: recordings of callers are decoded in others.
_LIMITS = ProcessLimits(written=16 * _MEBIBYTE)
_LOAD = Job("ivr.speech.voices.hibari.synthesis:load", NoneType, cpu=60.0, wall=60.0, limits=_LIMITS)
_SPEAK = Job("ivr.speech.voices.hibari.synthesis:speak", int, cpu=60.0, wall=60.0, limits=_LIMITS)


class HibariVoice:
    """A `Voice` (`ivr.ports`), sentence by sentence. It has one voice, a woman's with an American accent."""

    def __init__(self, workers: Workers) -> None:
        """Raise ValueError, with what to do, if the package is not there, or is another one."""
        checked_package()
        workers.prepare_with(_LOAD)
        self._workers = workers
        self._under_way: set[asyncio.Task[bytes]] = set()

    def identity(self, text: Text) -> VoiceIdentity:
        """Return what its sound depends on: the release, and how its texts are written out."""
        return VoiceIdentity("hibari", VERSION, "heart", "\n".join(sentences(in_words(text))))

    async def speak(self, text: Text, *, rate: SampleRate = 16_000) -> AsyncIterator[bytes]:
        """Return the samples of a text; raise SynthesisFailed."""
        if without_region(text.language) != LANGUAGE:
            raise SynthesisFailed(f'hibari speaks only English, not "{text.language}"')
        for sentence in sentences(in_words(text)):
            yield await self._in_time(sentence, rate)

    async def _in_time(self, sentence: str, rate: int) -> bytes:
        task = asyncio.create_task(self._samples(sentence, rate))
        self._under_way.add(task)
        task.add_done_callback(self._done)
        try:
            # Shielded: the job would take its worker along, and the next caller would wait for a new one to load.
            return await asyncio.wait_for(asyncio.shield(task), LONGEST_WAIT)
        except TimeoutError as error:
            raise VoiceUnavailable("hibari took too long") from error

    def _done(self, task: asyncio.Task[bytes]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # nobody may wait for it any more

    async def _samples(self, sentence: str, rate: int) -> bytes:
        with tempfile.TemporaryFile() as target:
            try:
                size = await self._workers.run(_SPEAK, target, sentence=sentence)
            except TranscriptionFailed as error:
                raise SynthesisFailed(f"hibari cannot speak it: {error}") from error
            return await asyncio.to_thread(_resampled, target, size, rate)


def _resampled(target: BinaryIO, size: int, rate: int) -> bytes:
    from ivr.audio.encode import resampled  # noqa: PLC0415  # a slow import

    target.seek(0)
    return resampled(target.read(size), RATE, rate)
