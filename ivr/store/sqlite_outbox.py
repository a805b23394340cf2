"""The notifications of a data folder, for the server and for the command that looks after them."""

from collections.abc import Sequence

from ivr.outbox import DeliveryState, Notification
from ivr.storage import PATIENCE
from ivr.store.data_folder import DataFolder
from ivr.store.delivery_rows import NOTIFICATIONS, readable
from ivr.store.sqlite_deliveries import SqliteDeliveries, Writes
from ivr.store.writer import Statement


class SqliteOutbox(SqliteDeliveries[Notification]):
    """`Outbox`."""

    def __init__(self, folder: DataFolder, *, server: Writes | None = None, patience: float = PATIENCE) -> None:
        """`patience`: seconds for which a command waits while a server writes."""
        super().__init__(folder, NOTIFICATIONS, server=server, patience=patience)

    async def get(self, notification: str) -> Notification | None:
        """Return one by its name."""
        return await self._reader.read(lambda connection: NOTIFICATIONS.one(connection, notification))

    async def list(self, state: DeliveryState | None = None, *, limit: int) -> Sequence[Notification]:
        """Return the newest ones, of one state or of all, the newest first."""
        rows = await self._reader.read(lambda connection: NOTIFICATIONS.newest(connection, state, limit))
        return [readable(row) for row in rows]

    async def retry(self, notification: str, *, now: float) -> bool:
        """Make one that waits or is dead due, with its time and tries counted anew; False: there is none."""
        return await self._changed(notification, NOTIFICATIONS.retrying(notification, now))

    async def drop(self, notification: str) -> bool:
        """Forget one that waits or is dead; False: there is none."""
        return await self._changed(notification, NOTIFICATIONS.dropping(notification))

    async def _changed(self, notification: str, statement: Statement) -> bool:
        found = await self.get(notification)
        if found is None or found.state == "sent":
            return False
        await self._change(statement)
        return True
