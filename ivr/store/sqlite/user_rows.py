"""What is kept of callers, as rows: a turn writes them with its own, and who erases a caller finds them by his name.

The name itself does not stand there, but a keyed hash of it (`Sealer.caller`): whoever copies the database without the
key learns no telephone number from these rows.
"""

import sqlite3
from collections.abc import Sequence
from typing import Final

from msgspec import MsgspecError

from ivr.call_record import Commit
from ivr.engine.values import Stored
from ivr.errors import BrokenSeal
from ivr.store.sealing import Sealer
from ivr.store.sqlite.writer import Statement
from ivr.store.user_columns import READ_VALUE, line_column, place_of, written
from ivr.user_values import KeptValue, Known, User

_KEEP: Final = (
    "INSERT INTO user_value (caller, line, name, value, sealed, until) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (caller, line, name) "
    "DO UPDATE SET value = excluded.value, sealed = excluded.sealed, until = excluded.until"
)
# What is dropped is overwritten first: see `statements.overwrite_statements`.
_OVERWRITE: Final = "UPDATE user_value SET value = zeroblob(length(value)) WHERE "
_DROP: Final = "DELETE FROM user_value WHERE "


class UserRows:
    """Writes and reads the rows of one store."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def kept(self, commit: Commit) -> Sequence[Statement]:
        """Write what a turn keeps of its caller, or erases; raise StoreUnavailable for what has no written form."""
        user = commit.record.user
        if user is None:
            return ()
        return [statement for one in commit.kept for statement in self._kept(user, one)]

    def known(self, connection: sqlite3.Connection, user: User, now: float) -> Known:
        """Read what is kept of a caller, but for what cannot be read."""
        caller, line = self._sealer.caller(user.name), line_column(user)
        rows = connection.execute(
            "SELECT name, value, sealed FROM user_value WHERE caller = ? AND line = ? AND until > ?",
            (caller, line, now),
        ).fetchall()
        found: dict[str, tuple[Stored, bool]] = {}
        for name, value, sealed in rows:
            try:
                plain = self._sealer.unseal(value, place_of(caller, line, name)) if sealed else value
                found[name] = (READ_VALUE(plain), bool(sealed))
            except (BrokenSeal, MsgspecError, TypeError, ValueError):
                continue
        return found

    def forgetting(self, user: User) -> Sequence[Statement]:
        """Erase what is kept of a caller of one line."""
        return _both("caller = ? AND line = ?", self._sealer.caller(user.name), line_column(user))

    def erase(self, connection: sqlite3.Connection, caller: str) -> int:
        """Erase what is kept of a caller on all lines; return how many values that were."""
        erased = 0
        for statement, values in _both("caller = ?", self._sealer.caller(caller)):
            erased = connection.execute(statement, values).rowcount
        return erased

    def _kept(self, user: User, one: KeptValue) -> Sequence[Statement]:
        caller, line = self._sealer.caller(user.name), line_column(user)
        if one.value is None:
            return _both("caller = ? AND line = ? AND name = ?", caller, line, one.name)
        value = written(one.value)
        if one.private:
            value = self._sealer.seal(value, place_of(caller, line, one.name))
        return [(_KEEP, (caller, line, one.name, value, int(one.private), one.until))]


def expired(now: float) -> Sequence[Statement]:
    """Erase what has been kept for as long as it was to be."""
    return _both("until <= ?", now)


def count_values(connection: sqlite3.Connection) -> int:
    """Count all that is kept of callers."""
    (count,) = connection.execute("SELECT count(*) FROM user_value").fetchone()
    return int(count)


def count_expired(connection: sqlite3.Connection, now: float) -> int:
    """Count that. Reads an index."""
    (count,) = connection.execute("SELECT count(*) FROM user_value WHERE until <= ?", (now,)).fetchone()
    return int(count)


def _both(which: str, *values: bytes | str | float) -> Sequence[Statement]:
    return (_OVERWRITE + which, values), (_DROP + which, values)
