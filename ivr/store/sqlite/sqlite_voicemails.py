"""Recordings and which of them are done, in the database of a data folder: read beside the writer, marked through it.

An index holds which calls took recordings, so no other call is looked at.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final

from ivr.errors import UnreadableRow
from ivr.ports import CallKey
from ivr.store.data_folder import DataFolder
from ivr.store.rows import read_public, read_trace
from ivr.store.sqlite.read_only import Reader
from ivr.store.sqlite.sqlite_deliveries import Writes
from ivr.store.sqlite.tables import LATEST_TURN
from ivr.voicemails import RecordedCall, RecordedCalls

NEWEST: Final = 2**63 - 1
"After the last row that can be."

# A recording whose call could not be told when it was taken over from an earlier version stands at -1.
OPEN: Final = """
SELECT turn.call, count(*) > count(handled.media) FROM turn LEFT JOIN handled ON handled.media = turn.media
WHERE turn.media IS NOT NULL AND turn.call BETWEEN 0 AND ? GROUP BY turn.call ORDER BY turn.call DESC LIMIT ?
"""
DONE: Final = "SELECT DISTINCT call, 1 FROM handled WHERE call <= ? ORDER BY call DESC LIMIT ?"
_CALL: Final = f"SELECT channel, account, name, state, rest FROM call JOIN turn ON {LATEST_TURN} WHERE row = ?"  # noqa: S608
_MARK: Final = """
INSERT INTO handled (media, call, at) SELECT turn.media, row, ? FROM call JOIN turn ON turn.call = row
WHERE call.id = ? AND turn.media = ? ON CONFLICT DO NOTHING
"""
_UNDO: Final = "DELETE FROM handled WHERE media = ? AND call = (SELECT row FROM call WHERE id = ?)"


class SqliteVoicemails:
    """`Voicemails`."""

    def __init__(self, folder: DataFolder, *, server: Writes) -> None:
        self._server = server
        self._reader = Reader(folder.database)

    async def recorded(self, *, done: bool, before: int | None, limit: int, look: int) -> RecordedCalls:
        """Look for calls of which a recording is done, or of which one is not."""
        last = NEWEST if before is None else before - 1
        return await self._reader.read(
            lambda connection: find_recorded(connection, DONE if done else OPEN, last, limit, look)
        )

    async def mark(self, call: str, media: str, *, done: bool, at: float) -> None:
        """Mark a recording of a call as done, or as not; durable once this returns."""
        await self._server.written([(_MARK, (at, call, media))] if done else [(_UNDO, (media, call))])

    async def close(self) -> None:
        """Let go of the data."""
        await self._reader.close()


def find_recorded(connection: sqlite3.Connection, question: str, last: int, limit: int, look: int) -> RecordedCalls:
    """Look at calls with recordings up to a row, and return those to which the question says yes."""
    looked_at = connection.execute(question, (last, look)).fetchall()
    found = [row for row, wanted in looked_at if wanted][:limit]
    calls = list(_read(connection, found))
    if len(found) == limit:
        return RecordedCalls(calls, found[-1])
    return RecordedCalls(calls, looked_at[-1][0] if len(looked_at) == look else None)


def _read(connection: sqlite3.Connection, rows: Sequence[int]) -> Iterator[RecordedCall]:
    for row in rows:
        columns = connection.execute(_CALL, (row,)).fetchone()
        if columns is None:
            continue
        *name, state, rest = columns
        done = dict(connection.execute("SELECT media, at FROM handled WHERE call = ?", (row,)).fetchall())
        turns = connection.execute("SELECT trace FROM turn WHERE call = ? ORDER BY seq", (row,)).fetchall()
        with contextlib.suppress(UnreadableRow):  # `ivr calls damaged` names it
            trace = [line for (lines,) in turns for line in read_trace(lines)]
            yield RecordedCall(read_public(CallKey(*name), state, rest), trace, done)
