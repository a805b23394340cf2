"""Calls looked up, and counted over time, in the database of a data folder: in a thread beside the writer.

There is no index of what is looked for: each turn would pay for it. A look reads the last turns of so many calls
instead, a few microseconds each, and a time is found by halving.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from ivr.call_search import (
    LIVE,
    NO_OUTCOME,
    UNWRITTEN,
    CallsInTime,
    FoundCall,
    FoundCalls,
    WantedCalls,
    as_compared,
)
from ivr.storage import Block
from ivr.store.call_listing import rows_of
from ivr.store.data_folder import DataFolder
from ivr.store.rows import LATEST
from ivr.store.sqlite.blocks import first_row
from ivr.store.sqlite.read_only import Reader
from ivr.store.sqlite.tables import LATEST_TURN, of_state

NEWEST: Final = 2**63 - 1
"After the last row that can be."


def _text(member: str) -> str:
    # Cast, since what is damaged may be a number where a text belongs.
    return f"CAST({of_state(member)} AS TEXT)"


def _compared(column: str) -> str:
    """Return the SQL for what is compared of a number: as `as_compared`."""
    sql = f"lower(coalesce({column}, ''))"  # of SQLite: ASCII alone
    for char in UNWRITTEN:
        sql = f"replace({sql}, '{char}', '')"
    return sql


_STARTED = f"CAST(coalesce({of_state('facts.started')}, 0.0) AS REAL)"
_KIND = f"iif(ended IS NULL, '{LIVE}', coalesce(nullif({_text('outcome')}, ''), '{NO_OUTCOME}'))"
_LOOKED_AT = "SELECT row, id, channel, ended FROM call WHERE row < ? AND row >= ? ORDER BY row DESC LIMIT ?"
_FOUND = f"""
SELECT row, id, {_text("flow")}, channel, {_text("facts.caller")}, {_text("facts.called")}, {of_state("facts.placed")},
    {_STARTED}, ended, {_text("state")}, {_text("outcome")}
FROM ({_LOOKED_AT}) AS call CROSS JOIN turn ON {LATEST_TURN} WHERE json_valid(state) {{}} ORDER BY row DESC LIMIT ?
"""  # noqa: S608  # our own text
_OVER_TIME = f"""
SELECT {_text("flow")}, CAST({_STARTED} / ? AS INTEGER), {_KIND}, count(*),
    sum(iif(ended IS NULL, 0.0, max(ended - {_STARTED}, 0.0)))
FROM call CROSS JOIN turn ON {LATEST_TURN} WHERE row BETWEEN ? AND ? AND json_valid(state) GROUP BY 1, 2, 3
"""  # noqa: S608


class SqliteSearch:
    """`CallSearch`."""

    def __init__(self, folder: DataFolder) -> None:
        self._reader = Reader(folder.database)

    async def search(self, wanted: WantedCalls, *, before: int | None, limit: int, look: int) -> FoundCalls:
        """Look at calls before a row (None: at the newest), at `look` of them at most, until `limit` are found."""
        return await self._reader.read(lambda connection: find_calls(connection, wanted, before, limit, look))

    async def flows(self) -> Sequence[str]:
        """Return the hashes of all flows that calls may name."""
        return await self._reader.read(find_hashes)

    async def over_time(self, block: Block, width: float) -> Sequence[CallsInTime]:
        """Count the calls of a block by stretches of so many seconds. Reads no trace."""
        return await self._reader.read(lambda connection: count_over_time(connection, block, width))

    async def close(self) -> None:
        """Let go of the data."""
        await self._reader.close()


def count_over_time(connection: sqlite3.Connection, block: Block, width: float) -> Sequence[CallsInTime]:
    """Count the calls of a block by stretches of time."""
    return [CallsInTime(*row) for row in connection.execute(_OVER_TIME, (width, *rows_of(block)))]


def find_hashes(connection: sqlite3.Connection) -> Sequence[str]:
    """Find the hashes of all flows."""
    return [str(found) for (found,) in connection.execute("SELECT hash FROM flow WHERE hash <> '' ORDER BY hash")]


def find_calls(
    connection: sqlite3.Connection, wanted: WantedCalls, before: int | None, limit: int, look: int
) -> FoundCalls:
    """Look at calls before a row, and return those that are wanted."""
    high = NEWEST if before is None else before
    if wanted.until is not None:
        high = min(high, first_row(connection, wanted.until))
    low = 0 if wanted.since is None else first_row(connection, wanted.since)
    looked_at = (high, low, look)
    last, looked = connection.execute(f"SELECT min(row), count(*) FROM ({_LOOKED_AT})", looked_at).fetchone()  # noqa: S608
    conditions, values = _conditions(wanted)
    rows = connection.execute(_FOUND.format(conditions), (*looked_at, *values, limit)).fetchall()
    if len(rows) == limit:
        last = rows[-1][0]
    return FoundCalls([_found(row) for row in rows], looked, last if looked == look or len(rows) == limit else None)


def _conditions(wanted: WantedCalls) -> tuple[str, list[str | float]]:
    """Return what a call has to fulfil, as SQL to be put behind another condition, and its values."""
    asked: list[tuple[str, Sequence[str | float]]] = []
    if number := as_compared(wanted.number):
        either = " OR ".join(f"instr({_compared(_text(one))}, ?)" for one in ("facts.caller", "facts.called"))
        asked.append((f"({either})", (number, number)))
    if wanted.flows is not None:
        hashes = sorted(wanted.flows)
        asked.append((f"{_text('flow')} IN ({', '.join('?' * len(hashes))})", hashes))
    equal = (("channel", wanted.channel), (_text("state"), wanted.state), (_KIND, wanted.outcome))
    asked += [(f"{sql} = ?", (value,)) for sql, value in equal if value]
    if wanted.since is not None:
        asked.append((f"{_STARTED} >= ?", (wanted.since,)))
    if wanted.until is not None:
        asked.append((f"{_STARTED} < ?", (wanted.until,)))
    return "".join(f" AND {sql}" for sql, _ in asked), [value for _, values in asked for value in values]


def _found(row: Sequence[Any]) -> FoundCall:
    number, call, flow, channel, caller, called, placed, started, ended, state, outcome = row
    return FoundCall(
        number, str(call), flow or "", str(channel), caller, called or "", bool(placed), min(max(started, 0.0), LATEST),
        ended, state or "", outcome,
    )  # fmt: skip
