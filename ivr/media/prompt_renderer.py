"""Prompts to sound: texts by a voice, files fetched and decoded, silence."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from ivr.audio.formats import TO_WAV
from ivr.audio.workers import Workers
from ivr.engine.commands import Audio, Segment, Silence, Text
from ivr.errors import SynthesisFailed, TranscriptionFailed
from ivr.media.sound import BYTES_A_SECOND, FILE_SECONDS, SoundPiece, Unplayable, estimate, silence
from ivr.ports import Voice
from ivr.smallfiles import read_small

LONGEST = 600.0
"Seconds of a file that are played."
_HEADER = 44
"Bytes before the samples in the WAV files that are made here."

Fetch: TypeAlias = Callable[[str], Awaitable[bytes]]
"Returns the file at an address; raises Unplayable. How large it may be, and where it may lie, is for it to say."


class Speaker:
    """A `PromptRenderer`. Without a voice texts are silent; files are fetched and played all the same."""

    def __init__(self, voice: Voice | None, fetch: Fetch, workers: Workers, *, plays: bool) -> None:
        """`plays`: files can be decoded, PyAV is installed."""
        self._voice = voice
        self._fetch = fetch
        self._workers = workers
        self._plays = plays

    async def render(self, segments: Sequence[Segment]) -> AsyncIterator[SoundPiece]:
        """Return the pieces as soon as each is there; raise Unplayable."""
        for segment in segments:
            match segment:
                case Text():
                    async for piece in self._text(segment):
                        yield piece
                case Silence(milliseconds=milliseconds):
                    yield _piece(silence(milliseconds / 1000))
                case Audio(url=url):
                    yield await self._file(url or "")

    async def _text(self, text: Text) -> AsyncIterator[SoundPiece]:
        if self._voice is None:
            yield SoundPiece(b"", estimate(text))
            return
        try:
            async for samples in self._voice.speak(text):
                yield _piece(samples)
        except SynthesisFailed as error:
            raise Unplayable(f"The prompt cannot be spoken: {error}") from error

    async def _file(self, url: str) -> SoundPiece:
        data = await self._fetch(url)
        if not self._plays:
            return SoundPiece(b"", FILE_SECONDS)
        return _piece(await decoded(data, self._workers))


async def decoded(data: bytes, workers: Workers) -> bytes:
    """Return the samples of an audio file, which is a stranger's; raise Unplayable."""
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
        source.write(data)
        source.flush()
        try:
            await workers.run(TO_WAV, source, target, longest=LONGEST)
        except TranscriptionFailed as error:
            raise Unplayable(f"A file of the prompt cannot be played: {error}") from error
        target.seek(_HEADER)
        return target.read()


MAX_PLAYED = 64 << 20
"Bytes of a file of one's own that is played to a bot."


async def samples_of(file: Path, workers: Workers) -> bytes:
    """Return the samples of a file of one's own; raise OSError or Unplayable."""
    return await decoded(await asyncio.to_thread(read_small, file, MAX_PLAYED), workers)


def _piece(samples: bytes) -> SoundPiece:
    return SoundPiece(samples, len(samples) / BYTES_A_SECOND)
