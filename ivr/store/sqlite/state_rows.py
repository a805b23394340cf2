"""The rows of what bots keep, as SQL."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from ivr.bot_state import StateKey, StateRecord
from ivr.store.sqlite.tables import as_bytes
from ivr.store.sqlite.writer import Statement
from ivr.store.state_columns import LOOKED_AT, StateColumns, StoredState

OVERWRITE: Final = "UPDATE bot_state SET body = zeroblob(length(CAST(body AS BLOB)))"
"For what is erased: SQLite may leave a copy of a row that it moves, but a value of the same size is written in place."

_PUT = (
    "INSERT INTO bot_state (name, app, channel, conversation, user, tag, body, touched) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (name) DO UPDATE SET tag = excluded.tag, body = excluded.body, touched = excluded.touched"
)
_OF_USER = "WHERE app = ? AND channel = ? AND user = ?"
_OLD = "WHERE rowid IN (SELECT rowid FROM bot_state WHERE touched < ? ORDER BY touched, rowid LIMIT ?)"


class StateRows(StateColumns):
    """The statements that write and read rows with the key of one store."""

    # --- what is written ---

    def putting(self, key: StateKey, record: StateRecord, at: float) -> Statement:
        """Keep a record, in the place of the one before it."""
        return _PUT, self.written(key, record, at)

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

    def require_right_key(self, connection: sqlite3.Connection) -> None:
        """Raise BrokenSeal if another key has written the rows."""
        self.require_key(_select(connection, "ORDER BY rowid DESC LIMIT ?", LOOKED_AT))


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
    rows = connection.execute(columns, values)
    return [StoredState(name, tag, as_bytes(body), touched) for name, tag, body, touched in rows]
