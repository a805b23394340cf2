"""The calls of a data folder as commands read them: in another process, beside a running server or without one.

Reading goes on while the server writes. Erasing needs the folder for itself (`DataFolder.open`): the server keeps calls
in memory, and what is erased here must not come back from there.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Self

from msgspec import Struct

from ivr.errors import DataUnusable, StoreUnavailable
from ivr.ports import CallKey, CallRecord, Stepped
from ivr.store.rows import read_public, read_stepped
from ivr.store.schema import open_database, open_for_reading
from ivr.store.writer import Statement

_SUMMARY = """
SELECT id, over,
    json_extract(state, '$.flow'), json_extract(state, '$.facts.channel'),
    json_extract(state, '$.facts.caller'), json_extract(state, '$.facts.called'),
    coalesce(json_extract(state, '$.facts.started'), 0.0), coalesce(json_extract(state, '$.state'), ''),
    json_extract(state, '$.outcome'),
    (SELECT json_extract(body, '$.now') FROM trace WHERE trace.call = call.row ORDER BY line DESC LIMIT 1)
FROM call
"""
_OF_CALLER = "json_extract(state, '$.facts.caller') = ?"


class CallSummary(Struct, frozen=True):
    """One call, as a list shows it."""

    id: str
    flow: str
    "The hash of the flow that took it."
    channel: str
    caller: str | None
    called: str
    started: float
    "Seconds since 1970, UTC, like `ended`."
    ended: float
    "When the last thing happened."
    state: str
    outcome: str | None
    over: bool


class ErasedCall(Struct, frozen=True):
    """What there was of one call."""

    id: str
    started: float
    lines: int
    "Of its trace."
    recordings: tuple[str, ...]
    "The names of its audio files."


class ArchiveFile:
    """The database of one data folder, for reading."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, database: Path) -> Self:
        """Open the database; raise DataUnusable if there is none, or none that can be read."""
        if not database.is_file():
            raise DataUnusable(f"There are no calls yet: {database} does not exist.")
        try:
            connection = open_for_reading(database.absolute())
            connection.execute("SELECT 1 FROM call LIMIT 1")
        except sqlite3.Error as exc:
            raise DataUnusable(f"The database {database} cannot be read: {exc}.") from exc
        return cls(connection)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def summaries(self) -> Iterator[CallSummary]:
        """Give all calls, the newest first; no more than one is in memory."""
        for row in self._connection.execute(f"{_SUMMARY} ORDER BY row DESC"):  # our own text
            yield _summary(row)

    def find(self, beginning: str) -> Sequence[str]:
        """Give the ids that begin so, at most ten."""
        found = self._connection.execute(
            "SELECT id FROM call WHERE substr(id, 1, ?) = ? LIMIT 10", (len(beginning), beginning)
        )
        return [call for (call,) in found]

    def record(self, call: str) -> CallRecord | None:
        """Give one call, without what is private in it."""
        found = self._connection.execute("SELECT state, rest FROM call WHERE id = ?", (call,)).fetchone()
        return read_public(*found) if found else None

    def trace(self, call: str) -> Iterator[Stepped]:
        """Give the trace of one call, in order."""
        lines = self._connection.execute(
            "SELECT body FROM trace WHERE call = (SELECT row FROM call WHERE id = ?) ORDER BY line", (call,)
        )
        return (read_stepped(body) for (body,) in lines)

    def state_of(self, name: str) -> str | None:
        """Give the state in which the call of a platform's name stands; None: there is no such call."""
        found = self._connection.execute(
            "SELECT coalesce(json_extract(state, '$.state'), '') FROM call WHERE name = ? ORDER BY row LIMIT 1", (name,)
        ).fetchone()
        return str(found[0]) if found else None

    def records(self) -> Iterator[tuple[CallRecord, Sequence[Stepped]]]:
        """Give all calls with their traces, the oldest first; no more than one is in memory."""
        calls = self._connection.execute("SELECT row, state, rest FROM call ORDER BY row")
        for row, state, rest in calls:
            lines = self._connection.execute("SELECT body FROM trace WHERE call = ? ORDER BY line", (row,))
            yield read_public(state, rest), [read_stepped(body) for (body,) in lines]

    def count(self) -> int:
        """Count the calls."""
        (number,) = self._connection.execute("SELECT count(*) FROM call").fetchone()
        return int(number)

    def flow(self, hash: str) -> bytes | None:  # noqa: A002
        """Give the source of a flow that took calls."""
        found = self._connection.execute("SELECT source FROM flow WHERE hash = ?", (hash,)).fetchone()
        return bytes(found[0]) if found else None


