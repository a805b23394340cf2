"""Calls by the thousand, to be counted: in blocks, so that what has not changed need not be read again.

Rows are numbered in the order in which calls came in; `BLOCK` of them in a row are a block.
"""

import sqlite3
from collections.abc import Iterator, Sequence

from ivr.storage import Block, CallTrace, FlowCalls
from ivr.store.call_listing import call_traces, rows_of
from ivr.store.live import BLOCK
from ivr.store.sqlite.tables import LATEST_TURN, of_state

# Cast, since what is damaged may be a text where a number belongs.
_STARTED = f"CAST(coalesce({of_state('facts.started')}, 0.0) AS REAL)"
_FLOW = f"CAST({of_state('flow')} AS TEXT)"
_OUTCOME = f"CAST(coalesce({of_state('outcome')}, '') AS TEXT)"


def find_blocks(connection: sqlite3.Connection, since: float) -> Sequence[Block]:
    """Find the calls that came in since then, the newest block first; read a row for each block."""
    first = first_row(connection, since)
    found = connection.execute(
        "SELECT number, max(number * ?, ?), changes, members FROM block WHERE number >= ? ORDER BY number DESC",
        (BLOCK, first, first // BLOCK),
    )
    return [Block(*row) for row in found]


def find_flows(connection: sqlite3.Connection, block: Block) -> Sequence[FlowCalls]:
    """Find which flows took the calls of a block."""
    found = connection.execute(
        f"SELECT {_FLOW}, count(*), max({_STARTED}) FROM call "  # noqa: S608  # our own text
        f"CROSS JOIN turn ON {LATEST_TURN} WHERE row BETWEEN ? AND ? GROUP BY 1",
        rows_of(block),
    )
    return [FlowCalls(flow, calls, last) for flow, calls, last in found if flow is not None]


def find_traces(connection: sqlite3.Connection, block: Block, flow: str) -> Iterator[CallTrace]:
    """Read the traces of those calls of a block that a flow took."""
    turns = connection.execute(
        f"SELECT row, outcome, trace FROM (SELECT row, iif(ended IS NULL, NULL, {_OUTCOME}) AS outcome "  # noqa: S608
        f"FROM call CROSS JOIN turn ON {LATEST_TURN} WHERE row BETWEEN ? AND ? AND {_FLOW} = ?) "
        "CROSS JOIN turn ON turn.call = row ORDER BY row, seq",
        (*rows_of(block), flow),
    )
    return call_traces(turns)


def first_row(connection: sqlite3.Connection, since: float) -> int:
    """Find the row of the first call since then, by halving; after the last one, if there is none."""
    (low, high) = connection.execute("SELECT 0, coalesce(max(row) + 1, 0) FROM call").fetchone()
    while low < high:
        middle = (low + high) // 2
        found = connection.execute(
            f"SELECT row, {_STARTED} FROM call CROSS JOIN turn ON {LATEST_TURN} "  # noqa: S608
            "WHERE row >= ? ORDER BY row LIMIT 1",
            (middle,),
        ).fetchone()
        if found is None or found[1] >= since:  # none: erased a moment ago
            high = middle
        else:
            low = found[0] + 1
    return int(low)
