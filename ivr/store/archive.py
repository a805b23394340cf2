"""The calls of a data folder as commands read them: in another process, beside a running server or without one.

Reading goes on while the server writes. Erasing needs the folder for itself (`DataFolder.open`): the server keeps calls
in memory, and what is erased here must not come back from there.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Self

from msgspec import Struct

from ivr.errors import DataUnusable, StoreUnavailable, UnreadableRow
from ivr.ports import CallKey, CallRecord, Stepped
from ivr.store.damaged import Damaged, find_damaged, proves
from ivr.store.database_file import check_readable, open_database, open_for_reading
from ivr.store.rows import LATEST, Rows, read_public, read_trace
from ivr.store.sealing import Sealer
from ivr.store.sqlite_errors import REFUSALS, reason, unusable
from ivr.store.statements import erase_statements
from ivr.store.tables import LATEST_TURN, as_bytes, of_state, of_trace
from ivr.store.writer import empty_log

_SUMMARY = f"""
SELECT call.id, ended IS NOT NULL, json_valid(state), {of_state("flow")}, {of_state("facts.channel")},
    {of_state("facts.caller")}, {of_state("facts.called")}, {of_state("facts.started")},
    {of_state("state")}, {of_state("outcome")},
    (SELECT {of_trace("[#-1].now")} FROM turn AS one WHERE one.call = call.row AND one.trace <> '[]'
    ORDER BY seq DESC LIMIT 1)
FROM call CROSS JOIN turn ON {LATEST_TURN}
"""  # noqa: S608  # our own text
_LATEST = f"SELECT channel, account, name, state, rest, row, call.id FROM call CROSS JOIN turn ON {LATEST_TURN}"  # noqa: S608


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
    damaged: bool = False
    "Its state cannot be read."


class StoredCall(Struct, frozen=True):
    """One call with its trace."""

    id: str
    record: CallRecord | None
    "Without what is private in it; None: it cannot be read."
    trace: Sequence[Stepped] = ()
    trouble: str = ""
    "Why it cannot be read."


class ErasedCall(Struct, frozen=True):
    """What there was of one call."""

    id: str
    started: float
    lines: int
    "Of its trace."
    recordings: tuple[str, ...]
    "The names of its audio files."


class ArchiveFile:
    """The database of one data folder, for reading; every method raises DataUnusable where it cannot be read."""

    def __init__(self, database: Path, connection: sqlite3.Connection) -> None:
        self._database = database
        self._connection = connection

    @classmethod
    def open(cls, database: Path) -> Self:
        """Open the database; raise DataUnusable if it does not exist or cannot be read."""
        if not database.is_file():
            raise DataUnusable(f"There are no calls yet ({database} does not exist).")
        try:
            connection = open_for_reading(database.absolute())
            check_readable(connection, database)
        except REFUSALS as exc:
            raise DataUnusable(unusable(database, exc)) from exc
        return cls(database, connection)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def summaries(self) -> Iterator[CallSummary]:
        """Return all calls, the newest first; no more than one is in memory."""
        return map(_summary, self._rows(f"{_SUMMARY} ORDER BY row DESC"))

    def find(self, beginning: str) -> Sequence[str]:
        """Return the ids that begin so, at most ten."""
        found = self._rows("SELECT id FROM call WHERE substr(id, 1, ?) = ? LIMIT 10", len(beginning), beginning)
        return [str(call) for (call,) in found]

    def record(self, call: str) -> CallRecord | None:
        """Return one call, without what is private in it."""
        for *name, state, rest, _, _ in self._rows(f"{_LATEST} WHERE call.id = ?", call):
            return read_public(CallKey(*name), state, rest)
        return None

    def trace(self, call: str) -> Iterator[Stepped]:
        """Return the trace of one call, in order."""
        turns = self._rows("SELECT trace FROM turn WHERE call = (SELECT row FROM call WHERE id = ?) ORDER BY seq", call)
        return (line for (trace,) in turns for line in read_trace(trace))

    def named(self, key: CallKey) -> str | None:
        """Return our id of the call that a platform names so; None: there is no such call."""
        found = self._connection.execute(
            "SELECT id FROM call WHERE channel = ? AND account = ? AND name = ?", (key.channel, key.account, key.id)
        ).fetchone()
        return str(found[0]) if found else None

    def state_of(self, name: str) -> str | None:
        """Return the state in which the call of a platform's name stands; None: there is no such call."""
        sql = (
            f"SELECT coalesce({of_state('state')}, '') FROM call CROSS JOIN turn ON {LATEST_TURN} "  # noqa: S608
            "WHERE name = ? ORDER BY row LIMIT 1"
        )
        return next((str(state) for (state,) in self._rows(sql, name)), None)

    def records(self) -> Iterator[tuple[CallRecord, Sequence[Stepped]]]:
        """Return all calls that can be read, with their traces, the oldest first; no more than one is in memory."""
        return ((one.record, one.trace) for one in self.stored() if one.record is not None)

    def stored(self) -> Iterator[StoredCall]:
        """Return all calls, the oldest first; no more than one is in memory."""
        for *name, state, rest, row, call in self._rows(f"{_LATEST} ORDER BY row"):
            turns = self._rows("SELECT trace FROM turn WHERE call = ? ORDER BY seq", row)
            try:
                record = read_public(CallKey(*name), state, rest)
                yield StoredCall(call, record, [line for (trace,) in turns for line in read_trace(trace)])
            except UnreadableRow as error:
                yield StoredCall(str(call), None, trouble=str(error))

    def damaged(self, sealer: Sealer | None) -> Iterator[Damaged]:
        """Return every call of which something cannot be read; `key` opens sealed values, if it is given."""
        try:
            yield from find_damaged(self._connection, Rows(sealer) if sealer else None)
        except REFUSALS as exc:
            raise DataUnusable(unusable(self._database, exc)) from exc

    def is_sealed_with(self, sealer: Sealer) -> bool:
        """Return whether this is the key with which the database was last served."""
        if not list(self._rows("SELECT name FROM sqlite_master WHERE name = 'seal'")):  # of version 1
            return False
        try:
            return proves(self._connection, sealer)
        except REFUSALS as exc:
            raise DataUnusable(unusable(self._database, exc)) from exc

    def count(self) -> int:
        """Count the calls."""
        return sum(int(number) for (number,) in self._rows("SELECT count(*) FROM call"))

    def flow(self, flow_hash: str) -> bytes | None:
        """Return the source of a flow that took calls."""
        found = self._rows("SELECT source FROM flow WHERE hash = ?", flow_hash)
        return next((as_bytes(source) for (source,) in found), None)

    def _rows(self, sql: str, *values: object) -> Iterator[Sequence[Any]]:
        try:
            # Not `yield from`: that closes the cursor in the end, perhaps of a connection that is closed already.
            for row in self._connection.execute(sql, values):  # noqa: UP028
                yield row
        except REFUSALS as exc:  # a surrogate has no written form
            raise DataUnusable(unusable(self._database, exc)) from exc


