"""How the database is opened, and made or converted if need be."""

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from ivr.errors import DataUnusable
from ivr.store.data_folder import sync_folder
from ivr.store.sqlite.migration import EARLIER, convert
from ivr.store.sqlite.sqlite_errors import REFUSALS, reason, unusable
from ivr.store.sqlite.tables import INDEXES, PAGE_SIZE, TABLES, VERSION


def open_database(database: Path) -> sqlite3.Connection:
    """Open the file for writing, from whichever thread; make it, for its owner alone, or convert it, if need be.

    Blocks on the disk. Raises DataUnusable if it is another program's database, is damaged, or has an unknown version.
    """
    try:
        os.close(os.open(database, os.O_RDWR | os.O_CREAT, 0o600))
        database.chmod(0o600)  # its log and index get the same mode from SQLite
        sync_folder(database.parent)
    except OSError as exc:
        raise DataUnusable(f"The database {database} cannot be opened: {reason(exc)}.") from exc
    try:
        _convert_earlier(database)
        connection = _connected(database, isolation_level=None, cached_statements=512)
    except REFUSALS as exc:
        raise DataUnusable(unusable(database, exc)) from exc
    try:
        _prepare(connection, database)
    except REFUSALS as exc:
        connection.close()
        raise DataUnusable(unusable(database, exc)) from exc
    except DataUnusable:
        connection.close()
        raise
    return connection


def open_for_reading(database: Path) -> sqlite3.Connection:
    """Open the file, an absolute path, beside its writer, from whichever thread."""
    return _connected(f"{database.as_uri()}?mode=ro", uri=True)


def check_readable(connection: sqlite3.Connection, database: Path) -> None:
    """Raise DataUnusable unless this is a database of ours that can be read as it stands."""
    version = _version(connection, database)
    if version == 0:
        raise DataUnusable(f"{database} is the database of another program. Use another data folder.")
    if version in EARLIER:
        raise DataUnusable(
            f"{database} was written by an earlier version of this server. "
            "Start `ivr serve` with this data folder once: it converts it."
        )
    _check_columns(connection, database, _columns_of_this())


def _connected(database: Path | str, **more: bool | int | None) -> sqlite3.Connection:
    connection = sqlite3.connect(database, check_same_thread=False, **more)  # type: ignore[arg-type]
    # A text that is damaged is no UTF-8. It must spoil its own row alone, and not the whole question.
    connection.text_factory = _text
    return connection


def _text(stored: bytes) -> str:
    return stored.decode("utf-8", "backslashreplace")


def _convert_earlier(database: Path) -> None:
    with closing(_connected(database, isolation_level=None)) as connection:
        version = _version(connection, database)
        if version in EARLIER:
            _check_columns(connection, database, EARLIER[version])
            convert(connection, database, version)


def _prepare(connection: sqlite3.Connection, database: Path) -> None:
    version = _version(connection, database)
    connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")  # of a new file
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise DataUnusable(f"{database} is on a file system without SQLite's write-ahead log. Use a local disk.")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")  # what is dropped with a call is overwritten, for 2 % of the rate
    connection.execute("PRAGMA cache_size = -16000")  # KiB: the rows of some thousand live calls
    if version == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
        raise DataUnusable(f"{database} is the database of another program. Use another data folder.")
    if version == 0:
        connection.executescript(f"BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
    _check_columns(connection, database, _columns_of_this())
    connection.executescript(f"BEGIN; {INDEXES} COMMIT;")


def _version(connection: sqlite3.Connection, database: Path) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise DataUnusable(
            f"{database} was written by a newer version of this server (schema {version}, here {VERSION}). "
            "Start that version, or use another data folder."
        )
    if version < 0:
        raise DataUnusable(f"{database} has the unknown schema {version}.")
    return int(version)


def _check_columns(connection: sqlite3.Connection, database: Path, wanted: Mapping[str, frozenset[str]]) -> None:
    """Refuse a file that lacks a table or a column."""
    there = _columns(connection)
    lacking = [
        f"table {table}" if table not in there else f"column {column} in the table {table}"
        for table, columns in wanted.items()
        for column in sorted(columns - there.get(table, frozenset()))
    ]
    if lacking:
        raise DataUnusable(
            f"The database {database} has no {lacking[0]}: it is damaged, or another program has changed it. "
            "Restore a backup, or move the data folder away to start empty."
        )


def _columns_of_this() -> Mapping[str, frozenset[str]]:
    with closing(sqlite3.connect(":memory:")) as model:
        model.executescript(TABLES)
        return _columns(model)


def _columns(connection: sqlite3.Connection) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for table, column in connection.execute(
        "SELECT m.name, info.name FROM sqlite_master AS m, pragma_table_info(m.name) AS info WHERE m.type = 'table'"
    ):
        found.setdefault(table, set()).add(column)
    return {table: frozenset(columns) for table, columns in found.items()}
