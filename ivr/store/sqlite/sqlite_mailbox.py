"""The mailbox in the database of the calls."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from ivr.mailbox import KEPT, Mail, mail_id
from ivr.store.data_folder import DataFolder
from ivr.store.mail_columns import MailColumns
from ivr.store.sqlite.read_only import Reader
from ivr.store.sqlite.sqlite_deliveries import Writes
from ivr.store.sqlite.tables import as_bytes

_PUT: Final = (
    "INSERT OR IGNORE INTO mail (call, id, conversation, made, body) SELECT row, ?, ?, ?, ? FROM call WHERE id = ?"
)
_CUT: Final = (
    "DELETE FROM mail WHERE conversation = ?1 AND seq <= "
    "(SELECT seq FROM mail WHERE conversation = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)"
)
_AFTER: Final = (
    "SELECT id, body FROM mail WHERE conversation = ?1 AND seq > "
    "coalesce((SELECT seq FROM mail WHERE id = ?2 AND conversation = ?1), 0) ORDER BY seq LIMIT ?3"
)


class SqliteMailbox:
    """`Mailbox`."""

    def __init__(self, folder: DataFolder, *, server: Writes, key: bytes) -> None:
        """`key` seals what is kept, and is derived from that of the store."""
        self._server = server
        self._columns = MailColumns(key)
        self._reader = Reader(folder.database)

    async def put(self, name: str, conversation: str, body: bytes, *, at: float) -> None:
        """Take a message, at the end of its conversation."""
        name_of_mail = mail_id(name)
        sealed = self._columns.written(name_of_mail, body)
        call = name.partition(".")[0]
        await self._server.written(
            (
                (_PUT, (name_of_mail, conversation, at, sealed, call)),
                (_CUT, (conversation, KEPT)),
            )
        )

    async def after(self, conversation: str, last: str, *, limit: int) -> Sequence[Mail]:
        """Return the messages that follow one, the oldest first; one that is damaged is passed over."""

        def found(connection: sqlite3.Connection) -> Sequence[tuple[str, object]]:
            return connection.execute(_AFTER, (conversation, last, limit)).fetchall()

        return [
            mail
            for name, sealed in await self._reader.read(found)
            if (mail := self._columns.read(name, as_bytes(sealed)))
        ]

    async def close(self) -> None:
        """Let go of the data."""
        await self._reader.close()
