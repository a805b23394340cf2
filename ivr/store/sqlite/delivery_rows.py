"""The tables of what is delivered to others, such as notifications, as SQL."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final, Generic, TypeVar

from ivr.outbox import DeliveryState
from ivr.store.delivery_columns import NOTIFICATION_COLUMNS, REQUEST_COLUMNS, DeliveryColumns
from ivr.store.sqlite.tables import LANE
from ivr.store.sqlite.writer import Statement

D = TypeVar("D")
_COLUMNS = "SELECT id, body, made, state, due, tries, reason FROM {}"
_SETTLE = (
    "UPDATE {} SET state = ?1, due = ?2, reason = ?3, owner = NULL, body = iif(?1 = 'sent', '', body) "
    "WHERE id = ?4 AND state = 'waiting'"
)

_RETRY = (
    "UPDATE {} SET state = 'waiting', due = iif(owner IS NULL, ?1, due), made = ?1, tries = 0, reason = '' "
    "WHERE id = ?2 AND state <> 'sent'"
)


class DeliveryTable(Generic[D]):
    """One of the tables."""

    def __init__(self, name: str, columns: DeliveryColumns[D], *, lane: str | None = None) -> None:
        """`lane`: SQL for what a row of the table `{}` waits for: the rows before it of the same lane; None: none."""
        self.name = name
        self._columns = columns
        self._first = ""
        "The condition that a row `one` waits for no other."
        if lane is not None:
            own, other = lane.format("one"), lane.format("earlier")
            self._first = (
                f"AND ({own} = '' OR NOT EXISTS (SELECT 1 FROM {name} AS earlier "  # noqa: S608  # our own names
                f"WHERE earlier.state = 'waiting' AND {other} = {own} AND earlier.rowid < one.rowid))"
            )
        self._add = (
            f"INSERT INTO {name} (call, id, body, made, due, state, tries, reason) "  # noqa: S608  # our own names
            "VALUES (?, ?, ?, ?, ?, 'waiting', 0, '')"
        )
        self._claim = (
            f"UPDATE {name} SET owner = ?, due = ?, tries = tries + 1 WHERE rowid IN "  # noqa: S608
            f"(SELECT rowid FROM {name} AS one WHERE state = 'waiting' AND due <= ? {self._first} "
            "ORDER BY due, rowid LIMIT ?)"
        )

    # --- what is written ---

    def adding(self, call: int, identity: str, body: str, made: float) -> Statement:
        """Add one that is due at once; `call` is the call's number in the store."""
        return self._add, (call, identity, body, made, made)

    def claiming(self, owner: str, *, until: float, now: float, limit: int) -> Statement:
        """Hand out what is due."""
        return self._claim, (owner, until, now, limit)

    def settling(self, identity: str, state: DeliveryState, at: float, reason: str) -> Sequence[Statement]:
        """Note what became of a try."""
        return ((_SETTLE.format(self.name), (state, at, reason, identity)),)

    def reopening(self) -> Statement:
        """Make due again what was handed out; nobody knows what became of those tries."""
        return f"UPDATE {self.name} SET owner = NULL, due = made, reason = '' WHERE owner IS NOT NULL", ()  # noqa: S608

    def retrying(self, identity: str, now: float) -> Statement:
        """Make one due anew; of one that is being sent, the worker has the word: else another would send it, too."""
        return _RETRY.format(self.name), (now, identity)

    def dropping(self, identity: str) -> Statement:
        """Forget one that was not sent."""
        return f"DELETE FROM {self.name} WHERE id = ? AND state <> 'sent'", (identity,)  # noqa: S608

    # --- what is read ---

    def is_there(self, connection: sqlite3.Connection) -> bool:
        """Return whether there is a table: a server of an earlier version made none."""
        return connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (self.name,)).fetchone() is not None

    def owned(self, connection: sqlite3.Connection, owner: str) -> tuple[list[D], list[str]]:
        """Return what was handed out to an owner, and by name what of it cannot be read."""
        return self._columns.sorted_out(self._select(connection, "WHERE owner = ? ORDER BY rowid", owner))

    def one(self, connection: sqlite3.Connection, identity: str) -> D | None:
        """Return one by its name; raise UnreadableRow."""
        found = self._select(connection, "WHERE id = ?", identity) if self.is_there(connection) else []
        return next((self._columns.read(row) for row in found), None)

    def newest(self, connection: sqlite3.Connection, state: DeliveryState | None, limit: int) -> list[D]:
        """Return the newest ones, of one state or of all; of one that cannot be read, its name."""
        if not self.is_there(connection):
            return []
        which = "" if state is None else "WHERE state = ?1"
        rows = self._select(connection, f"{which} ORDER BY rowid DESC LIMIT ?2", state, limit)
        return [self._columns.readable(row) for row in rows]

    def count(self, connection: sqlite3.Connection, state: DeliveryState) -> int:
        """Count those of a state."""
        if not self.is_there(connection):
            return 0
        counting = f"SELECT count(*) FROM {self.name} WHERE state = ?"  # noqa: S608
        (number,) = connection.execute(counting, (state,)).fetchone()
        return int(number)

    def first_due(self, connection: sqlite3.Connection) -> float | None:
        """Return when the next one is due; None: none waits."""
        asked = f"SELECT min(due) FROM {self.name} AS one WHERE state = 'waiting' {self._first}"  # noqa: S608
        (due,) = connection.execute(asked).fetchone()
        return due if isinstance(due, float) else None

    def _select(self, connection: sqlite3.Connection, which: str, *values: object) -> list[Sequence[Any]]:
        return connection.execute(f"{_COLUMNS.format(self.name)} {which}", values).fetchall()


class _Unkept(DeliveryTable[D]):
    """A table that keeps nothing of what was sent."""

    def settling(self, identity: str, state: DeliveryState, at: float, reason: str) -> Sequence[Statement]:
        """Note what became of a try."""
        if state == "sent":
            return (self.dropping(identity),)
        return super().settling(identity, state, at, reason)


NOTIFICATIONS: Final = DeliveryTable("notification", NOTIFICATION_COLUMNS)
PLATFORM_REQUESTS: Final = _Unkept("platform_request", REQUEST_COLUMNS, lane=LANE)
