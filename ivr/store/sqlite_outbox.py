"""The notifications of a data folder. Of a server, what changes them goes through the writer of its store.

Nothing of them is in memory: a turn adds rows, the worker takes them, and a command may look and change beside both.
"""

import asyncio
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Protocol, TypeVar

from ivr.errors import DataUnusable, StoreUnavailable
from ivr.outbox import Notification, NotificationState
from ivr.storage import PATIENCE
from ivr.store import notification_rows as rows
from ivr.store.data_folder import DataFolder
from ivr.store.database_file import open_database
from ivr.store.read_only import Reader
from ivr.store.sqlite_errors import REFUSALS, reason
from ivr.store.writer import Statement

T = TypeVar("T")


class Writes(Protocol):
    """The server's own store."""

    def written(self, statements: Sequence[Statement]) -> "asyncio.Future[None]":
        """Carry statements out; done once they stand, or StoreUnavailable."""


class SqliteOutbox:
    """`Outbox`."""

    def __init__(self, folder: DataFolder, *, server: Writes | None = None, patience: float = PATIENCE) -> None:
        """`patience`: seconds for which a command waits while a server writes."""
        self._folder = folder
        self._server = server
        self._patience = patience
        self._reader = Reader(folder.database)

    async def claim(self, owner: str, *, now: float, lease: float, limit: int) -> Sequence[Notification]:
        """Hand out what is due, each to one worker at a time; the try is counted before this returns."""
        due = await self._reader.read(rows.first_due)
        if due is None or due > now:
            return ()
        name = f"{owner}/{secrets.token_hex(8)}"  # what this very look took is what has its name
        await self._change((rows.CLAIM, (name, now + lease, now, limit)))
        taken, damaged = await self._reader.read(lambda connection: rows.find_owned(connection, name))
        for one in damaged:
            await self.settle(one, "dead", at=now, reason="it cannot be read")
        return taken

    async def settle(self, notification: str, state: NotificationState, *, at: float, reason: str = "") -> None:
        """Note what became of a try."""
        await self._change((rows.SETTLE, (state, at, reason, notification)))

    async def reopen(self) -> None:
        """Make due again what was handed out: no worker is alive."""
        await self._change((rows.REOPEN, ()))

    async def next_due(self) -> float | None:
        """Return when the next one is due; None: none waits."""
        return await self._reader.read(rows.first_due)

    async def get(self, notification: str) -> Notification | None:
        """Return one by its name."""
        return await self._reader.read(lambda connection: rows.find_one(connection, notification))

    async def list(self, state: NotificationState | None = None, *, limit: int) -> Sequence[Notification]:
        """Return the newest ones, of one state or of all, the newest first."""
        return await self._reader.read(lambda connection: rows.find_newest(connection, state, limit))

    async def count(self, state: NotificationState) -> int:
        """Count those of a state."""
        return await self._reader.read(lambda connection: rows.count_notifications(connection, state))

    async def retry(self, notification: str, *, now: float) -> bool:
        """Make one that waits or is dead due, with its time and tries counted anew; False: there is none."""
        return await self._changed(notification, (rows.RETRY, (now, notification)))

    async def drop(self, notification: str) -> bool:
        """Forget one that waits or is dead; False: there is none."""
        return await self._changed(notification, (rows.DROP, (notification,)))

    async def close(self) -> None:
        """Let go of the data."""
        await self._reader.close()

    async def _changed(self, notification: str, statement: Statement) -> bool:
        found = await self.get(notification)
        if found is None or found.state == "sent":
            return False
        await self._change(statement)
        return True

    async def _change(self, statement: Statement) -> None:
        if self._server is not None:
            await self._server.written([statement])
        else:
            await asyncio.to_thread(self._written, lambda connection: connection.execute(*statement))

    def _written(self, change: Callable[[sqlite3.Connection], object]) -> None:
        """Change the database beside a server, or without one; raise StoreUnavailable."""
        try:
            with closing(open_database(self._folder.database)) as connection:
                connection.execute(f"PRAGMA busy_timeout = {round(1000 * self._patience)}")
                change(connection)
        except (*REFUSALS, DataUnusable) as exc:
            said = str(exc) if isinstance(exc, DataUnusable) else reason(exc)
            raise StoreUnavailable(f"the database {self._folder.database} cannot be used: {said}") from exc
