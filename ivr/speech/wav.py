"""A recording as every engine takes it: decoded by a worker, in a temporary file that has no name.

So no engine and no service ever gets what a stranger sent, whatever it was; and nothing is left behind, not even
by `kill -9`: the file is gone with the process.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO, cast

from msgspec import Struct

from ivr.audio.formats import TO_WAV
from ivr.audio.workers import Workers
from ivr.errors import TranscriptionFailed
from ivr.ports import Transcript
from ivr.smallfiles import open_regular

LONGEST = 900.0
"Seconds of a recording; the protocol's longest is 600, and what claims to be much more is an attack."


class Wav(Struct, frozen=True):
    """16 kHz, mono, 16 bit."""

    file: BinaryIO
    "Open for reading at its beginning."
    seconds: float
    silent: bool
    "There is no sound in it."


async def transcribe_wav(
    workers: Workers, audio: Path, engine: str, listen: Callable[[Wav], Awaitable[Transcript]]
) -> Transcript:
    """Have an engine listen to a recording; raise TranscriptionFailed if it cannot be read or the engine says no.

    The one place where an engine gets a recording. It gets none without a sound in it: engines that were made from
    speech alone, all kinds of Whisper among them, make words up for it, and they would count as the caller's.
    """
    async with decoded(workers, audio) as wav:
        if wav.silent:
            return Transcript(None, engine=engine, seconds=wav.seconds)
        return await listen(wav)


@asynccontextmanager
async def decoded(workers: Workers, audio: Path) -> AsyncIterator[Wav]:
    """Decode a recording, and forget the result at the end; raise TranscriptionFailed if it cannot be read."""
    with (
        await open_recording(audio) as source,
        cast("BinaryIO", await asyncio.to_thread(tempfile.TemporaryFile)) as target,
    ):
        done = await workers.run(TO_WAV, source, target, longest=LONGEST)
        target.seek(0)
        yield Wav(target, done.seconds, done.silent)


async def open_recording(audio: Path) -> BinaryIO:
    """Open a recording; raise TranscriptionFailed if it is not there."""
    try:
        return await asyncio.to_thread(open_regular, audio)
    except OSError as error:
        raise TranscriptionFailed("recording", f"it cannot be opened: {error.strerror}") from error
