"""What is kept of callers, as rows: a turn writes them with its own, and who erases a caller finds them by his name.

The name itself does not stand there, but a keyed hash of it (`Sealer.caller`), as in every store.
"""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import MsgspecError

from ivr.engine.values import Stored
from ivr.errors import BrokenSeal
from ivr.store.postgres.postgres_pool import PostgresPool
from ivr.store.sealing import Sealer
from ivr.store.user_columns import READ_VALUE, line_column, place_of, written
from ivr.user_values import KeptValue, Known, User

_KNOWN: Final = "SELECT name, value, sealed FROM user_value WHERE caller = $1 AND line = $2 AND until > $3"
_FORGET: Final = "DELETE FROM user_value WHERE caller = $1 AND line = $2"
_EXPIRE: Final = "WITH gone AS (DELETE FROM user_value WHERE until <= $1 RETURNING 1) SELECT count(*) FROM gone"


class PostgresUsers:
    """Writes and reads the rows of one database."""

    def __init__(self, pool: PostgresPool, sealer: Sealer) -> None:
        self._pool = pool
        self._sealer = sealer

    def kept(self, user: User, values: Sequence[KeptValue]) -> list[tuple[str, tuple[Any, ...]]]:
        """Return the parts of a turn's statement that keep and erase values; raise StoreUnavailable."""
        caller, line = self._sealer.caller(user.name), line_column(user)
        # In one order for all turns, so that two that keep the same values do not wait for each other.
        last = {one.name: one for one in sorted(values, key=lambda one: one.name)}
        kept = [one for one in last.values() if one.value is not None]
        parts: list[tuple[str, tuple[Any, ...]]] = []
        if kept:
            columns = [self._value(caller, line, one) for one in kept]
            names, sealed = [one.name for one in kept], [one.private for one in kept]
            parts.append(("kept", (caller, line, names, columns, sealed, [one.until for one in kept])))
        if len(kept) < len(last):
            parts.append(("forgotten", (caller, line, [one.name for one in last.values() if one.value is None])))
        return parts

    async def known(self, user: User, *, now: float) -> Known:
        """Read what is kept of a caller, but for what cannot be read."""
        caller, line = self._sealer.caller(user.name), line_column(user)
        found: dict[str, tuple[Stored, bool]] = {}
        for name, value, sealed in await self._pool.rows(_KNOWN, caller, line, now):
            try:
                plain = self._sealer.unseal(value, place_of(caller, line, name)) if sealed else value
                found[name] = (READ_VALUE(plain), sealed)
            except (BrokenSeal, MsgspecError, TypeError, ValueError):
                continue
        return found

    async def forget_user(self, user: User) -> None:
        """Erase all that is kept of a caller of one line."""
        await self._pool.rows(_FORGET, self._sealer.caller(user.name), line_column(user))

    async def forget_values(self, *, now: float) -> int:
        """Erase what has been kept for as long as it was to be; return how many values that were."""
        return int(await self._pool.value(_EXPIRE, now))

    def _value(self, caller: bytes, line: str, one: KeptValue) -> bytes:
        value = written(one.value)
        return self._sealer.seal(value, place_of(caller, line, one.name)) if one.private else value