class Erasure(Struct, frozen=True):
    """What became of an order to erase a caller."""

    calls: Sequence[ErasedCall]
    left: str = ""
    "Why the database's log still holds what was erased, until it is erased again; empty: it holds nothing of it."


def erase_calls(database: Path, caller: str, *, patience: float = 5.0) -> Erasure:
    """Erase all calls of a caller from the database, in one transaction, and overwrite what was there.

    The caller of this function owns the data folder, and deletes the audio files that are named in the answer. Others
    who use the database are waited for, `patience` seconds. Raises DataUnusable, or StoreUnavailable if nothing was
    erased.
    """
    with closing(open_database(database)) as connection:
        try:
            connection.execute(f"PRAGMA busy_timeout = {round(1000 * patience)}")
            connection.execute("BEGIN IMMEDIATE")
            rows = connection.execute(f"SELECT row FROM call WHERE {_OF_CALLER}", (caller,)).fetchall()  # noqa: S608
            erased = [_erase(connection, row) for (row,) in rows]
            connection.execute("COMMIT")
        except sqlite3.Error as exc:
            raise StoreUnavailable(f"the database {database} refused: {exc}") from exc
        return Erasure(erased, _empty_log(connection))


def _empty_log(connection: sqlite3.Connection) -> str:
    """Cut off the log, which holds the pages of before; give what keeps that from being done, or nothing."""
    try:
        (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error as exc:
        return f"the database says: {exc}"
    return "another command is reading the database" if busy else ""  # SQLite does not raise for a reader


class EndedCall(Struct, frozen=True):
    """A call whose time is up, and how it is erased."""

    key: CallKey
    statements: Sequence[Statement]


def find_ended(connection: sqlite3.Connection, before: float, limit: int) -> Sequence[EndedCall]:
    """Find calls that are over and to which nothing happened since then (seconds since 1970), the oldest first."""
    rows = connection.execute(
        "SELECT row, channel, account, name FROM call WHERE over = 1 AND coalesce("
        "(SELECT json_extract(body, '$.now') FROM trace WHERE trace.call = row ORDER BY line DESC LIMIT 1), 0.0) < ? "
        "ORDER BY row LIMIT ?",
        (before, limit),
    ).fetchall()
    return [EndedCall(CallKey(*key), _erasing(connection, row)) for row, *key in rows]


def _erasing(connection: sqlite3.Connection, row: int) -> list[Statement]:
    """Give the statements that erase a call: its rows in every table that has a column for it."""
    tables = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' "
        "AND EXISTS (SELECT 1 FROM pragma_table_info(sqlite_master.name) AS info WHERE info.name = 'call')"
    )
    statements: list[Statement] = [(f"DELETE FROM {table} WHERE call = ?", (row,)) for (table,) in tables]  # noqa: S608
    return [*statements, ("DELETE FROM call WHERE row = ?", (row,))]


def _erase(connection: sqlite3.Connection, row: int) -> ErasedCall:
    identity, started = connection.execute(
        "SELECT id, coalesce(json_extract(state, '$.facts.started'), 0.0) FROM call WHERE row = ?", (row,)
    ).fetchone()
    recordings = tuple(name for (name,) in connection.execute("SELECT name FROM media WHERE call = ?", (row,)))
    (lines,) = connection.execute("SELECT count(*) FROM trace WHERE call = ?", (row,)).fetchone()
    for statement, values in _erasing(connection, row):
        connection.execute(statement, values)
    return ErasedCall(identity, started, lines, recordings)


def _summary(row: Sequence[object]) -> CallSummary:
    identity, over, flow, channel, caller, called, started, state, outcome, last = row
    begun = _number(started)
    return CallSummary(
        str(identity),
        str(flow or ""),
        str(channel or ""),
        None if caller is None else str(caller),
        str(called or ""),
        begun,
        _number(last) or begun,
        str(state),
        None if outcome is None else str(outcome),
        bool(over),
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
