"""A data folder that is filled with a copy: its database has another name until all of it is there.

So no server takes half a copy for the whole. Recordings are files under their own names at once: without the database
nobody looks at them.
"""

import os
import sqlite3
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from msgspec import msgpack

from ivr.errors import DataUnusable
from ivr.store.copied_tables import CopiedRecording, CopiedTable, Place, Portion, Row
from ivr.store.copying import RECORDINGS
from ivr.store.data_folder import DataFolder, sync_folder
from ivr.store.live import BLOCK
from ivr.store.media_files import create_file, write_all
from ivr.store.sqlite.database_file import open_database
from ivr.store.sqlite.sqlite_copying import SqliteCopySource

SOURCE: Final = ""
"Under this name stands what is copied."

_ADD_TURN: Final = (
    "INSERT INTO turn (call, state, rest, message, reply, marks, trace, media, audio) "
    "VALUES (?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
)
_ADD: Final = {
    "call": ("INSERT INTO call (row, id, channel, account, name, ended) SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE ?8 IS ?8",),
    "job": (
        "INSERT INTO job (call, kind, id, body, attempts, answered, answer) VALUES (?1, 'request', ?2, ?3, ?4, ?5, ?6)",
    ),
    "sign_in": (
        "INSERT INTO sign_in (call, id, body) SELECT ?1, ?2, ?3 WHERE ?4 IS ?4",
        "INSERT INTO sign_in_token (call, id, body) SELECT ?1, ?2, ?4 WHERE ?4 IS NOT NULL",
    ),
    "turn": (_ADD_TURN,),
}
"How rows are added where they are not added as they come. All values of a row have to be named."
_NAMED: Final = {"bot_state": {"person": "user"}}
_BLOCKS: Final = (
    f"INSERT INTO block (number, changes, members) SELECT row / {BLOCK}, count(*), count(*) FROM call GROUP BY 1"  # noqa: S608
)


class SqliteCopyTarget(SqliteCopySource):
    """`CopyTarget`. Its folder is the caller's own (`DataFolder.open`)."""

    def __init__(self, folder: DataFolder, unfinished: Path, writing: sqlite3.Connection) -> None:
        """Go on with a database that is open for writing."""
        super().__init__(folder, unfinished)
        self._writing = writing
        self._places: dict[str, Place] = {
            what: msgpack.decode(place) for what, place in writing.execute("SELECT what, place FROM copying")
        }

    @classmethod
    def fill(cls, folder: DataFolder, *, anew: bool = False) -> "SqliteCopyTarget":
        """Open a folder to be filled; raise DataUnusable. Blocks. `anew`: drop what an unfinished copy has left."""
        if folder.database.exists():
            raise DataUnusable(f"There are calls in {folder.path} already. A copy needs a data folder without calls.")
        unfinished = folder.database.with_name(f"{folder.database.name}.copying")
        if anew:
            unfinished.unlink(missing_ok=True)
        connection = open_database(unfinished)
        connection.execute("CREATE TABLE IF NOT EXISTS copying (what TEXT PRIMARY KEY, place BLOB NOT NULL)")
        return cls(folder, unfinished, connection)

    async def begin(self, source: str) -> None:
        """Begin to copy a store of this name, or go on; raise DataUnusable where another one was begun with."""
        if (begun := self._places.get(SOURCE)) and begun[0] != source:
            raise DataUnusable(f"There is a part of {begun[0]!s} in {self.name} already. Copy that, or begin anew.")
        await self._written(lambda: self._note(SOURCE, (source,)))

    def place(self, what: str) -> Place:
        """Return up to where a table, or `recording`, was written by a copy that was cut off; empty: from the start."""
        return self._places.get(what, ())

    async def add(self, table: CopiedTable, portion: Portion) -> None:
        """Write rows and their place, all or nothing."""
        await self._written(lambda: self._add(table, portion.rows), lambda: self._note(table.name, portion.place))

    async def add_recording(self, recording: CopiedRecording, pieces: AsyncGenerator[bytes, None]) -> None:
        """Write a file, in the place of one of the same name, and that all before it are there."""
        path = self._folder.audio / recording.name
        await self._done(lambda: path.unlink(missing_ok=True))
        file = await self._done(lambda: create_file(path))
        try:
            async for piece in pieces:
                await self._done(partial(write_all, file, piece))
            await self._done(lambda: _end(file, recording.made))
        finally:
            self._thread.submit(os.close, file)
        await self._written(lambda: self._note(RECORDINGS, (recording.name,)))

    async def finish(self) -> None:
        """Let the database have its name."""

        def finish() -> None:
            sync_folder(self._folder.audio)
            self._writing.execute(_BLOCKS)
            self._writing.execute("DROP TABLE copying")
            self._reading.close()
            self._writing.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._writing.close()
            self._database.replace(self._folder.database)
            sync_folder(self._folder.path)

        await self._done(finish)

    async def close(self) -> None:
        """Close the database."""
        await self._done(self._writing.close)
        await super().close()

    async def _written(self, *changes: Callable[[], None]) -> None:
        def write() -> None:
            self._writing.execute("BEGIN IMMEDIATE")
            try:
                for change in changes:
                    change()
                self._writing.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._writing.execute("ROLLBACK")
                raise

        await self._done(write)

    def _add(self, table: CopiedTable, rows: Sequence[Row]) -> None:
        named = _NAMED.get(table.name, {})
        columns = ", ".join(named.get(name, name) for name in table.names)
        marks = ", ".join("?" * len(table.columns))
        plain = f"INSERT INTO {table.name} ({columns}) VALUES ({marks})"  # noqa: S608  # our own names
        for statement in _ADD.get(table.name, (plain,)):
            self._writing.executemany(statement, rows)

    def _note(self, what: str, place: Place) -> None:
        self._writing.execute("INSERT OR REPLACE INTO copying VALUES (?, ?)", (what, msgpack.encode(list(place))))


def _end(file: int, made: float) -> None:
    """Have the disk take a file, as one that was written then."""
    os.utime(file, (made, made))
    os.fsync(file)
