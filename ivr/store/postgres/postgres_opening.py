"""Opens the store of a PostgreSQL database, for any number of servers and commands at the same time."""

import asyncio
import logging
import os
import re
import secrets
import socket
import time
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

from ivr.errors import DataUnusable, StoreUnavailable
from ivr.store import mail_columns, sign_in_columns, state_columns
from ivr.store.location import StoreLocation
from ivr.store.opened import CommandStore, Opened
from ivr.store.postgres.postgres_archive import PostgresArchive
from ivr.store.postgres.postgres_bot_state import PostgresBotStates, require_right_key
from ivr.store.postgres.postgres_calls import PostgresCalls
from ivr.store.postgres.postgres_coordination import PostgresCoordination
from ivr.store.postgres.postgres_copy_target import PostgresCopyTarget
from ivr.store.postgres.postgres_copying import PostgresCopySource
from ivr.store.postgres.postgres_deliveries import PostgresOutbox, PostgresPlatformRequests
from ivr.store.postgres.postgres_mailbox import PostgresMailbox
from ivr.store.postgres.postgres_media import PostgresMedia
from ivr.store.postgres.postgres_migration import PostgresUpkeep, read_version, require_tables
from ivr.store.postgres.postgres_pool import PostgresPool
from ivr.store.postgres.postgres_replica import Replica
from ivr.store.postgres.postgres_schema import make_months, make_schema, prove_key, proves, require_suitable
from ivr.store.postgres.postgres_search import PostgresSearch
from ivr.store.postgres.postgres_sign_ins import PostgresSignIns
from ivr.store.postgres.postgres_state_erasure import PostgresStateErasure
from ivr.store.postgres.postgres_versions import require_fit
from ivr.store.postgres.postgres_voicemails import PostgresVoicemails
from ivr.store.sealing import Sealer
from ivr.store.shared_calls import SharedCalls
from ivr.store.state_columns import StateColumns

log = logging.getLogger(__name__)

STARTING: Final = 60.0
"Seconds for which a server that starts waits for its database; whoever supervises it starts it again then."
LOOK: Final = 1.0
"Seconds between two tries."
_SERVER, _COMMAND = "ivr serve", "ivr command"
"What the database shows of us."
_CONNECTIONS: Final = 2
"Of a command."


async def open_postgres(location: StoreLocation, *, patience: float = STARTING) -> Opened:
    """Open it to serve calls from, with tables where there are none at all; raise DataUnusable.

    Raises StoreUnavailable if the database stays away, `patience` seconds.
    """
    async with AsyncExitStack() as parts:
        pool = await _reached(location.url, patience)
        parts.push_async_callback(pool.close)
        await _ready(pool)
        sealer = await _proved_sealer(pool, location)
        replica = Replica(pool, replica_name())
        database = PostgresCalls(pool, sealer, replica)
        calls = SharedCalls(database, database.news)
        parts.push_async_callback(calls.close)
        await database.open()
        sign_ins = PostgresSignIns(pool, key=sealer.derived(sign_in_columns.PURPOSE))
        await sign_ins.index_copied()
        media = PostgresMedia(pool, location.folder.audio)
        parts.push_async_callback(media.close)
        return Opened(
            calls,
            PostgresArchive(pool, sealer),
            PostgresSearch(pool),
            PostgresVoicemails(pool),
            media,
            PostgresOutbox(pool, replica=replica.name),
            PostgresPlatformRequests(pool, replica=replica.name),
            PostgresBotStates(pool, StateColumns(sealer.derived(state_columns.PURPOSE))),
            sign_ins,
            PostgresMailbox(pool, key=sealer.derived(mail_columns.PURPOSE)),
            database.news,
            PostgresCoordination(pool, steady_for=lambda: replica.steady_for),
            link_key=sealer.derived("recording links"),
            token_key=sealer.derived("address tokens"),
            sign_in_key=sealer.derived("sign-in digests"),
            set_aside=(),  # one that cannot be read is found when it is asked for: so many are not read at the start
            flows_under_way=await database.flows_under_way(),
            tend=partial(_make_months, pool),
            parts=parts.pop_all(),
        )


