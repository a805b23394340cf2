"""Leases, counts and uploads of all servers on one database. Their time is the database's: servers' clocks differ."""

from collections.abc import Callable, Mapping
from math import inf
from typing import Final

from ivr.coordination import Bound, LeaseKind
from ivr.store.postgres.postgres_pool import PostgresPool

# Some of those that are over go by the way, not the one that is taken: no row is changed twice in one statement.
_LEASE: Final = """
WITH gone AS (
    DELETE FROM lease WHERE ctid IN (
        SELECT ctid FROM lease WHERE until <= clock_timestamp() AND (kind, name) <> ($1, $2)
        LIMIT 16 FOR UPDATE SKIP LOCKED
    )
)
INSERT INTO lease (kind, name, owner, until) VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => $4))
ON CONFLICT (kind, name) DO UPDATE SET owner = excluded.owner, until = excluded.until
    WHERE lease.owner = excluded.owner OR lease.until <= clock_timestamp()
RETURNING owner
"""
_LEASED: Final = "SELECT FROM lease WHERE kind = $1 AND name = $2 AND until > clock_timestamp()"
_RELEASE: Final = "DELETE FROM lease WHERE kind = $1 AND name = $2 AND owner = $3"

# Who counts waits for the others first, and looks only then: a statement sees nothing that came after it began.
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
_FORGET: Final = "DELETE FROM tally WHERE until <= clock_timestamp()"
_COUNT: Final = "SELECT count(*) FROM tally WHERE kind = $1 AND who = $2 AND until > clock_timestamp()"
_ADD: Final = "INSERT INTO tally (kind, who, until) VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))"

_TELL: Final = """
WITH gone AS (
    DELETE FROM upload
    WHERE (owner = $1 AND NOT call = ANY($2::text[])) OR (owner <> $1 AND until <= clock_timestamp())
)
INSERT INTO upload (owner, call, began, until)
SELECT $1, told.call, told.began, clock_timestamp() + make_interval(secs => $4)
FROM unnest($2::text[], $3::double precision[]) AS told (call, began)
ON CONFLICT (owner, call) DO UPDATE SET began = excluded.began, until = excluded.until
"""
_UPLOADING: Final = (
    "SELECT FROM upload WHERE call = ANY($1::text[]) AND began < $2 AND until > clock_timestamp() LIMIT 1"
)


class PostgresCoordination:
    """`Coordination`."""

    alone = False

    def __init__(self, pool: PostgresPool, *, steady_for: Callable[[], float] = lambda: inf) -> None:
        """`steady_for` says for how many seconds the database was there without a break."""
        self._pool = pool
        self._steady_for = steady_for

    @property
    def steady_for(self) -> float:
        """Seconds for which the database was there without a break, as this server knows."""
        return self._steady_for()

    async def lease(self, kind: LeaseKind, name: str, *, owner: str, lasts: float) -> bool:
        """Take something for so many seconds, or keep what one has; False: it is another owner's."""
        return await self._pool.row(_LEASE, kind, name, owner, lasts) is not None

    async def leased(self, kind: LeaseKind, name: str) -> bool:
        """Return whether somebody has it."""
        return await self._pool.row(_LEASED, kind, name) is not None

    async def release(self, kind: LeaseKind, name: str, *, owner: str) -> None:
        """Let go of what one has."""
        await self._pool.rows(_RELEASE, kind, name, owner)

    async def is_full(self, bound: Bound, who: str) -> bool:
        """Return whether somebody has done it as often as it may be done."""
        return bool(await self._pool.value(_COUNT, bound.kind, who) >= bound.most)

    async def count(self, bound: Bound, who: str) -> bool:
        """Note that somebody does it; False: it is not noted, since it may not be done once more."""
        async with self._pool.transaction() as connection:
            await connection.execute(_LOCK, f"{bound.kind} {who}")
            if await connection.fetchval(_COUNT, bound.kind, who) >= bound.most:
                return False
            await connection.execute(_FORGET)
            await connection.execute(_ADD, bound.kind, who, bound.window)
            return True

    async def tell_uploads(self, owner: str, uploads: Mapping[str, float], *, lasts: float) -> None:
        """Note which uploads a server has under way, instead of what it told before."""
        await self._pool.rows(_TELL, owner, list(uploads), list(uploads.values()), lasts)

    async def uploading(self, call: str, *, before: float) -> bool:
        """Return whether an upload that began before then may be this call's."""
        return await self._pool.row(_UPLOADING, ["", call], before) is not None
