"""The table of notifications: its SQL, and its rows read back."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final, cast, get_args

from ivr.errors import UnreadableRow
from ivr.outbox import Notification, NotificationState
from ivr.store.rows import LATEST, read_notify

ADD_NOTIFICATION: Final = (
    "INSERT INTO notification (call, id, body, made, due, state, tries, reason) "
    "VALUES (?, ?, ?, ?, ?, 'waiting', 0, '')"
)
CLAIM: Final = (
    "UPDATE notification SET owner = ?, due = ?, tries = tries + 1 WHERE rowid IN "
    "(SELECT rowid FROM notification WHERE state = 'waiting' AND due <= ? ORDER BY due LIMIT ?)"
)
SETTLE: Final = (
    "UPDATE notification SET state = ?1, due = ?2, reason = ?3, owner = NULL, body = iif(?1 = 'sent', '', body) "
    "WHERE id = ?4 AND state = 'waiting'"
)
REOPEN: Final = "UPDATE notification SET owner = NULL, due = made WHERE owner IS NOT NULL"
RETRY: Final = (  # of one that is being sent, the worker has the word: else another would send it at the same time
    "UPDATE notification SET state = 'waiting', due = iif(owner IS NULL, ?1, due), made = ?1, tries = 0, reason = '' "
    "WHERE id = ?2 AND state <> 'sent'"
)
DROP: Final = "DELETE FROM notification WHERE id = ? AND state <> 'sent'"

_COLUMNS = "SELECT id, body, made, state, due, tries, reason FROM notification"
_OWNED = f"{_COLUMNS} WHERE owner = ? ORDER BY rowid"
_ONE = f"{_COLUMNS} WHERE id = ?"
_NEWEST = f"{_COLUMNS} ORDER BY rowid DESC LIMIT ?"
_NEWEST_OF_STATE = f"{_COLUMNS} WHERE state = ? ORDER BY rowid DESC LIMIT ?"


def is_there(connection: sqlite3.Connection) -> bool:
    """Return whether there is a table: a server of an earlier version made none."""
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'notification'").fetchone() is not None


def find_owned(connection: sqlite3.Connection, owner: str) -> tuple[list[Notification], list[str]]:
    """Return what was handed out to an owner, and by name what of it cannot be read."""
    read: list[Notification] = []
    damaged: list[str] = []
    for row in connection.execute(_OWNED, (owner,)):
        try:
            read.append(read_notification(row))
        except UnreadableRow:
            damaged.append(str(row[0]))
    return read, damaged


def find_one(connection: sqlite3.Connection, notification: str) -> Notification | None:
    """Return one by its name; raise UnreadableRow."""
    row = connection.execute(_ONE, (notification,)).fetchone() if is_there(connection) else None
    return read_notification(row) if row else None


def find_newest(connection: sqlite3.Connection, state: NotificationState | None, limit: int) -> list[Notification]:
    """Return the newest ones, of one state or of all; of one that cannot be read, no text."""
    if not is_there(connection):
        return []
    asked = (_NEWEST, (limit,)) if state is None else (_NEWEST_OF_STATE, (state, limit))
    return [_readable(row) for row in connection.execute(*asked)]


def count_notifications(connection: sqlite3.Connection, state: NotificationState) -> int:
    """Count those of a state."""
    if not is_there(connection):
        return 0
    (number,) = connection.execute("SELECT count(*) FROM notification WHERE state = ?", (state,)).fetchone()
    return int(number)


def first_due(connection: sqlite3.Connection) -> float | None:
    """Return when the next one is due; None: none waits."""
    (due,) = connection.execute("SELECT min(due) FROM notification WHERE state = 'waiting'").fetchone()
    return due if isinstance(due, float) else None


def read_notification(row: Sequence[Any]) -> Notification:
    """Read a row back; raise UnreadableRow."""
    name, body, made, state, due, tries, reason = row
    times = (made, due)
    if state not in get_args(NotificationState) or not all(isinstance(at, float) and abs(at) <= LATEST for at in times):
        raise UnreadableRow("a notification has an invalid format")
    call, _, job = str(name).partition(".")
    notify = read_notify(body) if body != "" else None
    return Notification(call, notify, job, made, cast("NotificationState", state), int(tries), due, str(reason))


def _readable(row: Sequence[Any]) -> Notification:
    try:
        return read_notification(row)
    except UnreadableRow:
        call, _, job = str(row[0]).partition(".")
        return Notification(call, None, job, 0.0, "dead", reason="it cannot be read")
