"""The calls of a database in lists, as SQL: each question reads what it returns, however many calls are stored.

Lists of all calls come a portion at a time, so that no reader keeps the log from being emptied for long.
"""

import itertools
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from ivr.call_record import CallRecord, Stepped
from ivr.ports import CallKey
from ivr.storage import FOUND, CallSummary, StoredCall
from ivr.store.call_listing import call_summary, public_record, read_traces, readable_records, stored_call
from ivr.store.sqlite.tables import LATEST_TURN, of_state, of_trace

_LATEST = f"LEFT JOIN turn ON {LATEST_TURN}"
"Left: a call of which no turn is there is damaged, and in the lists."
_SUMMARY = f"""
SELECT row, call.id, ended, coalesce(json_valid(state), 0), {of_state("flow")}, {of_state("facts.channel")},
    {of_state("facts.caller")}, {of_state("facts.called")}, {of_state("facts.started")},
    {of_state("state")}, {of_state("outcome")}, {of_state("facts.placed")},
    iif(ended IS NULL, (SELECT {of_trace("[#-1].now")} FROM turn AS one WHERE one.call = call.row AND one.trace <> '[]'
    ORDER BY seq DESC LIMIT 1), ended)
FROM call {_LATEST} WHERE row < ? ORDER BY row DESC LIMIT ?
"""  # noqa: S608  # our own text
_RECORD = f"SELECT row, call.id, channel, account, name, state, rest FROM call {_LATEST}"  # noqa: S608


def find_ids(connection: sqlite3.Connection, beginning: str) -> list[str]:
    """Find the ids that begin so."""
    # The first that does not begin so any more is a bound for the index; no id has the last character of all.
    found = connection.execute(
        "SELECT id FROM call WHERE id >= ? AND id < ? ORDER BY id LIMIT ?", (beginning, f"{beginning}\U0010ffff", FOUND)
    )
    return [str(call) for (call,) in found]


def find_named(connection: sqlite3.Connection, key: CallKey) -> str | None:
    """Find our id of a call by the platform's name for it."""
    found = connection.execute(
        "SELECT id FROM call WHERE channel = ? AND account = ? AND name = ?", (key.channel, key.account, key.id)
    ).fetchone()
    return str(found[0]) if found else None


def find_public(connection: sqlite3.Connection, call: str) -> CallRecord | None:
    """Read one call by our id, without what is private."""
    found = connection.execute(f"{_RECORD} WHERE call.id = ?", (call,)).fetchone()
    return public_record(found) if found else None


def find_trace(connection: sqlite3.Connection, call: str) -> list[Stepped]:
    """Read the trace of one call."""
    return read_traces(_traces(connection, "(SELECT row FROM call WHERE id = ?)", call))


def find_summaries(connection: sqlite3.Connection, before: int, limit: int) -> tuple[list[CallSummary], int]:
    """List calls before a row, the newest first, and return the row of the last of them."""
    rows = connection.execute(_SUMMARY, (before, limit)).fetchall()
    return [_summary(row) for row in rows], rows[-1][0] if rows else before


def find_stored(connection: sqlite3.Connection, after: int, limit: int) -> tuple[list[StoredCall], int]:
    """List calls after a row with their traces, the oldest first, and return the row of the last of them."""
    rows = connection.execute(f"{_RECORD} WHERE row > ? ORDER BY row LIMIT ?", (after, limit)).fetchall()
    return [stored_call(row, _traces(connection, "?", row[0])) for row in rows], rows[-1][0] if rows else after


def find_live(connection: sqlite3.Connection, limit: int) -> list[CallRecord]:
    """Read the newest calls that are not over, the oldest of them first; those that cannot be read are left out."""
    rows = connection.execute(f"{_RECORD} WHERE ended IS NULL ORDER BY row DESC LIMIT ?", (limit,))
    return readable_records(rows.fetchall())[::-1]


def find_finished(connection: sqlite3.Connection, since: float, limit: int) -> list[CallRecord]:
    """Read the newest calls that are over, down to the first that came in before; the rest is left out as above."""
    rows = connection.execute(f"{_RECORD} WHERE ended IS NOT NULL ORDER BY row DESC LIMIT ?", (limit,))
    return list(itertools.takewhile(lambda one: one.call.facts.started >= since, readable_records(rows.fetchall())))


def count_calls(connection: sqlite3.Connection, *, live: bool) -> int:
    """Count all calls, or those that are not over."""
    (number,) = connection.execute(f"SELECT count(*) FROM call{' WHERE ended IS NULL' if live else ''}").fetchone()  # noqa: S608
    return int(number)


def _traces(connection: sqlite3.Connection, call: str, value: str | int) -> Iterator[str]:
    turns = connection.execute(f"SELECT trace FROM turn WHERE call = {call} ORDER BY seq", (value,))  # noqa: S608
    return (trace for (trace,) in turns)


def _summary(row: Sequence[Any]) -> CallSummary:
    _, identity, ended, valid, *state, last = row
    return call_summary(identity, over=ended is not None, state=state, last=last, damaged=not valid)
