"""The twin in memory of the store of recordings, for tests: no disk, but for the file that an engine asks for."""

import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

from ivr.audio.length import HEAD
from ivr.media_storage import SMALL
from ivr.store.media_files import check_name, in_memory, new_name


class MemoryMedia:
    """`MediaStore`."""

    def __init__(self, small: Mapping[str, bytes | None], *, now: Callable[[], float] = time.time) -> None:
        """`small`: the recordings that are saved with their turns, by name."""
        self._small = small
        self._now = now
        self._larger: dict[str, tuple[float, bytes]] = {}

    def new(self, content_type: str) -> "MemoryRecording":
        """Begin a recording."""
        return MemoryRecording(new_name(content_type), self._keep)

    @asynccontextmanager
    async def open(self, media: str) -> AsyncIterator[BinaryIO]:
        """Open a recording for reading; raise FileNotFoundError."""
        with in_memory(self._find(media)) as file:
            yield file

    @asynccontextmanager
    async def path(self, media: str) -> AsyncIterator[Path]:
        """Return a file with the recording, for as long as the context; raise FileNotFoundError."""
        with tempfile.NamedTemporaryFile(suffix=Path(media).suffix) as file:
            file.write(self._find(media))
            file.flush()
            yield Path(file.name)

    async def size(self, media: str) -> int:
        """Return the bytes of a recording; raise FileNotFoundError."""
        return len(self._find(media))

    async def delete(self, media: str) -> None:
        """Remove a larger recording; it need not exist."""
        check_name(media)
        self._larger.pop(media, None)

    async def older(self, before: float) -> AsyncGenerator[Sequence[str], None]:
        """Return the larger recordings that were kept before then (seconds since 1970)."""
        if names := [name for name, (kept, _) in self._larger.items() if kept < before]:
            yield names

    async def close(self) -> None:
        """Do nothing: no work is ever under way."""

    def _keep(self, media: str, audio: bytes) -> None:
        self._larger[media] = (self._now(), audio)

    def _find(self, media: str) -> bytes:
        audio = self._small.get(media)
        if audio is None:
            if media not in self._larger:
                raise FileNotFoundError("no such recording")
            _, audio = self._larger[media]
        return audio


class MemoryRecording:
    """A recording as it arrives."""

    def __init__(self, media: str, keep: Callable[[str, bytes], None]) -> None:
        self.media = media
        self.size = 0
        "Bytes so far."
        self.head = b""
        "The first of them."
        self._keep = keep
        self._audio = bytearray()

    def add(self, data: bytes) -> None:
        """Take more audio."""
        self._audio += data
        self.size = len(self._audio)
        self.head = bytes(self._audio[:HEAD])

    async def flush(self) -> None:
        """Do nothing: it is in memory."""

    async def keep(self) -> bytes | None:
        """Return a small recording; a larger one is kept here (None)."""
        if self.size <= SMALL:
            return bytes(self._audio)
        self._keep(self.media, bytes(self._audio))
        return None

    async def keep_as_file(self) -> None:
        """Keep it here, small as it may be."""
        self._keep(self.media, bytes(self._audio))

    async def drop(self) -> None:
        """Leave nothing behind."""
        self._audio.clear()
