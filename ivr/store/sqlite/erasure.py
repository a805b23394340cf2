"""Erasing calls: all rows of each, in one transaction, and what there was of them, for the receipt."""

import sqlite3
from collections.abc import Sequence

from msgspec import Struct

from ivr.ports import CallKey
from ivr.storage import ErasedCall, Erasure
from ivr.store.call_listing import time_of
from ivr.store.sqlite.statements import erase_statements, overwrite_statements
from ivr.store.sqlite.tables import LATEST_TURN, of_state
from ivr.store.sqlite.user_rows import UserRows, count_values

_PARTY = f"iif({of_state('facts.placed')}, {of_state('facts.called')}, {of_state('facts.caller')})"
"Who is on the line of a call, whichever side called (`Facts.party`)."


class EndedCall(Struct, frozen=True):
    """A call whose time is up."""

    row: int
    key: CallKey
    contents: ErasedCall


def find_ended(connection: sqlite3.Connection, before: float, limit: int) -> Sequence[EndedCall]:
    """Find calls that are over and to which nothing happened since then (seconds since 1970), the first to end first.

    Reads an index, and of each call that it finds its own rows.
    """
    rows = connection.execute(
        f"SELECT row, channel, account, name, call.id, {of_state('facts.started')} FROM call "  # noqa: S608  # our own
        f"LEFT JOIN turn ON {LATEST_TURN} WHERE ended < ? ORDER BY ended LIMIT ?",
        (before, limit),
    ).fetchall()
    return [
        EndedCall(row, CallKey(channel, account, name), _contents(connection, row, identity, started))
        for row, channel, account, name, identity, started in rows
    ]


def erase_calls(
    connection: sqlite3.Connection, caller: str | None, call: str | None, users: UserRows | None
) -> Erasure:
    """Erase all calls with somebody and, by `users`, what is kept of them beyond these; or the one call with our id.

    In one transaction; raises what SQLite refuses.
    """
    which, value = ("call.id = ?", call) if call is not None else (f"{_PARTY} = ?", caller)
    connection.execute("BEGIN IMMEDIATE")
    found = connection.execute(
        f"SELECT row, call.id, {of_state('facts.started')} FROM call LEFT JOIN turn ON {LATEST_TURN} "  # noqa: S608
        f"WHERE {which}",
        (value,),
    ).fetchall()
    erased = [_contents(connection, *one) for one in found]
    _erase(connection, [row for row, *_ in found])
    (unread,) = connection.execute(
        f"SELECT count(*) FROM call LEFT JOIN turn ON {LATEST_TURN} WHERE NOT coalesce(json_valid(state), 0)"  # noqa: S608
    ).fetchone()
    values, unknown = 0, 0
    if caller is not None:
        values = users.erase(connection, caller) if users is not None else 0
        unknown = count_values(connection) if users is None else 0
    connection.execute("COMMIT")
    return Erasure(erased, unread=unread, values=values, unknown_values=unknown)


def erase_ended(connection: sqlite3.Connection, ended: Sequence[EndedCall]) -> None:
    """Erase calls in one transaction; raise what SQLite refuses."""
    connection.execute("BEGIN IMMEDIATE")
    _erase(connection, [one.row for one in ended])
    connection.execute("COMMIT")


def _erase(connection: sqlite3.Connection, rows: Sequence[int]) -> None:
    for statements_of in (overwrite_statements, erase_statements):
        for row in rows:
            for statement, values in statements_of(row):
                connection.execute(statement, values)


def _contents(connection: sqlite3.Connection, row: int, identity: object, started: object) -> ErasedCall:
    """Read what there is of a call."""
    media = connection.execute(
        "SELECT media, length(audio) FROM turn WHERE call = ? AND media IS NOT NULL ORDER BY seq", (row,)
    )
    recordings = {str(name): size for name, size in media}
    (lines,) = connection.execute(
        "SELECT coalesce(sum(iif(json_valid(trace), json_array_length(trace), 0)), 0) FROM turn WHERE call = ?", (row,)
    ).fetchone()
    return ErasedCall(str(identity), time_of(started), lines, tuple(recordings.items()))
