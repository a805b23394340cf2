"""Recordings in the database: a small one is in the row of the turn that took it, a larger one in chunks.

A larger one is written as it arrives and read a chunk at a time, so neither takes more memory than a few chunks. It is
there once its size is: that is written with its last chunk. One that no turn names in the end is swept, as is what was
left of one that never came to its end.
"""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from ivr.audio.length import HEAD
from ivr.errors import StoreUnavailable
from ivr.media_storage import SMALL
from ivr.store.media_files import MediaFiles, check_name, in_memory, in_one_piece, new_name
from ivr.store.postgres.postgres_pool import PostgresPool

CHUNK: Final = 256 * 1024
"Bytes of a chunk; the last one may be shorter."
NAMES: Final = 500
"Names of recordings in a portion."

_NOW: Final = "extract(epoch FROM clock_timestamp())"
_BEGIN: Final = f"""
WITH begun AS (INSERT INTO recording (name, size, made) VALUES ($1, $4, {_NOW}))
INSERT INTO recording_chunk (name, number, data) VALUES ($1, $2, $3) RETURNING number
"""  # noqa: S608  # our own text
# Hangs on the row, so that of one that was swept in the meantime no end is left without its beginning.
_GO_ON: Final = f"""
WITH begun AS (UPDATE recording SET size = $4, made = {_NOW} WHERE name = $1 AND size IS NULL RETURNING name)
INSERT INTO recording_chunk (name, number, data) SELECT name, $2, $3 FROM begun RETURNING number
"""  # noqa: S608
_SMALL: Final = "SELECT audio FROM turn WHERE media = $1 AND audio IS NOT NULL LIMIT 1"
_SIZE: Final = """
SELECT coalesce((SELECT length(audio) FROM turn WHERE media = $1 AND audio IS NOT NULL LIMIT 1),
                (SELECT size FROM recording WHERE name = $1))
"""
_PIECE: Final = "SELECT data FROM recording_chunk WHERE name = $1 AND number = $2"
_DELETE: Final = "WITH chunks AS (DELETE FROM recording_chunk WHERE name = $1) DELETE FROM recording WHERE name = $1"
_OLDER: Final = """
SELECT made, name FROM recording WHERE made < $1 AND (made, name) > ($2, $3) ORDER BY made, name LIMIT $4
"""


class PostgresMedia:
    """`MediaStore`."""

    def __init__(self, pool: PostgresPool, folder: Path) -> None:
        """`folder` is for the copies that engines are given, as long as these use them."""
        self._pool = pool
        self._folder = folder
        self._files = MediaFiles(folder)

    def new(self, content_type: str) -> "PostgresRecording":
        """Begin a recording; nothing is in the database yet."""
        return PostgresRecording(self._pool, new_name(content_type))

    @asynccontextmanager
    async def open(self, media: str) -> AsyncIterator[BinaryIO]:
        """Open a recording for reading, as a file without a name; raise FileNotFoundError."""
        audio = await self._find(media)
        if audio is not None:
            with in_memory(audio) as file:
                yield file
            return
        file = await self._files.do(lambda: tempfile.TemporaryFile(dir=self._folder))  # noqa: SIM115  # closed below
        try:
            async with aclosing(read_chunks(self._pool, media)) as pieces:
                async for piece in pieces:
                    await self._files.do(lambda piece=piece: file.write(piece))  # type: ignore[misc]
            await self._files.do(lambda: file.seek(0))
            yield file
        finally:
            file.close()

    @asynccontextmanager
    async def path(self, media: str) -> AsyncIterator[Path]:
        """Return a file with the recording, for as long as the context; raise FileNotFoundError."""
        audio = await self._find(media)
        async with (
            aclosing(read_chunks(self._pool, media) if audio is None else in_one_piece(audio)) as pieces,
            self._files.copy(media, pieces) as file,
        ):
            yield file

    async def size(self, media: str) -> int:
        """Return the bytes of a recording; raise FileNotFoundError."""
        size = await self._pool.value(_SIZE, _known(media))
        if size is None:
            raise FileNotFoundError("no such recording")
        return int(size)

    async def delete(self, media: str) -> None:
        """Remove a larger recording, or a copy of one that was left in the folder; it need not exist."""
        await self._files.delete(media)
        await self._pool.rows(_DELETE, media)

    async def older(self, before: float) -> AsyncGenerator[Sequence[str], None]:
        """Return the larger recordings, and copies in the folder, that were last written before then.

        In seconds since 1970, a portion at a time.
        """
        made, name = float("-inf"), ""
        while found := await self._pool.rows(_OLDER, before, made, name, NAMES):
            made, name = found[-1]
            yield [one for _, one in found]
        async with aclosing(self._files.older(before)) as left:
            async for names in left:
                yield names

    async def close(self) -> None:
        """Finish the work that is under way."""
        await self._files.close()

    async def _find(self, media: str) -> bytes | None:
        """Return a small recording; None: it is a larger one."""
        found = await self._pool.value(_SMALL, _known(media))
        return None if found is None else bytes(found)


