"""Which driver stands behind the ports of `ivr.storage`, `ivr.media_storage` and `ivr.outbox`.

Whoever uses a store opens it here, and knows no other. The driver of PostgreSQL is imported when it is asked for: its
library is an extra.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

from ivr.errors import DataUnusable
from ivr.storage import PATIENCE
from ivr.store.copied_tables import CopySource, CopyTarget
from ivr.store.location import StoreLocation
from ivr.store.opened import CommandStore, Opened, SchemaUpkeep
from ivr.store.sqlite.sqlite_copy_target import SqliteCopyTarget
from ivr.store.sqlite.sqlite_copying import SqliteCopySource
from ivr.store.sqlite.sqlite_opening import open_sqlite, open_sqlite_for_command


async def open_store(location: StoreLocation) -> Opened:
    """Open a store to serve calls from; raise DataUnusable, or StoreUnavailable if it is away.

    The caller holds the location (`StoreLocation.hold`) until all is closed.
    """
    if not location.shared:
        return await open_sqlite(location)
    with _extra():
        from ivr.store.postgres.postgres_opening import open_postgres  # noqa: PLC0415
    return await open_postgres(location)


async def open_for_command(location: StoreLocation, *, patience: float = PATIENCE) -> CommandStore:
    """Open a store to look into it, beside running servers, too.

    Other programs that use it are waited for, `patience` seconds. Raises DataUnusable if there are no calls yet, or if
    they cannot be read, and StoreUnavailable if the store is away.
    """
    if not location.shared:
        return await open_sqlite_for_command(location, patience=patience)
    with _extra():
        from ivr.store.postgres.postgres_opening import open_postgres_for_command  # noqa: PLC0415
    return await open_postgres_for_command(location, patience=patience)


async def open_upkeep(location: StoreLocation) -> SchemaUpkeep:
    """Open what an operator looks after in a shared database; raise DataUnusable, or StoreUnavailable if it is away."""
    if not location.shared:
        raise DataUnusable("The tables of SQLite are brought up to date by the server, when it starts.")
    with _extra():
        from ivr.store.postgres.postgres_opening import open_postgres_upkeep  # noqa: PLC0415
    return await open_postgres_upkeep(location)


@asynccontextmanager
async def opened_copy(
    source: StoreLocation, target: StoreLocation, *, anew: bool
) -> AsyncIterator[tuple[CopySource, CopyTarget]]:
    """Open a store that nobody serves, and an empty one that it is copied into; raises DataUnusable, StoreUnavailable.

    `anew`: drop what an unfinished copy has left in the target.
    """
    source.require()
    if str(source) == str(target):
        raise DataUnusable(f"A copy needs another place than {source} itself.")
    async with AsyncExitStack() as parts:
        copied = await _copy_source(source, parts)
        parts.push_async_callback(copied.close)
        filled = await _copy_target(target, parts, anew=anew)
        parts.push_async_callback(filled.close)
        yield copied, filled


async def _copy_source(location: StoreLocation, parts: AsyncExitStack) -> CopySource:
    if not location.shared:
        return await asyncio.to_thread(SqliteCopySource.open, parts.enter_context(location.hold()))
    with _extra():
        from ivr.store.postgres.postgres_opening import open_postgres_copy_source  # noqa: PLC0415
    return await open_postgres_copy_source(location)


async def _copy_target(location: StoreLocation, parts: AsyncExitStack, *, anew: bool) -> CopyTarget:
    if not location.shared:
        folder = parts.enter_context(location.hold())
        return await asyncio.to_thread(lambda: SqliteCopyTarget.fill(folder, anew=anew))
    with _extra():
        from ivr.store.postgres.postgres_opening import open_postgres_copy_target  # noqa: PLC0415
    return await open_postgres_copy_target(location, anew=anew)


@contextmanager
def _extra() -> Iterator[None]:
    """Import what needs the library of PostgreSQL; raise DataUnusable if it is not installed."""
    try:
        yield
    except ModuleNotFoundError as exc:
        if exc.name != "asyncpg":
            raise
        raise DataUnusable("PostgreSQL needs a library that is not installed: pip install 'ivr[postgres]'") from exc
