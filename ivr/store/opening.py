"""Which driver stands behind the ports of `ivr.storage` and `ivr.outbox`.

Whoever uses a store opens it here, and knows no other. The driver of PostgreSQL is imported when it is asked for: its
library is an extra.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from ivr.errors import DataUnusable
from ivr.storage import PATIENCE
from ivr.store.location import StoreLocation
from ivr.store.opened import CommandStore, Opened, SchemaUpkeep
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


@contextmanager
def _extra() -> Iterator[None]:
    """Import what needs the library of PostgreSQL; raise DataUnusable if it is not installed."""
    try:
        yield
    except ModuleNotFoundError as exc:
        if exc.name != "asyncpg":
            raise
        raise DataUnusable("PostgreSQL needs a library that is not installed: pip install 'ivr[postgres]'") from exc
