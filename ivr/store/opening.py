"""Which driver stands behind the ports of `ivr.storage` and `ivr.outbox`.

Whoever uses a store opens it here, and knows no other.
"""

from ivr.storage import PATIENCE
from ivr.store.location import StoreLocation
from ivr.store.opened import CommandStore, Opened
from ivr.store.sqlite.sqlite_opening import open_sqlite, open_sqlite_for_command


async def open_store(location: StoreLocation) -> Opened:
    """Open a store to serve calls from; raise DataUnusable, or StoreUnavailable if it is away.

    The caller holds the location (`StoreLocation.hold`) until all is closed.
    """
    return await open_sqlite(location)


async def open_for_command(location: StoreLocation, *, patience: float = PATIENCE) -> CommandStore:
    """Open a store to look into it, beside running servers, too.

    Other programs that use it are waited for, `patience` seconds. Raises DataUnusable if there are no calls yet, or if
    they cannot be read, and StoreUnavailable if the store is away.
    """
    return await open_sqlite_for_command(location, patience=patience)
