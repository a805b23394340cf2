"""Erasing what bots keep, of one user or of all, beside the servers or without one.

What the database still holds of rows that are gone, in free pages, its log and its copies, is sealed.
"""

from typing import Final

from ivr.bot_state import ErasedStates
from ivr.errors import DataUnusable
from ivr.store.postgres.postgres_bot_state import require_right_key
from ivr.store.postgres.postgres_pool import LONG, PostgresPool
from ivr.store.postgres.postgres_schema import proves
from ivr.store.sealing import Sealer
from ivr.store.state_columns import PURPOSE, StateColumns

# Those of a conversation that has the user's own id are the user's, too: so some channels call a conversation of two.
_WHOSE: Final = "WHERE $1::text IS NULL OR person = $1 OR (conversation = $1 AND person = '')"
_COUNT: Final = f"SELECT count(*) FROM bot_state {_WHOSE}"  # noqa: S608  # our own text
_ERASE: Final = f"WITH gone AS (DELETE FROM bot_state {_WHOSE} RETURNING 1) SELECT count(*) FROM gone"  # noqa: S608
_ANY: Final = "SELECT EXISTS (SELECT FROM bot_state)"
_NOBODY: Final = "nobody"
"No user's hash."


class PostgresStateErasure:
    """`StateErasure`."""

    def __init__(self, pool: PostgresPool, sealer: Sealer) -> None:
        """`sealer` has the key of sealed values, or one that was drawn just now where that is not at hand."""
        self._pool = pool
        self._sealer = sealer

    async def count(self, user: str | None) -> int:
        """Count what `erase` would erase; it raises the same."""
        return int(await self._pool.value(_COUNT, await self._whose(user), patience=LONG))

    async def erase(self, user: str | None) -> ErasedStates:
        """Erase all records, or those of a user in any channel and by any bot."""
        return ErasedStates(int(await self._pool.value(_ERASE, await self._whose(user), patience=LONG)))

    async def _whose(self, user: str | None) -> str | None:
        """Return what stands for a user in the rows; None: everybody."""
        if user is None:
            return None
        if not await self._pool.value(_ANY):
            return _NOBODY
        if self._sealer.is_new:
            raise DataUnusable(
                "What bots keep of a user is found with the key of sealed values alone, and it is not here. "
                "Set IVR_SEAL_KEY as the servers have it, or copy the file seal.key from the data folder of one. "
                "If it is lost, erase what bots keep of everybody: ivr botstate erase --all"
            )
        columns = StateColumns(self._sealer.derived(PURPOSE))
        if not await proves(self._pool, self._sealer):
            await require_right_key(self._pool, columns)
        return columns.hashed(user)
