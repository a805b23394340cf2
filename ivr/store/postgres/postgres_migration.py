"""Brings the tables of a database to the version of this code, or one version back, beside servers that go on.

Each step is one transaction. A table that is in use is waited for briefly and again: whoever waits for a table keeps
everybody waiting who comes after.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from ivr.errors import DataUnusable, StoreUnavailable
from ivr.store.opened import SchemaVersion
from ivr.store.postgres.postgres_errors import LacksRight
from ivr.store.postgres.postgres_pool import Connection, PostgresPool
from ivr.store.postgres.postgres_schema import COPYING, LOCK, UNFINISHED
from ivr.store.postgres.postgres_versions import (
    known_version,
    require_fit,
    step_back,
    steps_forward,
)

T = TypeVar("T")

TRIES = 10
"Of a step, while tables are in use."
PAUSE = 0.5
"Seconds between two of them."
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '2s'"
_UNFIT = (
    "SELECT name, schema FROM replica WHERE (schema < $1 OR schema > $2) AND "
    "beat > clock_timestamp() - interval '10 seconds' ORDER BY name"
)
_NOTHING = "There is nothing yet in the database: the first server that is started makes its tables."


class PostgresUpkeep:
    """`SchemaUpkeep`; the pool is its own."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool
        self.known = known_version()

    async def version(self) -> SchemaVersion | None:
        """Return that of the tables; None: there are none yet."""
        return await read_version(self._pool)

    async def migrate(self) -> Sequence[SchemaVersion]:
        """Bring them to the version of this code, and return each that they had on the way."""
        return await migrate(self._pool)

    async def migrate_back(self) -> SchemaVersion:
        """Bring them back by one version, and return it."""
        return await migrate_back(self._pool)

    async def close(self) -> None:
        """Let go of the database."""
        await self._pool.close()


async def read_version(pool: PostgresPool) -> SchemaVersion | None:
    """Return the version of the tables; None: there are none at all.

    Raises DataUnusable if they are not ours, or if a copy into them is not finished.
    """
    async with pool.lent() as connection:
        return await _version(connection)


async def require_tables(pool: PostgresPool) -> None:
    """Return if there are tables, and this code can use them; raise DataUnusable, which says what to do."""
    found = await read_version(pool)
    if found is None:
        raise DataUnusable(_NOTHING)
    require_fit(found)


async def require_current(pool: PostgresPool) -> None:
    """Return if this code knows all that is in the tables; raise DataUnusable, which says what to do."""
    await require_tables(pool)
    found = await read_version(pool)
    if found is not None and found.version != known_version():
        raise DataUnusable(
            f"The tables of the database have version {found.version}, and this release knows them up to "
            f"{known_version()} only. Copy with the release that they are of."
        )


async def migrate(pool: PostgresPool) -> Sequence[SchemaVersion]:
    """Take all steps to the version of this code, and return what came of each.

    Raises DataUnusable where there are no tables, where a server that runs could not use the new ones, or where they
    are newer than this code; StoreUnavailable if tables stay in use.
    """
    taken: list[SchemaVersion] = []
    while (step := await _again(lambda: _forward(pool))) is not None:
        taken.append(step)
    return taken


async def migrate_back(pool: PostgresPool) -> SchemaVersion:
    """Take the newest step back, and return what is left; raises what `migrate` raises."""
    return await _again(lambda: _back(pool))


async def _forward(pool: PostgresPool) -> SchemaVersion | None:
    async with pool.transaction() as connection:
        found = await _locked(connection)
        if found.version > known_version():
            raise DataUnusable(f"The tables have version {found.version} already, which is newer than this code.")
        steps = steps_forward(found)
        if not steps:
            return None
        step = steps[0]
        then = SchemaVersion(step.version, step.least)
        await _require_servers(connection, then.least, step.version)
        await _change(connection, step.forward, then)
        return then


async def _back(pool: PostgresPool) -> SchemaVersion:
    async with pool.transaction() as connection:
        step, then = step_back(await _locked(connection))
        await _require_servers(connection, then.least, then.version)
        await _change(connection, step.back, then)
        return then


async def _again(step: Callable[[], Awaitable[T]]) -> T:
    """Take a step, again and again while tables are in use."""
    for left in reversed(range(TRIES)):
        try:
            return await step()
        except LacksRight as error:
            raise DataUnusable(
                "The user in IVR_STORE may not change these tables: `ivr store migrate` has to be run with the "
                "user who owns them, as servers are."
            ) from error
        except StoreUnavailable:
            if not left:
                raise
        await asyncio.sleep(PAUSE)
    raise AssertionError  # the last try has returned or raised


async def _locked(connection: Connection) -> SchemaVersion:
    """Keep all others from changing tables until the transaction ends, and return their version."""
    await connection.execute(_LOCK_TIMEOUT)
    await connection.execute(LOCK)
    found = await _version(connection)
    if found is None:
        raise DataUnusable(_NOTHING)
    return found


async def _version(connection: Connection) -> SchemaVersion | None:
    there = await connection.fetchrow(
        "SELECT to_regclass('ivr_schema') AS version, to_regclass('call') AS call, to_regclass($1) AS copying", COPYING
    )
    if there is not None and there["copying"] is not None:
        raise DataUnusable(UNFINISHED)
    if there is None or there["version"] is None:
        if there is not None and there["call"] is not None:
            raise DataUnusable("The database holds tables that are not ours. Use one that is empty.")
        return None
    row = await connection.fetchrow("SELECT version, least FROM ivr_schema")
    return SchemaVersion(*row) if row is not None else None


async def _require_servers(connection: Connection, least: int, most: int) -> None:
    """Raise DataUnusable if a server runs whose version is not within these."""
    unfit = await connection.fetch(_UNFIT, least, most)
    if unfit:
        others = "" if len(unfit) == 1 else f" There are {len(unfit) - 1} more like it."
        raise DataUnusable(
            f"Server {unfit[0]['name']} (version {unfit[0]['schema']}) is running, and could not use these tables: "
            f"they are for servers of version {least} to {most}. Replace or stop it first.{others}"
        )


async def _change(connection: Connection, sql: str, then: SchemaVersion) -> None:
    await connection.execute(sql)
    await connection.execute("UPDATE ivr_schema SET version = $1, least = $2", then.version, then.least)
