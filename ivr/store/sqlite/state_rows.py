"""The rows of what bots keep: their columns, what of them is sealed, and the SQL.

Bots keep what they like, tokens of their users among it. So data and ids are sealed, and found by keyed hashes.
"""

import sqlite3
from collections.abc import Sequence
from typing import Final

from msgspec import MsgspecError, Raw, Struct, json

from ivr.bot_state import StateKey, StateRecord
from ivr.errors import BrokenSeal, UnreadableRow
from ivr.store.sealing import Sealer
from ivr.store.sqlite.tables import as_bytes
from ivr.store.sqlite.writer import Statement

PURPOSE: Final = "bot state"
"Of the key that is derived for these rows."
LOOKED_AT: Final = 16
"Rows by which a key is known to be another one; one of them may be damaged."
OVERWRITE: Final = "UPDATE bot_state SET body = zeroblob(length(CAST(body AS BLOB)))"
"For what is erased: SQLite may leave a copy of a row that it moves, but a value of the same size is written in place."

_PUT = (
    "INSERT INTO bot_state (name, app, channel, conversation, user, tag, body, touched) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (name) DO UPDATE SET tag = excluded.tag, body = excluded.body, touched = excluded.touched"
)
_OF_USER = "WHERE app = ? AND channel = ? AND user = ?"
_OLD = "WHERE rowid IN (SELECT rowid FROM bot_state WHERE touched < ? ORDER BY touched, rowid LIMIT ?)"


class _Body(Struct):
    conversation: str
    user: str
    data: Raw


class StoredState(Struct, frozen=True):
    """A row, as it stands."""

    name: str
    tag: str
    body: object
    touched: float


class StateRows:
    """Writes and reads rows with the key of one store."""

    def __init__(self, key: bytes) -> None:
        """`key`: what the store derives from its key for `PURPOSE`."""
        self._sealer = Sealer(key, source="derived for bot state")

    def name(self, key: StateKey) -> str:
        """Return the column that names a record."""
        return self._sealer.pseudonym(json.encode([key.app, key.channel, key.conversation, key.user]).decode())

    def hashed(self, identity: str) -> str:
        """Return the column for the id of a user or a conversation; empty: there is none."""
        return self._sealer.pseudonym(identity) if identity else ""

    def read(self, row: StoredState) -> StateRecord:
        """Open a row; raise UnreadableRow."""
        return StateRecord(bytes(self._body(row).data), row.tag)

    def shown_id(self, row: StoredState) -> str:
        """Return what a row is called once it is gone: by its conversation, else by its user. Raises UnreadableRow."""
        body = self._body(row)
        return body.conversation or body.user

    def is_readable(self, row: StoredState) -> bool:
        """Return whether a row can be opened."""
        try:
            self._body(row)
        except UnreadableRow:
            return False
        return True

    # --- what is written ---

    def putting(self, key: StateKey, record: StateRecord, at: float) -> Statement:
        """Keep a record, in the place of the one before it."""
        name = self.name(key)
        body = self._sealer.seal(
            json.encode(_Body(key.conversation, key.user, Raw(record.data))), f"{name}/{record.tag}"
        )
        hashes = self.hashed(key.conversation), self.hashed(key.user)
        return _PUT, (name, key.app, key.channel, *hashes, record.tag, body, at)

    def dropping(self, key: StateKey) -> Sequence[Statement]:
        """Forget a record."""
        return erasing("WHERE name = ?", self.name(key))

    def dropping_user(self, app: str, channel: str, user: str) -> Sequence[Statement]:
        """Forget all records of a user."""
        return erasing(_OF_USER, app, channel, self.hashed(user))

    # --- what is read ---

    def find(self, connection: sqlite3.Connection, key: StateKey) -> StoredState | None:
        """Return the row of a record."""
        return next(iter(_select(connection, "WHERE name = ?", self.name(key))), None)

    def of_user(self, connection: sqlite3.Connection, app: str, channel: str, user: str) -> Sequence[StoredState]:
        """Return the rows of a user, the oldest first."""
        return _select(connection, f"{_OF_USER} ORDER BY rowid", app, channel, self.hashed(user))

    def _body(self, row: StoredState) -> _Body:
        try:
            return json.decode(self._sealer.unseal(as_bytes(row.body), f"{row.name}/{row.tag}"), type=_Body)
        except (BrokenSeal, MsgspecError, ValueError, RecursionError) as error:
            raise UnreadableRow("a record of a bot cannot be read") from error


def require_key(connection: sqlite3.Connection, rows: StateRows) -> None:
    """Raise BrokenSeal if there are rows, and none of the newest can be read: then another key has written them.

    With that key no record is found under its name, so that bots would be told that there is none.
    """
    newest = _select(connection, "ORDER BY rowid DESC LIMIT ?", LOOKED_AT)
    if newest and not any(rows.is_readable(row) for row in newest):
        raise BrokenSeal(
            "What bots keep cannot be opened with this key of sealed values. Put the right key back. "
            "If it is lost, so are their records, which `ivr botstate erase --all` erases."
        )


def touching(name: str, at: float) -> Statement:
    """Note that a record was used."""
    return "UPDATE bot_state SET touched = ? WHERE name = ?", (at, name)


def erasing(where: str, *values: str | float) -> Sequence[Statement]:
    """Overwrite rows and drop them; `where` is ours."""
    return (f"{OVERWRITE} {where}", values), (f"DELETE FROM bot_state {where}", values)  # noqa: S608


def forgetting(before: float, limit: int) -> Sequence[Statement]:
    """Forget what was not used since then."""
    return erasing(_OLD, before, limit)


def count_old(connection: sqlite3.Connection, before: float, limit: int) -> int:
    """Count what `forgetting` would forget."""
    return count_all(connection, "WHERE touched < ? LIMIT ?", before, limit)


def count_of(connection: sqlite3.Connection, app: str, limit: int) -> int:
    """Count the records of a bot, up to a limit."""
    return count_all(connection, "WHERE app = ? LIMIT ?", app, limit)


def count_all(connection: sqlite3.Connection, where: str, *values: str | float) -> int:
    """Count the rows of a condition of ours."""
    counted = f"SELECT count(*) FROM (SELECT 1 FROM bot_state {where})"  # noqa: S608  # our own text
    return int(connection.execute(counted, values).fetchone()[0])


def _select(connection: sqlite3.Connection, where: str, *values: str | int) -> list[StoredState]:
    columns = f"SELECT name, tag, body, touched FROM bot_state {where}"  # noqa: S608  # our own text
    return [StoredState(*row) for row in connection.execute(columns, values)]
