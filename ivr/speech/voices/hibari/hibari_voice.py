"""The voice `hibari` in the server's process, which loads nothing of it: workers read and speak."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Coroutine
from types import NoneType
from typing import Any, BinaryIO, TypeVar

from ivr.audio.confinement import ProcessLimits
from ivr.audio.workers import Job, Workers
from ivr.engine.commands import Text
from ivr.errors import SynthesisFailed, TranscriptionFailed, VoiceUnavailable
from ivr.ports import SampleRate
from ivr.speech.languages import without_region
from ivr.speech.voice_cache import VoiceIdentity
from ivr.speech.voices.hibari.reading import has_foreign_letters, sentences
from ivr.speech.voices.hibari.voice_package import VERSION, VOICE, checked_package

T = TypeVar("T")

LANGUAGE = "en"
LONGEST_WAIT = 8.0
"Seconds for which a caller hears silence, at most."
RATE = 24_000
"Samples a second of what it makes."
_MEBIBYTE = 1 << 20
# Default limits but for one, and so workers of its own: recordings of callers are decoded in others.
_LIMITS = ProcessLimits(written=16 * _MEBIBYTE)
_JOBS = "ivr.speech.voices.hibari.synthesis"
_ORDERS = 5_000
"""Until a worker is replaced, since a new one takes a second of processor time to load, and a caller waits for it. What
is spoken comes from flows, not in files of strangers, and memory does not grow with it."""
_LOAD = Job(f"{_JOBS}:load", NoneType, cpu=60.0, wall=60.0, limits=_LIMITS, orders=_ORDERS)
_PRONOUNCE = Job(f"{_JOBS}:pronounce", list[str], cpu=20.0, wall=60.0, limits=_LIMITS, orders=_ORDERS)
_SPEAK = Job(f"{_JOBS}:speak", int, cpu=20.0, wall=60.0, limits=_LIMITS, orders=_ORDERS)


class HibariVoice:
    """A `Voice` (`ivr.ports`), sentence by sentence. It has one voice, a woman's with an American accent."""

    def __init__(self, workers: Workers, *, longest_wait: float = LONGEST_WAIT) -> None:
        """Raise ValueError, with what to do, if the package is not there, or is another one.

        `longest_wait` is in seconds, for each sentence.
        """
        checked_package()
        workers.prepare_with(_LOAD)
        self._workers = workers
        self._longest_wait = longest_wait
        self._under_way: set[asyncio.Task[Any]] = set()

    def identity(self, text: Text) -> VoiceIdentity:
        """Return what its sound depends on: the release, and how its texts are written out."""
        return VoiceIdentity("hibari", VERSION, VOICE, "\n".join(sentences(text)))

    async def speak(self, text: Text, *, rate: SampleRate = 16_000) -> AsyncIterator[bytes]:
        """Return the samples of a text; raise SynthesisFailed, before the first of them where it cannot be read."""
        if without_region(text.language) != LANGUAGE:
            raise SynthesisFailed(f'hibari speaks only English, not "{text.language}"')
        if has_foreign_letters(text.value):
            raise SynthesisFailed("hibari knows only Latin letters")
        if said := list(sentences(text)):
            for phonemes in await self._in_time(self._workers.run(_PRONOUNCE, sentences=said)):
                yield await self._in_time(self._spoken(phonemes, rate))

    async def _spoken(self, phonemes: str, rate: SampleRate) -> bytes:
        with tempfile.TemporaryFile() as target:
            size = await self._workers.run(_SPEAK, target, phonemes=phonemes)
            return await asyncio.to_thread(_resampled, target, size, rate)

    async def _in_time(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for a job, as long as a caller can; raise SynthesisFailed."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._done)
        try:
            # Shielded: a job that is cancelled takes its worker along, and the next caller waits for a new one to load.
            return await asyncio.wait_for(asyncio.shield(task), self._longest_wait)
        except TimeoutError as error:
            raise VoiceUnavailable("hibari took too long") from error
        except TranscriptionFailed as error:
            raise SynthesisFailed(f"hibari cannot speak it: {error}") from error

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # nobody may wait for it any more


def _resampled(target: BinaryIO, size: int, rate: SampleRate) -> bytes:
    from ivr.audio.encode import resampled  # noqa: PLC0415  # a slow import

    target.seek(0)
    return resampled(target.read(size), RATE, rate)
