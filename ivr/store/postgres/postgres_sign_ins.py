"""Sign-ins in a database that several servers share: each change compares the version that it was made from."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec.structs import replace

from ivr.sign_in_storage import Attempt, SignIn, Watched, digests_of, due_at
from ivr.store.postgres.postgres_pool import PostgresPool
from ivr.store.sign_in_columns import SignInColumns

# A call whose erasure is under way is waited for, so that nothing slips in behind it.
_ADD: Final = (
    "INSERT INTO sign_in (call, id, body, due, digests) "
    "SELECT row, $2, $3, $4, $5 FROM call WHERE call.id = $1 FOR KEY SHARE"
)
_COLUMNS: Final = "sign_in.id, sign_in.body, sign_in.tokens, sign_in.version"
_GET: Final = f"SELECT {_COLUMNS} FROM sign_in WHERE id = $1"  # noqa: S608  # no value
_KNOWN: Final = f"SELECT {_COLUMNS} FROM sign_in WHERE digests @> ARRAY[$1]"  # noqa: S608
_OF_CALL: Final = (
    f"SELECT {_COLUMNS} FROM sign_in JOIN call ON call.row = sign_in.call "  # noqa: S608
    "WHERE call.id = $1 ORDER BY sign_in.seq"
)
_COUNT: Final = "SELECT count(*) FROM sign_in"
_CHANGE: Final = (
    "UPDATE sign_in SET body = $3, tokens = $4, due = $5, digests = $6, version = version + 1 "
    "WHERE id = $1 AND version = $2 RETURNING version"
)
_COPIED: Final = f"SELECT {_COLUMNS} FROM sign_in WHERE due = '-infinity' LIMIT 500"  # noqa: S608
_INDEX: Final = "UPDATE sign_in SET due = $2, digests = $3 WHERE id = $1 AND due = '-infinity'"
_ERASE: Final = "DELETE FROM sign_in WHERE id = ANY($1::text[])"
_WATCHED: Final = (
    f"SELECT {_COLUMNS}, call.due IS NULL FROM sign_in LEFT JOIN call ON call.row = sign_in.call "  # noqa: S608
    "WHERE call.due IS NULL OR sign_in.due <= $1 ORDER BY sign_in.seq LIMIT 500"
)

COPIED: Final = float("-inf")
"""When one that a copy has brought is due, until a server has read it: what else its row says of it is sealed, and who
copies need not have the key."""


class PostgresSignIns:
    """`SignInStore`."""

    def __init__(self, pool: PostgresPool, *, key: bytes) -> None:
        """`key` seals them, and is derived from that of the store."""
        self._pool = pool
        self._columns = SignInColumns(key)

    async def index_copied(self) -> None:
        """Have those that a copy has brought found by their digests, and when they are due; others, too, may do so."""
        while copied := await self._pool.rows(_COPIED):
            for row in copied:
                sign_in = self._columns.read(row[0], row[1], row[2])
                found = (0.0, []) if sign_in is None else (due_at(sign_in), digests_of(sign_in.attempt))
                await self._pool.rows(_INDEX, row[0], *found)

    async def add(self, attempt: Attempt) -> None:
        """Keep a new attempt; nothing where there is no such call."""
        sign_in = SignIn(attempt)
        body, _ = self._columns.written(sign_in)
        await self._pool.rows(_ADD, attempt.call, attempt.id, body, due_at(sign_in), digests_of(attempt))

    async def get(self, attempt: str) -> SignIn | None:
        """Return an attempt by its id; None: there is none."""
        return self._first(await self._pool.rows(_GET, attempt))

    async def known(self, digest: str) -> SignIn | None:
        """Return the attempt that has this digest."""
        return self._first(await self._pool.rows(_KNOWN, digest))

    async def of_call(self, call: str) -> Sequence[SignIn]:
        """Return the attempts of a call, the oldest first."""
        found = [self._read(row) for row in await self._pool.rows(_OF_CALL, call)]
        return [one for one in found if one is not None]

    async def count(self) -> int:
        """Count all that there are."""
        return int(await self._pool.value(_COUNT))

    async def change(self, before: SignIn, after: SignIn) -> SignIn | None:
        """Keep `after` in the place of `before`, both or neither of its parts; None: it is as before no longer."""
        name, digests = before.attempt.id, digests_of(after.attempt)
        body, tokens = self._columns.written(after)
        version = await self._pool.value(_CHANGE, name, before.version, body, tokens, due_at(after), digests)
        return None if version is None else replace(after, version=version)

    async def erase(self, attempts: Sequence[str]) -> None:
        """Erase attempts with their tokens, by their ids; they need not be there."""
        await self._pool.rows(_ERASE, list(attempts))

    async def watched(self, now: float) -> Sequence[Watched]:
        """Return those of calls that are over, and those that are due by then; 500 at a time."""
        rows = await self._pool.rows(_WATCHED, now)
        found = [(self._read(row), row[4]) for row in rows]
        return [Watched(sign_in, over) for sign_in, over in found if sign_in is not None]

    def _first(self, rows: Sequence[Any]) -> SignIn | None:
        return self._read(rows[0]) if rows else None

    def _read(self, row: Any) -> SignIn | None:
        sign_in = self._columns.read(row[0], row[1], row[2])
        return None if sign_in is None else replace(sign_in, version=row[3])
