"""What SQLite or a disk refuses, in an operator's words.

SQLite's own sentences may repeat what a row holds ("could not decode …"), so none of them is passed on: its error code
decides which of ours is said.
"""

import errno
import os
import sqlite3
from contextlib import suppress
from pathlib import Path

FULL = "the disk is full"
REFUSALS = (sqlite3.Error, UnicodeError)
"What Python's module raises where SQLite refuses: its own sentence may be no UTF-8, and half a surrogate is no text."

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"No room, no more of the user's share, a file that may not grow."

_REASONS = {
    "SQLITE_NOTADB": "it is not an SQLite database",
    "SQLITE_CORRUPT": "it is damaged: what stands on its pages does not fit together",
    "SQLITE_BUSY": "another program has locked it",
    "SQLITE_LOCKED": "another program has locked it",
    "SQLITE_READONLY": "it may only be read",
    "SQLITE_PERM": "this user may not use it",
    "SQLITE_AUTH": "this user may not use it",
    "SQLITE_CANTOPEN": "it, its log or its folder cannot be opened or written",
    "SQLITE_FULL": FULL,
    "SQLITE_IOERR": "the disk fails, or takes no more of it",
    "SQLITE_NOMEM": "there is not enough memory",
}
_ADVICE = {
    "SQLITE_NOTADB": "Restore a backup, or name another data folder.",
    "SQLITE_CORRUPT": "Restore a backup, or move the data folder away to start afresh.",
    "SQLITE_BUSY": "End that program, then try again.",
    "SQLITE_LOCKED": "End that program, then try again.",
    "SQLITE_READONLY": "Let this user write to the file and its folder.",
    "SQLITE_PERM": "Let this user read and write the file and its folder.",
    "SQLITE_AUTH": "Let this user read and write the file and its folder.",
    "SQLITE_CANTOPEN": "Let this user read and write the file and its folder.",
    "SQLITE_FULL": "Make room, then try again.",
}
"What to do about each, where something can be done."


def reason(error: Exception) -> str:
    """Return why a database or a file could not be used, as a part of a sentence."""
    if isinstance(error, OSError):
        return FULL if error.errno in _FULL else (error.strerror or type(error).__name__)
    if isinstance(error, sqlite3.Error):
        return _REASONS.get(_kind(error), f"SQLite refused it ({_name(error)})")
    return f"it holds what cannot be handled ({type(error).__name__})"


def unusable(database: Path, error: Exception) -> str:
    """Return the sentence on a database that cannot be used, with what to do about it."""
    kind = _kind(error)
    if kind in {"SQLITE_IOERR", "SQLITE_CANTOPEN"} and _has_no_room(database.parent):
        kind = "SQLITE_FULL"  # it says so of what it writes, and not of the index beside its log
    why = _REASONS.get(kind) or reason(error)
    return f"The database {database} cannot be used: {why}. {_ADVICE.get(kind, '')}".rstrip()


def is_of_the_disk(error: Exception | None) -> bool:
    """Return whether it is the file or its disk that fails, and not what was asked of them."""
    return _kind(error) in {"SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_CORRUPT"}


def _has_no_room(folder: Path) -> bool:
    with suppress(OSError):
        return os.statvfs(folder).f_bavail == 0
    return False


def _name(error: sqlite3.Error) -> str:
    """Return SQLite's name for what went wrong; Python's own complaints have none."""
    name: str = getattr(error, "sqlite_errorname", None) or type(error).__name__
    return name


def _kind(error: Exception | None) -> str:
    """Return the kind of an error: `SQLITE_IOERR_WRITE` and the like are one."""
    parts = _name(error).split("_") if isinstance(error, sqlite3.Error) else []
    return "_".join(parts[:2])
