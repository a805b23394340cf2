"""What bots keep, in a database that several servers share: each write compares the tag, and no server remembers any.

What is forgotten is gone for all who ask; its pages are written over by the database's own vacuum. Their contents are
sealed, and their ids are keyed hashes.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import asyncpg

from ivr.bot_state import TOUCHED_EVERY, StateKey, StateRecord, StateTags, may_write
from ivr.errors import StateChanged, StoreUnavailable, TooManyStates
from ivr.store.postgres.postgres_pool import LONG, PostgresPool
from ivr.store.state_columns import LOOKED_AT, StateColumns, StoredState

SECOND: Final = 1_000_000_000
"In nanoseconds."

_COLUMNS = "name, tag, body, touched"
_FIND = f"SELECT {_COLUMNS} FROM bot_state WHERE name = $1"  # noqa: S608  # our own text
# Nothing is written over a tag that is not expected, nor where the new one is the old one: two servers draw them. Bots
# that have too many records are counted only where there is no record yet.
_PUT = (
    "INSERT INTO bot_state (name, app, channel, conversation, person, tag, body, touched) "
    "SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE EXISTS (SELECT FROM bot_state WHERE name = $1) "
    "OR (SELECT count(*) FROM (SELECT FROM bot_state WHERE app = $2 LIMIT $10) AS held) < $10 "
    "ON CONFLICT (name) DO UPDATE SET tag = excluded.tag, body = excluded.body, touched = excluded.touched "
    "WHERE bot_state.tag <> excluded.tag AND ($9::text IS NULL OR bot_state.tag = $9) RETURNING 1"
)
_WHY_NOT = (
    "SELECT (SELECT tag FROM bot_state WHERE name = $1) AS tag, "
    "(SELECT count(*) FROM (SELECT FROM bot_state WHERE app = $2 LIMIT $3) AS held) AS held"
)
_TOUCH = "UPDATE bot_state SET touched = $2 WHERE name = $1"
_DROP = (
    "WITH gone AS (DELETE FROM bot_state WHERE name = $1 AND ($2::text IS NULL OR tag = $2) RETURNING 1) "
    "SELECT NOT EXISTS (SELECT FROM gone) AND EXISTS (SELECT FROM bot_state WHERE name = $1)"
)
_DROP_USER = (
    f"WITH gone AS (DELETE FROM bot_state WHERE app = $1 AND channel = $2 AND person = $3 RETURNING seq, {_COLUMNS}) "  # noqa: S608
    f"SELECT {_COLUMNS} FROM gone ORDER BY seq"
)
_FORGET = (
    "WITH old AS MATERIALIZED (SELECT name FROM bot_state WHERE touched < $1 ORDER BY touched, seq LIMIT $2 "
    "FOR UPDATE SKIP LOCKED), gone AS (DELETE FROM bot_state WHERE name IN (SELECT name FROM old) RETURNING 1) "
    "SELECT count(*) FROM gone"
)
_NEWEST = f"SELECT {_COLUMNS} FROM bot_state ORDER BY seq DESC LIMIT $1"  # noqa: S608


class PostgresBotStates:
    """`BotStates`."""

    def __init__(self, pool: PostgresPool, columns: StateColumns) -> None:
        """`columns` have the key that is derived for these rows."""
        self._pool = pool
        self._columns = columns
        self._tags = StateTags()

    async def get(self, key: StateKey, *, at: int) -> StateRecord | None:
        """Return a record, which counts as used; None: there is none. Raises UnreadableRow."""
        row = await self._pool.row(_FIND, self._columns.name(key))
        if row is None:
            return None
        if at / SECOND - row["touched"] >= TOUCHED_EVERY:
            with suppress(StoreUnavailable):  # a database that takes no writes keeps nobody from reading
                await self._pool.rows(_TOUCH, row["name"], at / SECOND)
        return self._columns.read(_stored(row))

    async def put(self, key: StateKey, data: bytes, expected: str | None, *, at: int, most: int) -> StateRecord:
        """Keep data under a name, and return it with its new tag; raise StateChanged, TooManyStates."""
        while True:  # each turn of it means that somebody else has written in between
            record = StateRecord(data, self._tags.next(at))
            row = self._columns.written(key, record, at / SECOND)
            if await self._pool.row(_PUT, *row, expected, most) is not None:
                return record
            found = await self._pool.rows(_WHY_NOT, row[0], key.app, most)
            tag, held = found[0]["tag"], found[0]["held"]
            if not may_write(tag, expected):
                raise StateChanged("another tag")
            if tag is None and held >= most:
                raise TooManyStates(f"{most} records")

    async def drop(self, key: StateKey, expected: str | None) -> None:
        """Forget a record, which need not be there; raise StateChanged if it has another tag than the expected one."""
        remains = await self._pool.value(_DROP, self._columns.name(key), expected)
        if remains and expected is not None:
            raise StateChanged("another tag")

    async def drop_user(self, app: str, channel: str, user: str) -> Sequence[str]:
        """Forget all that a bot keeps of a user on a channel, but for what it keeps of conversations."""
        rows = await self._pool.rows(_DROP_USER, app, channel, self._columns.hashed(user))
        return [self._columns.shown_id(_stored(row)) for row in rows]

    async def forget(self, *, before: float, limit: int) -> int:
        """Forget records that were not used since then (seconds since 1970), and return how many: at most so many."""
        return int(await self._pool.value(_FORGET, before, limit, patience=LONG))

    async def tidy(self) -> None:
        """Do nothing: the database tidies up by itself."""


async def require_right_key(pool: PostgresPool, columns: StateColumns) -> None:
    """Raise BrokenSeal if there are rows, and another key has written them."""
    columns.require_key([_stored(row) for row in await pool.rows(_NEWEST, LOOKED_AT)])


def _stored(row: "asyncpg.Record") -> StoredState:
    return StoredState(row["name"], row["tag"], row["body"], row["touched"])
