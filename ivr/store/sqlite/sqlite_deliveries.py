"""What of a data folder is delivered to others. Of a server, what changes it goes through the writer of its store.

Nothing of it is in memory: a turn adds rows, the worker takes them, and a command may look and change beside both.
"""

import asyncio
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Generic, Protocol, TypeVar

from ivr.errors import DataUnusable, StoreUnavailable
from ivr.outbox import DeliveryState, Notification, PlatformRequest
from ivr.storage import PATIENCE
from ivr.store.data_folder import DataFolder
from ivr.store.delivery_columns import UNREADABLE
from ivr.store.sqlite.database_file import open_database
from ivr.store.sqlite.delivery_rows import NOTIFICATIONS, PLATFORM_REQUESTS, DeliveryTable
from ivr.store.sqlite.read_only import Reader
from ivr.store.sqlite.sqlite_errors import REFUSALS, reason
from ivr.store.sqlite.writer import Statement

D = TypeVar("D", bound=Notification | PlatformRequest)


class Writes(Protocol):
    """The server's own store."""

    def written(self, statements: Sequence[Statement]) -> "asyncio.Future[None]":
        """Carry statements out that touch nothing in memory; done once they stand, or StoreUnavailable."""


class SqliteDeliveries(Generic[D]):
    """`Deliveries` of one table."""

    def __init__(
        self, folder: DataFolder, table: DeliveryTable[D], *, server: Writes | None = None, patience: float = PATIENCE
    ) -> None:
        """`patience`: seconds for which a command waits while a server writes."""
        self._folder = folder
        self._table = table
        self._server = server
        self._patience = patience
        self._reader = Reader(folder.database)

    async def claim(self, owner: str, *, now: float, lease: float, limit: int) -> Sequence[D]:
        """Hand out what is due, each to one worker at a time; the try is counted before this returns."""
        due = await self._reader.read(self._table.first_due)
        if due is None or due > now:
            return ()
        name = f"{owner}/{secrets.token_hex(8)}"  # what this very look took is what has its name
        await self._change(self._table.claiming(name, until=now + lease, now=now, limit=limit))
        taken, damaged = await self._reader.read(lambda connection: self._table.owned(connection, name))
        for one in damaged:
            await self.settle(one, "dead", at=now, reason=UNREADABLE)
        return taken

    async def settle(self, delivery: str, state: DeliveryState, *, at: float, reason: str = "") -> None:
        """Note what became of a try."""
        await self._change(*self._table.settling(delivery, state, at, reason))

    async def reopen(self) -> None:
        """Make due again what was handed out: no worker is alive."""
        await self._change(self._table.reopening())

    async def next_due(self) -> float | None:
        """Return when the next one is due; None: none waits."""
        return await self._reader.read(self._table.first_due)

    async def count(self, state: DeliveryState) -> int:
        """Count those of a state."""
        return await self._reader.read(lambda connection: self._table.count(connection, state))

    async def get(self, delivery: str) -> D | None:
        """Return one by its name."""
        return await self._reader.read(lambda connection: self._table.one(connection, delivery))

    async def list(self, state: DeliveryState | None = None, *, limit: int) -> Sequence[D]:
        """Return the newest ones, of one state or of all, the newest first."""
        return await self._reader.read(lambda connection: self._table.newest(connection, state, limit))

    async def retry(self, delivery: str, *, now: float) -> bool:
        """Make one that waits or is dead due, with its time and tries counted anew; False: there is none."""
        return await self._changed(delivery, self._table.retrying(delivery, now))

    async def drop(self, delivery: str) -> bool:
        """Forget one that waits or is dead; False: there is none."""
        return await self._changed(delivery, self._table.dropping(delivery))

    async def close(self) -> None:
        """Let go of the data."""
        await self._reader.close()

    async def _changed(self, delivery: str, statement: Statement) -> bool:
        found = await self.get(delivery)
        if found is None or found.state == "sent":
            return False
        await self._change(statement)
        return True

    async def _change(self, *statements: Statement) -> None:
        if self._server is not None:
            await self._server.written(statements)
        else:
            await asyncio.to_thread(
                self._written, lambda connection: [connection.execute(*statement) for statement in statements]
            )

    def _written(self, change: Callable[[sqlite3.Connection], object]) -> None:
        """Change the database beside a server, or without one; raise StoreUnavailable."""
        try:
            with closing(open_database(self._folder.database)) as connection:
                connection.execute(f"PRAGMA busy_timeout = {round(1000 * self._patience)}")
                change(connection)
        except (*REFUSALS, DataUnusable) as exc:
            said = str(exc) if isinstance(exc, DataUnusable) else reason(exc)
            raise StoreUnavailable(f"the database {self._folder.database} cannot be used: {said}") from exc


class SqliteOutbox(SqliteDeliveries[Notification]):
    """`Outbox`."""

    def __init__(self, folder: DataFolder, *, server: Writes | None = None, patience: float = PATIENCE) -> None:
        super().__init__(folder, NOTIFICATIONS, server=server, patience=patience)


class SqlitePlatformRequests(SqliteDeliveries[PlatformRequest]):
    """`PlatformRequests`."""

    def __init__(self, folder: DataFolder, *, server: Writes | None = None, patience: float = PATIENCE) -> None:
        super().__init__(folder, PLATFORM_REQUESTS, server=server, patience=patience)
