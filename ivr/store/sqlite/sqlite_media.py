"""Recordings beside the calls: a small one is in the row of the turn that took it, a larger one is a file."""

import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

from ivr.media_storage import NewMedia
from ivr.store.media_files import MediaFiles, in_memory, in_one_piece
from ivr.store.sqlite.read_only import Reader

_AUDIO = "SELECT audio FROM turn WHERE media = ? AND audio IS NOT NULL"
_SIZE = "SELECT length(audio) FROM turn WHERE media = ? AND audio IS NOT NULL"


class SqliteMedia:
    """`MediaStore`."""

    def __init__(self, folder: Path, database: Path) -> None:
        self._files = MediaFiles(folder)
        self._rows = Reader(database)

    def new(self, content_type: str) -> NewMedia:
        """Begin a recording; nothing is on disk yet."""
        return self._files.new(content_type)

    @asynccontextmanager
    async def open(self, media: str) -> AsyncIterator[BinaryIO]:
        """Open a recording for reading; raise FileNotFoundError. A small one is in memory, and on no disk again."""
        audio = await self._small(media)
        if audio is None:
            async with self._files.open(media) as file:
                yield file
        else:
            with in_memory(audio) as file:
                yield file

    @asynccontextmanager
    async def path(self, media: str) -> AsyncIterator[Path]:
        """Return a file with the recording, for as long as the context; raise FileNotFoundError."""
        audio = await self._small(media)
        async with self._files.path(media) if audio is None else self._files.copy(media, in_one_piece(audio)) as file:
            yield file

    async def size(self, media: str) -> int:
        """Return the bytes of a recording; raise FileNotFoundError."""
        found = await self._rows.read(lambda connection: _one(connection, _SIZE, media))
        return found if isinstance(found, int) else await self._files.size(media)

    async def delete(self, media: str) -> None:
        """Remove a file; it need not exist. Raises FileNotFoundError for what is no name of a recording."""
        await self._files.delete(media)

    def older(self, before: float) -> AsyncGenerator[Sequence[str], None]:
        """Return the files that were last written before then (seconds since 1970), a portion at a time."""
        return self._files.older(before)

    async def close(self) -> None:
        """Finish the work that is under way."""
        await self._rows.close()
        await self._files.close()

    async def _small(self, media: str) -> bytes | None:
        found = await self._rows.read(lambda connection: _one(connection, _AUDIO, media))
        return found if isinstance(found, bytes) else None


def _one(connection: sqlite3.Connection, question: str, media: str) -> object:
    row = connection.execute(question, (media,)).fetchone()
    return row[0] if row else None