class Erasure(Struct, frozen=True):
    """What became of an order to erase calls."""

    calls: Sequence[ErasedCall]
    left: str = ""
    "Why the database's log still holds what was erased, until it is erased again; empty: it holds nothing of it."
    unread: int = 0
    "Damaged calls that may be of this caller: their caller cannot be read."


def erase_calls(
    database: Path, caller: str | None = None, *, call: str | None = None, patience: float = 5.0
) -> Erasure:
    """Erase all calls of a caller, or the one call with our id, in one transaction, and overwrite what was there.

    The caller of this function owns the data folder, and deletes the audio files that are named in the answer. Others
    who use the database are waited for, `patience` seconds. Raises DataUnusable, or StoreUnavailable if nothing was
    erased.
    """
    which, value = ("call.id = ?", call) if call is not None else (f"{of_state('facts.caller')} = ?", caller)
    with closing(open_database(database)) as connection:
        try:
            connection.execute(f"PRAGMA busy_timeout = {round(1000 * patience)}")
            connection.execute("BEGIN IMMEDIATE")
            calls = connection.execute(
                f"SELECT row, call.id, {of_state('facts.started')} FROM call LEFT JOIN turn "  # noqa: S608
                f"ON {LATEST_TURN} WHERE {which}",
                (value,),
            ).fetchall()
            erased = [_erase(connection, *found) for found in calls]
            (unread,) = connection.execute(
                f"SELECT count(*) FROM call CROSS JOIN turn ON {LATEST_TURN} WHERE NOT json_valid(state)"  # noqa: S608
            ).fetchone()
            connection.execute("COMMIT")
        except REFUSALS as exc:
            raise StoreUnavailable(f"the database {database} cannot be used: {reason(exc)}") from exc
        return Erasure(erased, empty_log(connection, wait=True), unread)


class Forgotten(Struct, frozen=True):
    """A call whose time was up, and which is erased."""

    recordings: Sequence[str]
    "Its audio files, which belong to no call any more."


class EndedCall(Struct, frozen=True):
    """A call whose time is up, and how it is erased."""

    row: int
    key: CallKey
    recordings: Sequence[str]


def find_ended(connection: sqlite3.Connection, before: float, limit: int) -> Sequence[EndedCall]:
    """Find calls that are over and to which nothing happened since then (seconds since 1970), the first to end first.

    Reads an index, and of each call that it finds its own rows.
    """
    rows = connection.execute(
        "SELECT row, channel, account, name FROM call WHERE ended < ? ORDER BY ended LIMIT ?", (before, limit)
    ).fetchall()
    return [EndedCall(row, CallKey(*key), _recordings(connection, row)) for row, *key in rows]


def _recordings(connection: sqlite3.Connection, row: int) -> tuple[str, ...]:
    return tuple(
        str(name)
        for (name,) in connection.execute("SELECT media FROM turn WHERE call = ? AND media IS NOT NULL", (row,))
    )


def _erase(connection: sqlite3.Connection, row: int, identity: object, started: object) -> ErasedCall:
    recordings = _recordings(connection, row)
    (lines,) = connection.execute(
        "SELECT coalesce(sum(iif(json_valid(trace), json_array_length(trace), 0)), 0) FROM turn WHERE call = ?", (row,)
    ).fetchone()
    for statement, values in erase_statements(row):
        connection.execute(statement, values)
    return ErasedCall(str(identity), _number(started), lines, recordings)


def _summary(row: Sequence[object]) -> CallSummary:
    identity, over, valid, flow, channel, caller, called, started, state, outcome, last = row
    begun = _number(started)
    return CallSummary(
        str(identity),
        str(flow or ""),
        str(channel or ""),
        None if caller is None else str(caller),
        str(called or ""),
        begun,
        _number(last) or begun,
        str(state or ""),
        None if outcome is None else str(outcome),
        bool(over),
        damaged=not valid,
    )


def _number(value: object) -> float:
    """Return a time; 0 for a value that is not a valid time."""
    return float(value) if isinstance(value, int | float) and 0 <= value <= LATEST else 0.0
