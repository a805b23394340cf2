"""What SQLite or a disk refuses, in an operator's words.

SQLite's own sentences may repeat what a row holds ("could not decode …"), so none of them is passed on: its error code
decides which of ours is said.
"""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from ivr.store.disk_errors import FULL, disk_reason

REFUSALS = (sqlite3.Error, UnicodeError)
"What Python's module raises where SQLite refuses: its own sentence may be no UTF-8, and half a surrogate is no text."

_REASONS = {
    "SQLITE_NOTADB": "it is not an SQLite database",
    "SQLITE_CORRUPT": "it is damaged",
    "SQLITE_BUSY": "it is locked by another program",
    "SQLITE_LOCKED": "it is locked by another program",
    "SQLITE_READONLY": "it is read-only",
    "SQLITE_PERM": "this user has no permission for it",
    "SQLITE_AUTH": "this user has no permission for it",
    "SQLITE_CANTOPEN": "the file, its log or its folder cannot be opened or written",
    "SQLITE_FULL": FULL,
    "SQLITE_IOERR": "the disk failed or is full",
    "SQLITE_NOMEM": "there is not enough memory",
}
_ADVICE = {
    "SQLITE_NOTADB": "Restore a backup, or use another data folder.",
    "SQLITE_CORRUPT": "Restore a backup, or move the data folder away to start empty.",
    "SQLITE_BUSY": "Stop that program, then try again.",
    "SQLITE_LOCKED": "Stop that program, then try again.",
    "SQLITE_READONLY": "Give this user write permission for the file and its folder.",
    "SQLITE_PERM": "Give this user read and write permission for the file and its folder.",
    "SQLITE_AUTH": "Give this user read and write permission for the file and its folder.",
    "SQLITE_CANTOPEN": "Give this user read and write permission for the file and its folder.",
    "SQLITE_FULL": "Free some space, then try again.",
}
"What to do about each, where something can be done."


def reason(error: BaseException) -> str:
    """Return why a database or a file could not be used, as a part of a sentence."""
    if isinstance(error, OSError):
        return disk_reason(error)
    if isinstance(error, sqlite3.Error):
        return _REASONS.get(_kind(error), f"SQLite error {_name(error)}")
    return f"it contains invalid data ({type(error).__name__})"


def unusable(database: Path, error: Exception) -> str:
    """Return the sentence on a database that cannot be used, with what to do about it."""
    kind = _kind(error)
    if kind in {"SQLITE_IOERR", "SQLITE_CANTOPEN"} and _has_no_room(database.parent):
        kind = "SQLITE_FULL"  # it says so of what it writes, and not of the index beside its log
    why = _REASONS.get(kind) or reason(error)
    return f"The database {database} cannot be used: {why}. {_ADVICE.get(kind, '')}".rstrip()


def is_of_the_disk(error: BaseException | None) -> bool:
    """Return whether it is the file or its disk that fails, and not what was asked of them."""
    return _kind(error) in {"SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_CORRUPT"}


def is_full(error: Exception) -> bool:
    """Return whether there is no room left on the disk."""
    return _kind(error) == "SQLITE_FULL"


def _has_no_room(folder: Path) -> bool:
    with suppress(OSError):
        return os.statvfs(folder).f_bavail == 0
    return False


def _name(error: sqlite3.Error) -> str:
    """Return SQLite's name for what went wrong; Python's own complaints have none."""
    name: str = getattr(error, "sqlite_errorname", None) or type(error).__name__
    return name


def _kind(error: BaseException | None) -> str:
    """Return the kind of an error: `SQLITE_IOERR_WRITE` and the like are one."""
    parts = _name(error).split("_") if isinstance(error, sqlite3.Error) else []
    return "_".join(parts[:2])
