"""Recordings of callers for whoever cannot play what was recorded: a line that plays them back, and people.

What a caller's line sent is a stranger's file. It is decoded in a worker process (`ivr.audio`), and what leaves here is
encoded anew, from nothing but samples.
"""

import asyncio
import tempfile
from collections.abc import Callable, Mapping
from typing import BinaryIO, Final

from msgspec import Struct

from ivr.audio.formats import TO_FILE
from ivr.audio.workers import Workers
from ivr.engine.commands import RecordingFormat
from ivr.errors import TranscriptionFailed
from ivr.media_storage import MediaStore
from ivr.server.recording_links import LinkUse, RecordingLinks
from ivr.services.sender import Attachment
from ivr.store.recent import Recent

MOST: Final = 512 * 1024
"Bytes of a file that a platform takes (protocol 18)."
LONGEST = 600.0
"Seconds of a recording that are played at all: as long as one can be (LANGUAGE C4)."
REMEMBERED = 8
"Files kept: a prompt is fetched again when its question is repeated."
_FORMS: Final[Mapping[LinkUse, RecordingFormat]] = {"prompt": "wma", "line": "wav", "listen": "mp3"}
_TYPES: Final[Mapping[RecordingFormat, str]] = {"wma": "audio/x-ms-wma", "mp3": "audio/mpeg", "wav": "audio/wav"}


class RecordingFile(Struct, frozen=True):
    """A recording that can be played."""

    content: bytes
    content_type: str
    extension: str


class RecordingFiles:
    """Gives recordings as files for lines (WMA, no larger than they take, or WAV) and for people (MP3)."""

    def __init__(self, recordings: MediaStore, workers: Workers) -> None:
        self._recordings = recordings
        self._workers = workers
        self._made: Recent[tuple[str, LinkUse], bytes] = Recent(REMEMBERED)

    async def file(self, media: str, use: LinkUse) -> RecordingFile:
        """Return a recording; raise FileNotFoundError, or TranscriptionFailed if there is no sound to be had from it.

        For a line, the end of one that is too large is cut off.
        """
        await self._recordings.size(media)  # it may have been erased since it was made
        content = self._made.get((media, use))
        if content is None:
            async with self._recordings.open(media) as source:
                content = self._made[media, use] = await self._made_of(source, use)
        return RecordingFile(content, _TYPES[_FORMS[use]], _FORMS[use])

    async def original(self, media: str) -> RecordingFile:
        """Return a recording as it came, for which there is no better file; raise FileNotFoundError."""
        async with self._recordings.open(media) as source:
            content = await asyncio.to_thread(source.read)
        return RecordingFile(content, "application/octet-stream", media.rpartition(".")[2])

    async def _made_of(self, source: BinaryIO, use: LinkUse) -> bytes:
        most = MOST if use == "prompt" else None
        with tempfile.TemporaryFile() as target:
            await self._workers.run(TO_FILE, source, target, form=_FORMS[use], longest=LONGEST, most=most)
            return await asyncio.to_thread(_whole, target)


class AttachedRecordings:
    """`Attachments` of notifications."""

    def __init__(self, files: RecordingFiles, links: RecordingLinks, *, now: Callable[[], float]) -> None:
        self._files = files
        self._links = links
        self._now = now

    async def of(self, media: str, number: int) -> Attachment | None:
        """Return a recording that anybody can play, else as it came; None: it was erased."""
        try:
            try:
                file = await self._files.file(media, "listen")
            except TranscriptionFailed:
                file = await self._files.original(media)
        except FileNotFoundError:
            return None
        address = self._links.address(media, "listen", now=self._now())
        return Attachment(f"recording-{number}.{file.extension}", file.content, file.content_type, address)


def _whole(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()
