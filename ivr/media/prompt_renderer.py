"""Prompts to sound: texts by a voice, files fetched and decoded, silence."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from ivr.audio.file_samples import decoded_samples
from ivr.audio.workers import Workers
from ivr.engine.commands import Audio, Segment, Silence, Spoken, Text, as_spoken
from ivr.errors import SynthesisFailed, TranscriptionFailed
from ivr.media.sound import BYTES_A_SECOND, FILE_SECONDS, SoundPiece, Unplayable, estimate, silence
from ivr.ports import Voice
from ivr.smallfiles import read_small
from ivr.speech.wording import divided

LONGEST = 600.0
"Seconds of a file that are played."
AHEAD = 2
"Segments, or parts of a long text, that are rendered while the one before them is heard."
_FILE_PIECE = 10 * BYTES_A_SECOND
"Bytes: a whole file as one piece would be hashed and encoded in one go."

Fetch: TypeAlias = Callable[[str], Awaitable[bytes]]
"Returns the file at an address; raises Unplayable. How large it may be, and where it may lie, is for it to say."


class Speaker:
    """A `PromptRenderer`. Without a voice texts are silent; files are fetched and played all the same."""

    def __init__(
        self, voice: Voice | None, fetch: Fetch, workers: Workers, *, plays: bool, prepares_at_once: int = 1
    ) -> None:
        """`plays`: files can be decoded, PyAV is installed.

        So many texts are prepared at the same time, for all calls together; fewer than the voice can speak, so that
        there is a place for what is heard now.
        """
        self._voice = voice
        self._fetch = fetch
        self._workers = workers
        self._plays = plays
        self._preparing = asyncio.Semaphore(prepares_at_once)

    async def render(self, segments: Sequence[Segment]) -> AsyncGenerator[SoundPiece, None]:
        """Return the pieces as soon as each is there; raise Unplayable. The next segments are begun early."""
        later = _parts(segments)
        begun = deque(_BegunSegment(self._segment(segment)) for segment in islice(later, 1 + AHEAD))
        try:
            while begun:
                async for piece in begun[0].pieces():
                    yield piece
                begun.popleft()
                begun += (_BegunSegment(self._segment(segment)) for segment in islice(later, 1))
        finally:
            for one in begun:
                one.stop()

    async def prepare(self, segments: Sequence[Segment]) -> None:
        """Let the voice speak the texts, which keeps them; files are fetched when they are played."""
        for segment in _parts(segments):
            if isinstance(segment, Text) and self._voice is not None:
                # Whoever plays it is told of a failure, and does not wait for its turn here.
                async with self._preparing:
                    with suppress(SynthesisFailed):
                        async for _ in self._voice.speak(segment):
                            pass

    async def _segment(self, segment: Spoken) -> AsyncIterator[SoundPiece]:
        match segment:
            case Text():
                async for piece in self._text(segment):
                    yield piece
            case Silence(milliseconds=milliseconds):
                yield _piece(silence(milliseconds / 1000))
            case Audio(url=url):
                async for piece in self._file(url or ""):
                    yield piece

    async def _text(self, text: Text) -> AsyncIterator[SoundPiece]:
        if self._voice is None:
            yield SoundPiece(b"", estimate(text))
            return
        try:
            async for samples in self._voice.speak(text):
                yield _piece(samples)
        except SynthesisFailed as error:
            raise Unplayable(f"The prompt cannot be spoken: {error}") from error

    async def _file(self, url: str) -> AsyncIterator[SoundPiece]:
        data = await self._fetch(url)
        if not self._plays:
            yield SoundPiece(b"", FILE_SECONDS)
            return
        samples = await decoded(data, self._workers)
        for start in range(0, len(samples), _FILE_PIECE):
            yield _piece(samples[start : start + _FILE_PIECE])


def _parts(segments: Sequence[Segment]) -> Iterator[Spoken]:
    for segment in as_spoken(segments):
        if isinstance(segment, Text):
            yield from divided(segment)
        else:
            yield segment


class _BegunSegment:
    """A segment, or a part of a long text, that is being rendered, whether or not it is listened to yet."""

    def __init__(self, pieces: AsyncIterator[SoundPiece]) -> None:
        self._made: asyncio.Queue[SoundPiece | None] = asyncio.Queue()
        self._task = asyncio.create_task(self._make(pieces))

    async def pieces(self) -> AsyncIterator[SoundPiece]:
        """Return the pieces; raise Unplayable."""
        while (piece := await self._made.get()) is not None:
            yield piece
        await self._task

    def stop(self) -> None:
        """Render no more; nobody listens."""
        self._task.cancel()
        self._task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _make(self, pieces: AsyncIterator[SoundPiece]) -> None:
        try:
            async for piece in pieces:
                self._made.put_nowait(piece)
        finally:
            self._made.put_nowait(None)


async def decoded(data: bytes, workers: Workers) -> bytes:
    """Return the samples of an audio file, which is a stranger's; raise Unplayable."""
    try:
        return await decoded_samples(data, workers, longest=LONGEST)
    except TranscriptionFailed as error:
        raise Unplayable(f"A file of the prompt cannot be played: {error}") from error


MAX_PLAYED = 64 << 20
"Bytes of a file of one's own that is played to a bot."


async def samples_of(file: Path, workers: Workers) -> bytes:
    """Return the samples of a file of one's own; raise OSError or Unplayable."""
    return await decoded(await asyncio.to_thread(read_small, file, MAX_PLAYED), workers)


def _piece(samples: bytes) -> SoundPiece:
    return SoundPiece(samples, len(samples) / BYTES_A_SECOND)
