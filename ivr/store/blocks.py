"""Calls by the thousand, to be counted: in blocks, so that what has not changed need not be read again.

It only reads, in a thread beside the writer's. Rows are numbered in the order in which calls came in.
"""

import itertools
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeAlias, TypeVar

from msgspec import Struct

from ivr.errors import UnreadableRow
from ivr.ports import Stepped
from ivr.store.read_only import Reader
from ivr.store.rows import read_trace
from ivr.store.tables import BLOCK, LATEST_TURN, of_state

T = TypeVar("T")

CallTrace: TypeAlias = tuple[str | None, Sequence[Stepped]]
"How a call ended (None: it has not, empty: without an outcome), and its trace."

# Cast, since what is damaged may be a text where a number belongs.
_STARTED = f"CAST(coalesce({of_state('facts.started')}, 0.0) AS REAL)"
_FLOW = f"CAST({of_state('flow')} AS TEXT)"
_OUTCOME = f"CAST(coalesce({of_state('outcome')}, '') AS TEXT)"


class Block(Struct, frozen=True):
    """`BLOCK` calls in a row, some 50 ms to read, traces included. Two that are equal hold the same."""

    number: int
    first: int
    "The first call of it that is wanted."
    changes: int
    "How often something of it has changed: each commit of a call counts."
    members: int
    "How often a call has come or gone."

    @property
    def taken(self) -> tuple[int, int, int]:
        """What two blocks have in common if the same flows took their calls."""
        return self.number, self.first, self.members

    @property
    def rows(self) -> tuple[int, int]:
        """The first row, and the last one that may be there."""
        return self.first, (self.number + 1) * BLOCK - 1


class FlowCalls(Struct, frozen=True):
    """The calls of a block that one version of a flow took."""

    flow: str
    "Its hash."
    calls: int
    last: float
    "When the last of them came in, in seconds since 1970."


class CallBlocks:
    """All calls of one database; every question raises StoreUnavailable."""

    def __init__(self, reader: Reader) -> None:
        """Ask by `reader`, which is for this alone: counting keeps it busy."""
        self._reader = reader

    async def since(self, moment: float) -> Sequence[Block]:
        """Return the calls that came in since then, the newest block first. Reads a row for each block, no trace."""
        return await self._reader.read(partial(_find_blocks, since=moment))

    async def flows(self, block: Block) -> Sequence[FlowCalls]:
        """Return which flows took the calls of a block."""
        return await self._reader.read(partial(_find_flows, block=block))

    async def count(self, block: Block, flow: str, count: Callable[[Iterable[CallTrace]], T]) -> T:
        """Return what `count`, in the reader's thread, makes of those calls of a block that a flow took."""
        return await self._reader.read(lambda connection: count(_traces(connection, block, flow)))


def _find_blocks(connection: sqlite3.Connection, since: float) -> Sequence[Block]:
    first = _first_row(connection, since)
    found = connection.execute(
        "SELECT number, max(number * ?, ?), changes, members FROM block WHERE number >= ? ORDER BY number DESC",
        (BLOCK, first, first // BLOCK),
    )
    return [Block(*row) for row in found]


def _find_flows(connection: sqlite3.Connection, block: Block) -> Sequence[FlowCalls]:
    found = connection.execute(
        f"SELECT {_FLOW}, count(*), max({_STARTED}) FROM call "  # noqa: S608  # our own text
        f"CROSS JOIN turn ON {LATEST_TURN} WHERE row BETWEEN ? AND ? GROUP BY 1",
        block.rows,
    )
    return [FlowCalls(flow, calls, last) for flow, calls, last in found if flow is not None]


def _traces(connection: sqlite3.Connection, block: Block, flow: str) -> Iterator[CallTrace]:
    turns = connection.execute(
        f"SELECT row, outcome, trace FROM (SELECT row, iif(ended IS NULL, NULL, {_OUTCOME}) AS outcome "  # noqa: S608
        f"FROM call CROSS JOIN turn ON {LATEST_TURN} WHERE row BETWEEN ? AND ? AND {_FLOW} = ?) "
        "CROSS JOIN turn ON turn.call = row ORDER BY row, seq",
        (*block.rows, flow),
    )
    for (_, ended), call in itertools.groupby(turns, key=lambda turn: (turn[0], turn[1])):
        try:
            trace = [line for _, _, lines in call for line in read_trace(lines)]
        except UnreadableRow:  # `ivr calls damaged` names it; the others are counted
            continue
        yield ended, trace


def _first_row(connection: sqlite3.Connection, since: float) -> int:
    """Find the first call since then, by halving."""
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
