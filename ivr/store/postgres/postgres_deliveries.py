"""What is delivered to others, in a database that several servers share: a turn adds rows, one of the servers has each.

What a server has taken carries its name. Where a server is gone, so that the database names it no longer, what it had
taken is due again; that is looked for now and then, since the lease of a delivery is long.
"""

import secrets
import time
from collections.abc import Sequence
from typing import Final, Generic, TypeVar

from ivr.errors import StoreUnavailable
from ivr.outbox import DeliveryState, Notification, PlatformRequest
from ivr.store.delivery_columns import NOTIFICATION_COLUMNS, REQUEST_COLUMNS, UNREADABLE, DeliveryColumns
from ivr.store.postgres.postgres_pool import PostgresPool
from ivr.store.postgres.postgres_replica import GONE

D = TypeVar("D", bound=Notification | PlatformRequest)

LOOK: Final = 2.0
"Seconds between two looks for what servers had taken that are gone."

_COLUMNS = "id, body, made, state, due, tries, reason"
_FIRST = (
    "(one.lane = '' OR NOT EXISTS (SELECT FROM {table} AS earlier "
    "WHERE earlier.state = 'waiting' AND earlier.lane = one.lane AND earlier.seq < one.seq))"
)
"That a row waits for no other."
# Two servers that look at the same time take different rows: what one has locked, or has taken a moment ago, the other
# passes over. Of a lane it has not seen the first row leave, so it takes none of the later ones.
_CLAIM = (
    "WITH taken AS MATERIALIZED (SELECT id FROM {table} AS one WHERE state = 'waiting' AND due <= $3 AND {first} "
    "ORDER BY due, seq LIMIT $4 FOR UPDATE SKIP LOCKED) "
    "UPDATE {table} AS one SET owner = $1, due = $2, tries = tries + 1 FROM taken WHERE one.id = taken.id "
    "RETURNING seq, one.id, body, made, state, due, tries, reason"
)
_SETTLE = (
    "UPDATE {table} SET state = $2, due = $3, reason = $4, owner = NULL, "
    "body = CASE $2 WHEN 'sent' THEN '' ELSE body END WHERE id = $1 AND state = 'waiting'"
)
_REOPEN = (
    "UPDATE {table} SET owner = NULL, due = made, reason = '' "
    "WHERE owner IS NOT NULL AND {gone} AND split_part(owner, '/', 1) <> $1"
)
_GIVE_BACK = "UPDATE {table} SET owner = NULL, due = made, reason = '' WHERE owner = ANY($1)"
# Of one that is being sent, the worker has the word: else another would send it, too.
_RETRY = (
    "UPDATE {table} SET state = 'waiting', due = CASE WHEN owner IS NULL THEN $2 ELSE due END, made = $2, tries = 0, "
    "reason = '' WHERE id = $1 AND state <> 'sent' RETURNING 1"
)
_DROP = "DELETE FROM {table} WHERE id = $1 AND state <> 'sent' RETURNING 1"
_FIRST_DUE = "SELECT due FROM {table} AS one WHERE state = 'waiting' AND {first} ORDER BY due, seq LIMIT 1"
_ONE = "SELECT {columns} FROM {table} WHERE id = $1"
_NEWEST = "SELECT {columns} FROM {table} ORDER BY seq DESC LIMIT $1"
_NEWEST_OF_STATE = "SELECT {columns} FROM {table} WHERE state = $1 ORDER BY seq DESC LIMIT $2"
_COUNT = "SELECT count(*) FROM {table} WHERE state = $1"


class PostgresDeliveries(Generic[D]):
    """`Deliveries` of one table."""

    def __init__(
        self, pool: PostgresPool, table: str, columns: DeliveryColumns[D], *, replica: str, kept: bool
    ) -> None:
        """`replica` is the name of this server; empty: a command. `kept`: whether a row stays once it is sent."""
        self._pool = pool
        self._table = table
        self._columns = columns
        self._replica = replica
        self._kept = kept
        self._looked = time.monotonic()
        self._unsure: list[str] = []
        "Under which names something may have been taken by looks that were not answered."

    async def claim(self, owner: str, *, now: float, lease: float, limit: int) -> Sequence[D]:
        """Hand out what is due, each to one worker at a time; the try is counted before this returns."""
        if time.monotonic() - self._looked >= LOOK:
            await self.reopen()
        if self._unsure:
            await self._pool.rows(self._sql(_GIVE_BACK), self._unsure)
            self._unsure = []
        name = f"{self._replica}/{owner}/{secrets.token_hex(8)}"
        try:
            rows = await self._pool.rows(self._sql(_CLAIM), name, now + lease, now, limit)
        except StoreUnavailable:
            self._unsure.append(name)
            raise
        taken, damaged = self._columns.sorted_out([row[1:] for row in sorted(map(tuple, rows))])
        for one in damaged:
            await self.settle(one, "dead", at=now, reason=UNREADABLE)
        return taken

    async def settle(self, delivery: str, state: DeliveryState, *, at: float, reason: str = "") -> None:
        """Note what became of a try."""
        if state == "sent" and not self._kept:
            await self._pool.rows(self._sql(_DROP), delivery)
        else:
            await self._pool.rows(self._sql(_SETTLE), delivery, state, at, reason)

    async def reopen(self) -> None:
        """Make due again what was handed out to servers that are gone."""
        self._looked = time.monotonic()
        await self._pool.rows(self._sql(_REOPEN), self._replica)

    async def next_due(self) -> float | None:
        """Return when the next one is due; None: none waits."""
        due: float | None = await self._pool.value(self._sql(_FIRST_DUE))
        return due

    async def count(self, state: DeliveryState) -> int:
        """Count those of a state."""
        return int(await self._pool.value(self._sql(_COUNT), state))

    async def get(self, delivery: str) -> D | None:
        """Return one by its name; raise UnreadableRow."""
        found = await self._pool.row(self._sql(_ONE), delivery)
        return self._columns.read(tuple(found)) if found else None

    async def list(self, state: DeliveryState | None = None, *, limit: int) -> Sequence[D]:
        """Return the newest ones, of one state or of all, the newest first."""
        if state is None:
            rows = await self._pool.rows(self._sql(_NEWEST), limit)
        else:
            rows = await self._pool.rows(self._sql(_NEWEST_OF_STATE), state, limit)
        return [self._columns.readable(tuple(row)) for row in rows]

    async def retry(self, delivery: str, *, now: float) -> bool:
        """Make one that waits or is dead due, with its time and tries counted anew; False: there is none."""
        return await self._pool.value(self._sql(_RETRY), delivery, now) is not None

    async def drop(self, delivery: str) -> bool:
        """Forget one that waits or is dead; False: there is none."""
        return await self._pool.value(self._sql(_DROP), delivery) is not None

    async def close(self) -> None:
        """Do nothing: whoever opened the database closes it."""

    def _sql(self, statement: str) -> str:
        return statement.format(table=self._table, columns=_COLUMNS, first=_FIRST.format(table=self._table), gone=GONE)


class PostgresOutbox(PostgresDeliveries[Notification]):
    """`Outbox`."""

    def __init__(self, pool: PostgresPool, *, replica: str = "") -> None:
        super().__init__(pool, "notification", NOTIFICATION_COLUMNS, replica=replica, kept=True)


class PostgresPlatformRequests(PostgresDeliveries[PlatformRequest]):
    """`PlatformRequests`."""

    def __init__(self, pool: PostgresPool, *, replica: str = "") -> None:
        super().__init__(pool, "platform_request", REQUEST_COLUMNS, replica=replica, kept=False)
