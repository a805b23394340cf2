"""Opens the store of a PostgreSQL database, for any number of servers and commands at the same time."""

from ivr.store.location import StoreLocation
from ivr.store.postgres.postgres_migration import PostgresUpkeep
from ivr.store.postgres.postgres_pool import PostgresPool

_COMMAND = "ivr command"
_CONNECTIONS = 2
"Of a command."


async def open_postgres_upkeep(location: StoreLocation) -> PostgresUpkeep:
    """Open what an operator looks after; raise DataUnusable, or StoreUnavailable if the database is away."""
    return PostgresUpkeep(await PostgresPool.open(location.url, application=_COMMAND, size=_CONNECTIONS))
