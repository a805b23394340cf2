"""A data folder as something that is copied: its rows in the form of every store, and its files of recordings."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from ivr.errors import StoreUnavailable, UnreadableRow
from ivr.smallfiles import open_regular
from ivr.store.copied_tables import (
    ROWS,
    CopiedRecording,
    CopiedTable,
    Place,
    Portion,
    Row,
    gathered,
)
from ivr.store.data_folder import DataFolder
from ivr.store.media_files import BUFFER, is_name
from ivr.store.rows import NEW_MESSAGE, read_version
from ivr.store.sqlite.database_file import check_readable, open_database, open_for_reading
from ivr.store.sqlite.sqlite_errors import REFUSALS, reason, unusable
from ivr.store.sqlite.tables import LATEST_TURN
from ivr.store.started_threads import started_threads

T = TypeVar("T")
Placed = tuple[Row, Place]

FILES: Final = 500
"Names of recordings in a portion."

_FROM: Final = {
    "call": f"call LEFT JOIN turn ON {LATEST_TURN} WHERE TRUE",
    "job": "job WHERE kind = 'request'",
    "sign_in": "sign_in LEFT JOIN sign_in_token ON sign_in_token.id = sign_in.id WHERE TRUE",
}
"Where the rows of a table come from, if not from one with its name."
_NAMED: Final = {
    "call": {"id": "call.id"},
    "bot_state": {"person": "user"},
    "sign_in": {"call": "sign_in.call", "id": "sign_in.id", "body": "sign_in.body", "tokens": "sign_in_token.body"},
}
"Columns that have another name here."
_TURN: Final = (
    "SELECT seq, state, rest, message, reply, marks, trace, media, audio "
    "FROM turn WHERE call = ? AND seq > ? ORDER BY seq"
)

_NEXT_CALL: Final = (
    "SELECT coalesce((SELECT min(call) FROM turn WHERE call < 0 AND (?1 IS NULL OR call > ?1)), "
    "(SELECT min(row) FROM call WHERE ?1 IS NULL OR row > ?1))"
)
"Turns of no call have a number below zero: they name recordings of calls that were damaged long ago."


class SqliteCopySource:
    """`CopySource`. Its folder is the caller's own (`DataFolder.open`)."""

    def __init__(self, folder: DataFolder, database: Path, *, most: int = ROWS) -> None:
        """Open the database; raise DataUnusable. So many rows are in memory at a time at `most`."""
        self._folder = folder
        self._most = most
        # One thread for all that is done with the database: what was broken off ends before it is closed.
        self._thread = started_threads(1, "copying")
        self._database = database
        try:
            self._reading = open_for_reading(database)
            check_readable(self._reading, database)
        except REFUSALS as exc:
            raise StoreUnavailable(unusable(database, exc)) from exc

    @classmethod
    def open(cls, folder: DataFolder, *, most: int = ROWS) -> "SqliteCopySource":
        """Open what is to be copied; one of an earlier version is converted first. Raises DataUnusable. Blocks."""
        open_database(folder.database).close()
        return cls(folder, folder.database, most=most)

    @property
    def name(self) -> str:
        """What it is called."""
        return f"the data folder {self._folder.path}"

    async def portions(self, table: CopiedTable, after: Place) -> AsyncGenerator[Portion, None]:
        """Return the rows of a table behind a place, in their order."""
        rows = _turns(self._reading, table, after) if table.name == "turn" else self._rows(table, after)
        found = gathered(rows, self._most)
        while (portion := await self._done(lambda: next(found, None))) is not None:
            yield portion

    async def recordings(self, after: str) -> AsyncGenerator[Sequence[CopiedRecording], None]:
        """Return the files of recordings behind a name, in the order of their names, a portion at a time."""
        names = await self._done(lambda: sorted(path.name for path in self._folder.audio.iterdir() if path.is_file()))
        left = [name for name in names if name > after and is_name(name)]
        for start in range(0, len(left), FILES):
            yield await self._done(partial(self._recordings, left[start : start + FILES]))

    async def pieces(self, recording: str) -> AsyncGenerator[bytes, None]:
        """Return the bytes of a file, a piece at a time."""
        file = await self._done(lambda: open_regular(self._folder.audio / recording))
        try:
            while piece := await self._done(lambda: file.read(BUFFER)):
                yield piece
        finally:
            self._thread.submit(file.close)

    async def count(self, table: CopiedTable) -> int:
        """Count the rows of a table."""
        counting = f"SELECT count(*) FROM {_FROM.get(table.name, table.name)}"  # noqa: S608  # our own names
        return await self._done(lambda: int(self._reading.execute(counting).fetchone()[0]))

    async def close(self) -> None:
        """Close the database."""
        await self._done(self._reading.close)
        self._thread.shutdown()

    async def _done(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.wrap_future(self._thread.submit(work))
        except REFUSALS as exc:
            raise StoreUnavailable(unusable(self._database, exc)) from exc
        except OSError as exc:
            raise StoreUnavailable(f"A recording cannot be copied: {reason(exc)}.") from exc

    def _rows(self, table: CopiedTable, after: Place) -> Iterator[Placed]:
        """Read a table by its order; without one, in the order in which rows were added."""
        place = table.order or (f"{table.name}.rowid",)
        named = _NAMED.get(table.name, {})
        columns = ", ".join((*place, *(named.get(name, name) for name in table.names)))
        source = _FROM.get(table.name, f"{table.name} WHERE TRUE")
        behind = f" AND ({', '.join(place)}) > ({', '.join('?' * len(place))})" if after else ""
        asked = f"SELECT {columns} FROM {source}{behind} ORDER BY {', '.join(place)}"  # noqa: S608  # our own names
        for stored in self._reading.execute(asked, tuple(after)):
            yield table.read(stored[len(place) :]), stored[: len(place)]

    def _recordings(self, names: Sequence[str]) -> Sequence[CopiedRecording]:
        return [CopiedRecording(name, (self._folder.audio / name).stat().st_mtime) for name in names]


def _turns(connection: sqlite3.Connection, table: CopiedTable, after: Place) -> Iterator[Placed]:
    """Read all turns, call by call: here they are numbered in the order of the turns of all calls."""
    call, seq, version = after or (None, 0, 0)
    while True:
        if call is not None:
            yield from _turns_of(connection, table, call, seq, version)
        (call,) = connection.execute(_NEXT_CALL, (call,)).fetchone()
        if call is None:
            return
        seq, version = 0, 0


def _turns_of(
    connection: sqlite3.Connection, table: CopiedTable, call: Any, after: Any, version: Any
) -> Iterator[Placed]:
    # A message that was forgotten and came again is new twice; for its replies the last time alone counts.
    again = connection.execute(
        f"SELECT message, max(seq) FROM turn WHERE call = ? AND marks & {NEW_MESSAGE} "  # noqa: S608  # a number of ours
        "GROUP BY message HAVING count(*) > 1",
        (call,),
    )
    last = dict(again.fetchall())
    for seq, state, rest, message, reply, marks, trace, media, audio in connection.execute(_TURN, (call, after)):
        came_again = last.get(message, seq) != seq and isinstance(marks, int)
        mark = marks & ~NEW_MESSAGE if came_again else marks
        row = table.read((call, 0, state, rest, message, reply, mark, trace, media, audio))
        version = _version_after(version, row[3])
        yield (call, version, *row[2:]), (call, seq, version)


def _version_after(version: int, rest: object) -> int:
    """Return the version of a turn that follows one with this version."""
    try:
        return max(read_version(rest), version + 1)  # type: ignore[arg-type]
    except UnreadableRow:
        return version + 1