async def open_postgres_for_command(location: StoreLocation, *, patience: float) -> CommandStore:
    """Open it beside servers; raise DataUnusable if there are no tables yet, or this code cannot use them.

    `patience`: seconds for which an answer is waited for. Raises StoreUnavailable if the database is away.
    """
    async with AsyncExitStack() as parts:
        pool = await PostgresPool.open(location.url, application=_COMMAND, size=_CONNECTIONS, patience=patience)
        parts.push_async_callback(pool.close)
        await require_tables(pool)
        sealer = await asyncio.to_thread(Sealer.find, location.seal_key, location.folder.seal_key)
        media = PostgresMedia(pool, location.folder.audio)
        parts.push_async_callback(media.close)
        return CommandStore(
            PostgresArchive(pool, sealer),
            media,
            PostgresOutbox(pool, replica=""),
            PostgresPlatformRequests(pool, replica=""),
            PostgresStateErasure(pool, sealer),
            parts.pop_all(),
        )


async def open_postgres_upkeep(location: StoreLocation) -> PostgresUpkeep:
    """Open what an operator looks after; raise DataUnusable, or StoreUnavailable if the database is away."""
    return PostgresUpkeep(await PostgresPool.open(location.url, application=_COMMAND, size=_CONNECTIONS))


async def open_postgres_copy_source(location: StoreLocation) -> PostgresCopySource:
    """Open what is to be copied; raise DataUnusable, or StoreUnavailable if the database is away."""
    async with AsyncExitStack() as parts:
        pool = await PostgresPool.open(location.url, application=_COMMAND, size=_CONNECTIONS)
        parts.push_async_callback(pool.close)
        opened = await PostgresCopySource.open(pool, str(location))
        parts.pop_all()
    return opened


async def open_postgres_copy_target(location: StoreLocation, *, anew: bool) -> PostgresCopyTarget:
    """Open what is to be filled, as `open_postgres_copy_source` does."""
    async with AsyncExitStack() as parts:
        pool = await PostgresPool.open(location.url, application=_COMMAND, size=_CONNECTIONS)
        parts.push_async_callback(pool.close)
        opened = await PostgresCopyTarget.fill(pool, str(location), anew=anew)
        parts.pop_all()
    return opened


def replica_name() -> str:
    """Return a name for this server among all, that no other and no earlier one has: machine, process, and chance."""
    machine = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())[:64]
    return f"{machine}-{os.getpid()}-{secrets.token_hex(4)}"


async def _reached(url: str, patience: float) -> PostgresPool:
    ends, told = time.monotonic() + patience, ""
    while True:
        try:
            return await PostgresPool.open(url, application=_SERVER)
        except StoreUnavailable as error:
            if time.monotonic() + LOOK > ends:
                raise
            if str(error) != told:
                told = str(error)
                log.warning("waiting for the database", extra={"reason": told})
        await asyncio.sleep(LOOK)


async def _proved_sealer(pool: PostgresPool, location: StoreLocation) -> Sealer:
    """Return what seals, with the key that all servers of this database have; raise DataUnusable for another one."""
    sealer = await asyncio.to_thread(Sealer.find, location.seal_key, location.folder.seal_key)
    if not await proves(pool, sealer):
        await require_right_key(pool, StateColumns(sealer.derived(state_columns.PURPOSE)))
        await prove_key(pool, sealer)
    return sealer


async def _ready(pool: PostgresPool) -> None:
    """Make the tables where there are none at all, and those of the months to come; raise DataUnusable."""
    await require_suitable(pool)
    if await read_version(pool) is None:
        await make_schema(pool)
    found = await read_version(pool)
    if found is None:
        raise DataUnusable("The tables of the database have no version: some are missing. Restore it from a backup.")
    require_fit(found)
    await _make_months(pool)


async def _make_months(pool: PostgresPool) -> None:
    await make_months(pool, time.time())
