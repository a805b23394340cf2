"""Erasing calls in a database that servers use meanwhile: all rows of each, its recordings too, in one transaction.

Each begins with the rows of the calls themselves, locked: a turn that is under way waits for them, and finds no call
then. Whoever writes something of a call beside a turn reads its row with a lock of its own, so that nothing slips in.

Of a month all of whose calls are to be forgotten, the turns are not deleted one by one: their table is dropped once the
last of its calls is gone.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from ivr.errors import StoreUnavailable, UnreadableRow
from ivr.storage import ErasedCall, Erasure
from ivr.store.call_listing import time_of
from ivr.store.postgres.postgres_news import CHANNEL
from ivr.store.postgres.postgres_pool import Connection, PostgresPool
from ivr.store.postgres.postgres_schema import month_of, proves, table_of
from ivr.store.postgres.postgres_text import standing
from ivr.store.rows import read_place
from ivr.store.sealing import Sealer

if TYPE_CHECKING:
    import asyncpg

ERASING: Final = 600.0
"Seconds that erasing somebody may take: all calls at once, or none."

OF_CALL: Final = ("job", "notification", "platform_request", "sign_in", "mail", "handled")
"The tables with rows that belong to a call by its number (`call`), beside that of turns."

_COLUMNS: Final = "row, id, month, version, started"
_OF_CALLER: Final = f"SELECT {_COLUMNS} FROM call WHERE party = $1 ORDER BY row FOR UPDATE"  # noqa: S608  # our own
_OF_ID: Final = f"SELECT {_COLUMNS} FROM call WHERE id = $1 FOR UPDATE"  # noqa: S608
# What another server is forgetting right now is left to it.
_ENDED: Final = f"SELECT {_COLUMNS} FROM call WHERE ended < $1 ORDER BY ended LIMIT $2 FOR UPDATE SKIP LOCKED"  # noqa: S608
_UNREAD: Final = "SELECT count(*) FROM call WHERE flow = ''"
"Calls of which not even a copy could read the state: their caller is not known."

_RECORDINGS: Final = """
SELECT call, media, coalesce(length(audio), (SELECT size FROM recording WHERE name = media)) FROM turn
WHERE month = $1 AND call = ANY($2) AND media IS NOT NULL ORDER BY call, version
"""
_LAST: Final = """
SELECT call, rest FROM turn JOIN unnest($2::bigint[], $3::integer[]) AS last (call, version) USING (call, version)
WHERE month = $1
"""
_DROP_RECORDINGS: Final = """
WITH gone AS (SELECT media FROM turn WHERE month = $1 AND call = ANY($2) AND media IS NOT NULL),
chunks AS (DELETE FROM recording_chunk WHERE name IN (SELECT media FROM gone))
DELETE FROM recording WHERE name IN (SELECT media FROM gone)
"""
_DROP_TURNS: Final = "DELETE FROM turn WHERE month = $1 AND call = ANY($2)"
_VALUES: Final = "WITH gone AS (DELETE FROM user_value WHERE caller = $1 RETURNING 1) SELECT count(*) FROM gone"
_ALL_VALUES: Final = "SELECT count(*) FROM user_value"
_TELL: Final = f"SELECT pg_notify('{CHANNEL}', 'erased ' || call) FROM unnest($1::text[]) AS call"  # noqa: S608

_TABLES: Final = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'turn'::regclass"
_OVER: Final = """
SELECT month FROM unnest($1::integer[]) AS month
WHERE NOT EXISTS (SELECT FROM call WHERE call.month = month.month AND (ended IS NULL OR ended >= $2))
"""
_EMPTY: Final = """
SELECT month FROM unnest($1::integer[]) AS month WHERE NOT EXISTS (SELECT FROM call WHERE call.month = month.month)
"""


class PostgresErasure:
    """What `Archive` promises of erasing."""

    def __init__(self, pool: PostgresPool, sealer: Sealer) -> None:
        """`sealer` tells whose values are whose, if it has the right key."""
        self._pool = pool
        self._sealer = sealer

    async def forget(self, *, before: float, limit: int) -> Sequence[ErasedCall]:
        """Erase calls that ended before then (seconds since 1970), at most so many, those that ended first.

        By one server or by several at once; raises StoreUnavailable if nothing was erased.
        """
        async with self._pool.transaction() as connection:
            found = await connection.fetch(_ENDED, before, limit)
            over = await self._over(connection, {one["month"] for one in found}, before)
            erased = await _erase(connection, found, dropped_later=over)
        if len(found) < limit:
            await self._drop_months(before)
        return erased

    async def erase(self, *, caller: str | None = None, call: str | None = None) -> Erasure:
        """Erase a caller (all calls, and what is kept beyond them) or the one call with our id, all or nothing."""
        which, value = (_OF_ID, standing(call)) if call is not None else (_OF_CALLER, standing(caller or ""))
        # Before: turns that wait for the rows may have all other connections.
        users = self._sealer.caller(caller) if caller is not None and await proves(self._pool, self._sealer) else None
        async with self._pool.transaction(patience=ERASING) as connection:
            found = await connection.fetch(which, value)
            erased = await _erase(connection, found)
            await connection.execute(_TELL, [one.id for one in erased])
            unread = await connection.fetchval(_UNREAD)
            values = await connection.fetchval(_VALUES, users) if users is not None else 0
            unknown = await connection.fetchval(_ALL_VALUES) if caller is not None and users is None else 0
        return Erasure(erased, unread=unread, values=values, unknown_values=unknown)

    async def _over(self, connection: Connection, months: set[int], before: float) -> frozenset[int]:
        """Return those of these months that have a table of their own, and no call that is to be kept."""
        earlier = [month for month in await _months(connection, before) if month in months]
        return frozenset(row[0] for row in await connection.fetch(_OVER, earlier, before))

    async def _drop_months(self, before: float) -> None:
        """Drop the tables of turns of earlier months that have no call any more; those in use, another time."""
        async with self._pool.transaction() as connection:
            empty = [row[0] for row in await connection.fetch(_EMPTY, await _months(connection, before))]
        for month in empty:
            try:
                await self._drop_month(month)
            except StoreUnavailable:
                return  # somebody reads: the next round tries it again

    async def _drop_month(self, month: int) -> None:
        async with self._pool.transaction() as connection:
            # Turns of all calls wait for as long as this waits.
            await connection.execute("SET LOCAL lock_timeout = '100ms'")
            await connection.execute(f"LOCK TABLE {table_of(month)} IN ACCESS EXCLUSIVE MODE")
            if await connection.fetch(_EMPTY, [month]):  # still, and from now on
                await connection.execute(f"DROP TABLE {table_of(month)}")


async def _erase(
    connection: Connection, found: "Sequence[asyncpg.Record]", *, dropped_later: frozenset[int] = frozenset()
) -> Sequence[ErasedCall]:
    """Erase calls whose rows are locked, and return what there was of them, in this order."""
    by_month: dict[int, list[asyncpg.Record]] = defaultdict(list)
    for one in found:
        by_month[one["month"]].append(one)
    erased: dict[int, ErasedCall] = {}
    for month, calls in by_month.items():
        erased |= await _contents(connection, month, calls)
        rows = [one["row"] for one in calls]
        await connection.execute(_DROP_RECORDINGS, month, rows)
        if month not in dropped_later:
            await connection.execute(_DROP_TURNS, month, rows)
    rows = [one["row"] for one in found]
    for table in OF_CALL if rows else ():
        await connection.execute(f"DELETE FROM {table} WHERE call = ANY($1)", rows)  # noqa: S608  # our own name
    await connection.execute("DELETE FROM call WHERE row = ANY($1)", rows)
    return [erased[row] for row in rows]


async def _contents(connection: Connection, month: int, calls: "Sequence[asyncpg.Record]") -> Mapping[int, ErasedCall]:
    """Read what there is of calls of a month."""
    rows, versions = [one["row"] for one in calls], [one["version"] for one in calls]
    recordings: dict[int, list[tuple[str, int | None]]] = defaultdict(list)
    for row, name, size in await connection.fetch(_RECORDINGS, month, rows):
        recordings[row].append((name, size))
    last = await connection.fetch(_LAST, month, rows, versions)
    lines: dict[int, int] = {row: _lines(rest) for row, rest in last}
    return {
        one["row"]: ErasedCall(
            one["id"], time_of(one["started"]), lines.get(one["row"], 0), tuple(recordings[one["row"]])
        )
        for one in calls
    }


async def _months(connection: Connection, before: float) -> Sequence[int]:
    """Return the earlier months with a table of their own."""
    limit = month_of(before)
    tables = [name for (name,) in await connection.fetch(_TABLES)]
    months = [int(digits) for name in tables if (digits := name.removeprefix("turn_")).isdigit()]
    return [month for month in months if month < limit]


def _lines(rest: bytes) -> int:
    try:
        _, lines = read_place(rest)
    except UnreadableRow:
        return 0
    return lines
