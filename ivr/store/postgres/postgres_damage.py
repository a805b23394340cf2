"""Calls of which something stored cannot be read. Whoever loads one is told so; a command finds all of them.

One damaged call must not keep the others from being served. Its rows stay as they are, until an operator has looked at
them and erases it.
"""

import asyncio
import itertools
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final

from ivr.errors import DataUnusable, UnreadableRow
from ivr.storage import DamagedCallRow
from ivr.store.call_reading import StoredCallRow, check_turns, damaged_row, read_call, read_order
from ivr.store.postgres.postgres_pool import LONG, PostgresPool
from ivr.store.rows import Rows

_CALLS: Final = (
    "SELECT row, id, channel, account, name, ended, call.version, turn.version, message, reply, marks, turn.state, "
    "rest, trace, media FROM (SELECT * FROM call WHERE row > $1 ORDER BY row LIMIT $2) AS call LEFT JOIN LATERAL ("
    "SELECT version, message, reply, marks, rest, trace, media, "
    "CASE WHEN lead(version) OVER (ORDER BY version) IS NULL THEN turn.state END AS state "
    "FROM turn WHERE turn.month = call.month AND turn.call = call.row) AS turn ON true ORDER BY row, turn.version"
)
_ORDERS: Final = "SELECT call, body, attempts, answer FROM job WHERE call = ANY($1) ORDER BY call, asked"


async def find_damaged(
    pool: PostgresPool, after: int, limit: int, rows: Rows | None
) -> tuple[list[DamagedCallRow], int]:
    """Look at so many calls after a row, finished ones and traces included, and return the row of the last of them.

    Returns those of which something cannot be read. Without `rows`, sealed values are not opened.
    """
    turns = [tuple(turn) for turn in await pool.rows(_CALLS, after, limit, patience=LONG)]
    found = await pool.rows(_ORDERS, sorted({turn[0] for turn in turns}), patience=LONG)
    orders = [tuple(order) for order in found]
    return await asyncio.to_thread(_damaged, rows, turns, orders), turns[-1][0] if turns else after


def _damaged(
    rows: Rows | None, turns: Sequence[Sequence[Any]], orders: Sequence[Sequence[Any]]
) -> list[DamagedCallRow]:
    orders_of = {row: list(group) for row, group in itertools.groupby(orders, key=itemgetter(0))}
    found = []
    for row, group in itertools.groupby(turns, key=itemgetter(0)):
        call = list(group)
        stored = StoredCallRow(*call[0][:6])
        try:
            _read_all(rows, stored, call, orders_of.get(row, ()))
        except DataUnusable as error:
            found.append(damaged_row(stored, error))
    return found


def _read_all(
    rows: Rows | None, stored: StoredCallRow, turns: Sequence[Sequence[Any]], orders: Sequence[Sequence[Any]]
) -> None:
    """Read whatever is stored of a call; raise DataUnusable."""
    read_call(rows, stored, [turn[8:13] for turn in turns])
    for _, body, attempts, answer in orders:
        read_order(rows, stored.id, body, attempts, answer)
    check_turns(stored.id, ((rest, trace, media) for *_, rest, trace, media in turns))
    if turns[-1][7] != turns[-1][6]:
        raise UnreadableRow("its last turn is missing")