async def read_chunks(pool: PostgresPool, media: str) -> AsyncGenerator[bytes, None]:
    """Return the bytes of a larger recording, a chunk at a time; raise FileNotFoundError if it is, or goes, away."""
    left = await pool.value("SELECT size FROM recording WHERE name = $1", media)
    number = 0
    while left is None or left > 0:
        piece = None if left is None else await pool.value(_PIECE, media, number)
        if not piece:
            raise FileNotFoundError("no such recording")
        yield piece
        number, left = number + 1, left - len(piece)


class PostgresRecording:
    """A recording as it arrives."""

    def __init__(self, pool: PostgresPool, media: str) -> None:
        self.media = media
        self.size = 0
        "Bytes so far."
        self.head = b""
        "The first of them."
        self._pool = pool
        self._gathered = bytearray()
        self._chunks = 0
        self._writing: asyncio.Task[None] | None = None

    def add(self, data: bytes) -> None:
        """Take more audio."""
        if len(self.head) < HEAD:
            self.head += data[: HEAD - len(self.head)]
        self._gathered += data
        self.size += len(data)

    async def flush(self) -> None:
        """Write what has gathered, if it is a chunk or more; raise StoreUnavailable."""
        while len(self._gathered) >= CHUNK:
            await self._write(self._take(), None)

    async def keep(self) -> bytes | None:
        """Return a small recording. A larger one is kept, whatever happens, once this returns (None)."""
        if self.size <= SMALL:
            return bytes(self._take(SMALL))
        await self.keep_as_file()
        return None

    async def keep_as_file(self) -> None:
        """Keep it in chunks, small as it may be. Raises StoreUnavailable."""
        while len(self._gathered) > CHUNK:
            await self._write(self._take(), None)
        await self._write(self._take(), self.size)

    async def drop(self) -> None:
        """Leave nothing behind; what the database cannot delete now, the sweep does."""
        self._gathered.clear()
        if self._writing is not None:
            await asyncio.gather(self._writing, return_exceptions=True)
        if self._chunks:
            with suppress(StoreUnavailable):
                await self._pool.rows(_DELETE, self.media)

    async def _write(self, chunk: bytes, size: int | None) -> None:
        """Write a chunk, the last one with the size of all. It is finished even if the waiting task is cancelled.

        Else whoever breaks off uploads would have one connection after the other closed.
        """
        self._writing = asyncio.create_task(self._written(chunk, size))
        await asyncio.shield(self._writing)

    async def _written(self, chunk: bytes, size: int | None) -> None:
        number, self._chunks = self._chunks, self._chunks + 1
        if not await self._pool.rows(_GO_ON if number else _BEGIN, self.media, number, chunk, size):
            raise StoreUnavailable("The recording was deleted while it arrived.")

    def _take(self, most: int = CHUNK) -> bytes:
        taken = bytes(self._gathered[:most])
        del self._gathered[:most]
        return taken


def _known(media: str) -> str:
    """Return a name of ours; raise FileNotFoundError for anything else."""
    check_name(media)
    return media
