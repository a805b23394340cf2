"""Calls by the thousand, to be counted: in blocks, so that what has not changed need not be read again.

Rows are numbered nearly in the order in which calls came in; `BLOCK` of them in a row are a block. No row counts what
changes in a block, since all turns would wait for it: it is summed up when it is asked for.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from ivr.storage import Block, CallTrace, FlowCalls
from ivr.store.call_listing import call_traces, rows_of
from ivr.store.live import BLOCK
from ivr.store.postgres.postgres_pool import LONG, PostgresPool

T = TypeVar("T")

# Two servers may number two calls in one order, and write down their times in the other: some of the earliest are
# looked at. The clock of one server may be wrong, so that no single time is trusted.
_FIRST_ROW: Final = (
    "SELECT coalesce((SELECT max(row) + 1 FROM call WHERE row < earliest), 0) FROM (SELECT min(row) AS earliest FROM "
    "(SELECT row FROM call WHERE started >= $1 ORDER BY started LIMIT 100) AS first) AS one WHERE earliest IS NOT NULL"
)
# The sum of squares stands for which calls there are: one that comes late does not make up for one that goes.
_BLOCKS: Final = (
    "SELECT row / $1::bigint AS number, sum(version)::bigint, "
    "(sum((row % $1 + 1) * (row % $1 + 1)) * ($1 + 1) + count(*))::bigint "
    "FROM call WHERE row >= $2 GROUP BY 1 ORDER BY 1 DESC"
)
_FLOWS: Final = "SELECT flow, count(*), max(started) FROM call WHERE row BETWEEN $1 AND $2 GROUP BY 1 ORDER BY 1"
_TRACES: Final = (
    "SELECT call.row, CASE WHEN ended IS NULL THEN NULL ELSE coalesce(outcome, '') END, turn.trace "
    "FROM (SELECT * FROM call WHERE row BETWEEN $1 AND $2 AND flow = $3 OFFSET 0) AS call CROSS JOIN LATERAL "
    "(SELECT version, trace FROM turn WHERE turn.month = call.month AND turn.call = call.row OFFSET 0) AS turn "
    "ORDER BY call.row, turn.version"
)


async def find_blocks(pool: PostgresPool, since: float) -> Sequence[Block]:
    """Find the calls that came in since then, the newest block first; read a row of each call."""
    first = await pool.value(_FIRST_ROW, since)
    if first is None:
        return []
    rows = await pool.rows(_BLOCKS, BLOCK, first // BLOCK * BLOCK, patience=LONG)
    return [Block(number, max(number * BLOCK, first), changes, members) for number, changes, members in rows]


async def find_flows(pool: PostgresPool, block: Block) -> Sequence[FlowCalls]:
    """Find which flows took the calls of a block."""
    return [FlowCalls(*row) for row in await pool.rows(_FLOWS, *rows_of(block), patience=LONG)]


async def count_traces(pool: PostgresPool, block: Block, flow: str, count: Callable[[Iterable[CallTrace]], T]) -> T:
    """Return what `count`, in a thread, makes of the traces of those calls of a block that a flow took."""
    turns = await pool.rows(_TRACES, *rows_of(block), flow, patience=LONG)
    return await asyncio.to_thread(lambda: count(call_traces((row, ended, trace) for row, ended, trace in turns)))
