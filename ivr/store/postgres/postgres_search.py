"""Calls looked up, and counted over time, in a database that several servers share.

All that is looked for stands in the row of a call, so no turn is read. A look reads the rows of so many calls, and no
further index is kept, which each turn would have to change.
"""

from collections.abc import Sequence
from typing import Final

from ivr.call_search import LIVE, NO_OUTCOME, UNWRITTEN, CallsInTime, FoundCall, FoundCalls, WantedCalls, as_compared
from ivr.storage import Block
from ivr.store.call_listing import NEWEST, rows_of
from ivr.store.postgres.postgres_pool import LONG, PostgresPool
from ivr.store.postgres.postgres_text import can_stand

SKEW: Final = 60.0
"Seconds by which the clocks of two servers may differ: calls are numbered in another order than by their times."


def _row_at(moment: str) -> str:
    """Return the SQL for the row with which a time begins; NULL: nothing came in then or later."""
    return f"(SELECT min(row) FROM (SELECT row FROM call WHERE started >= {moment} ORDER BY started LIMIT 100) AS at)"  # noqa: S608


def _has(column: str) -> str:
    """Return the SQL for whether a number is part of a column, both as `as_compared` has them."""
    return f"strpos(translate(lower({column} COLLATE \"C\"), '{UNWRITTEN}', ''), $6) > 0"


_KIND: Final = f"CASE WHEN ended IS NULL THEN '{LIVE}' ELSE coalesce(nullif(outcome, ''), '{NO_OUTCOME}') END"
_FOUND: Final = f"""
WITH looked AS MATERIALIZED (
    SELECT row, id, flow, channel, caller, called, placed, started, ended, state, outcome FROM call
    WHERE row < least($1, coalesce({_row_at(f"$3 + {SKEW}")}, $1))
    AND row >= coalesce({_row_at(f"$2 - {SKEW}")}, $1) AND started >= $2 AND started < $3
    ORDER BY row DESC LIMIT $4
)
SELECT (SELECT min(row) FROM looked), (SELECT count(*) FROM looked), found.* FROM (SELECT) AS one LEFT JOIN (
    SELECT * FROM looked WHERE ($6 = '' OR {_has("caller")} OR {_has("called")})
    AND ($7::text[] IS NULL OR flow = ANY($7)) AND ($8 = '' OR channel = $8) AND ($9 = '' OR state = $9)
    AND ($10 = '' OR {_KIND} = $10) ORDER BY row DESC LIMIT $5
) AS found ON true ORDER BY found.row DESC
"""  # noqa: S608  # our own text
_FLOWS: Final = "SELECT hash FROM flow ORDER BY hash"
_OVER_TIME: Final = f"""
SELECT flow, trunc(started / $3::double precision)::bigint, {_KIND}, count(*),
    sum(CASE WHEN ended IS NULL THEN 0.0 ELSE greatest(ended - started, 0.0) END)
FROM call WHERE row BETWEEN $1 AND $2 GROUP BY 1, 2, 3
"""  # noqa: S608


class PostgresSearch:
    """`CallSearch`."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def search(self, wanted: WantedCalls, *, before: int | None, limit: int, look: int) -> FoundCalls:
        """Look at calls before a row (None: at the newest), at `look` of them at most, until `limit` are found."""
        number = as_compared(wanted.number)
        if not all(map(can_stand, (number, wanted.channel, wanted.state, wanted.outcome))):
            return FoundCalls([], 0, None)
        rows = await self._pool.rows(
            _FOUND,
            NEWEST if before is None else before,
            float("-inf") if wanted.since is None else wanted.since,
            float("inf") if wanted.until is None else wanted.until,
            look,
            limit,
            number,
            None if wanted.flows is None else sorted(wanted.flows),
            wanted.channel,
            wanted.state,
            wanted.outcome,
            patience=LONG,
        )
        last, looked = rows[0][:2]
        found = [FoundCall(*columns) for _, _, *columns in map(tuple, rows) if columns[0] is not None]
        if len(found) == limit:
            return FoundCalls(found, looked, found[-1].row)
        return FoundCalls(found, looked, last if looked == look else None)

    async def flows(self) -> Sequence[str]:
        """Return the hashes of all flows that calls may name."""
        return [row[0] for row in await self._pool.rows(_FLOWS)]

    async def over_time(self, block: Block, width: float) -> Sequence[CallsInTime]:
        """Count the calls of a block by stretches of so many seconds. Reads no trace."""
        return [CallsInTime(*row) for row in await self._pool.rows(_OVER_TIME, *rows_of(block), width, patience=LONG)]
