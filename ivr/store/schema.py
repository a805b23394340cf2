"""The tables, and how the file is opened."""

import os
import sqlite3
from pathlib import Path

from ivr.errors import DataUnusable
from ivr.store.folder import sync_folder

VERSION = 1
"Kept in the file's `user_version`."

TABLES = """
-- One row for each call, live or over. The number is ours, counted in the order of first commits.
CREATE TABLE call (
    row     INTEGER PRIMARY KEY,
    id      TEXT NOT NULL UNIQUE,      -- 32 hexadecimal digits: what logs, traces and file names say
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    name    TEXT NOT NULL,             -- the platform's id of the call
    over    INTEGER NOT NULL,          -- 1: not loaded into memory
    state   TEXT NOT NULL,             -- the engine's call, JSON
    rest    BLOB NOT NULL,             -- the record around it, MessagePack
    UNIQUE (channel, account, name)
);
CREATE INDEX live ON call (row) WHERE over = 0;

-- What repeats of a message get, in the order in which the messages came (rowid). Apart from its call, since a turn
-- writes one reply and keeps up to 16.
CREATE TABLE reply (
    call    INTEGER NOT NULL,
    message TEXT NOT NULL,             -- the platform's id of the message
    body    BLOB NOT NULL,             -- MessagePack; nil: not written yet
    UNIQUE (call, message)
);

-- What happened, line by line. In the order of all calls (rowid), so that the lines of one commit share a page.
CREATE TABLE trace (
    call INTEGER NOT NULL,
    line INTEGER NOT NULL,             -- from 0, without a gap
    body TEXT NOT NULL,                -- JSON
    UNIQUE (call, line)
);

-- What is still owed, in the order in which it was asked for (rowid). A row leaves when its answer was stepped, or when
-- nobody wants the answer any more.
CREATE TABLE job (
    call     INTEGER NOT NULL,
    kind     TEXT NOT NULL,            -- request: to a service; outbound: to the platform
    id       TEXT NOT NULL,
    body     TEXT NOT NULL,            -- JSON
    attempts INTEGER NOT NULL,         -- runs begun
    answered INTEGER,                  -- NULL: open; else its place among all answers
    answer   BLOB,                     -- JSON; sealed if the request is sensitive
    UNIQUE (call, kind, id)
);

-- Every recording that a call took; the sweep spares these.
CREATE TABLE media (
    name TEXT PRIMARY KEY,
    call INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE flow (
    hash   TEXT PRIMARY KEY,
    source BLOB NOT NULL
) WITHOUT ROWID;
"""


def open_database(database: Path) -> sqlite3.Connection:
    """Open the file for writing, from whichever thread; make it if need be, for its owner alone. Blocks on the disk.

    Raises DataUnusable if it is no database of ours, or of a version that is not known here.
    """
    try:
        os.close(os.open(database, os.O_RDWR | os.O_CREAT, 0o600))
        database.chmod(0o600)  # its log and index get the same mode from SQLite
        sync_folder(database.parent)
        connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as exc:
        raise DataUnusable(f"The database {database} cannot be opened: {exc}.") from exc
    try:
        _prepare(connection, database)
    except sqlite3.Error as exc:
        connection.close()
        raise DataUnusable(f"{database} is no database that this server can use: {exc}.") from exc
    except DataUnusable:
        connection.close()
        raise
    return connection


def open_for_reading(database: Path) -> sqlite3.Connection:
    """Open the file, an absolute path, beside its writer, from whichever thread."""
    return sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, check_same_thread=False)


def _prepare(connection: sqlite3.Connection, database: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise DataUnusable(
            f"{database} was written by a newer version of this server (schema {version}, this one knows {VERSION}). "
            "Start that version, or name another data folder."
        )
    connection.execute("PRAGMA page_size = 8192")  # of a new file: a tenth less work for a commit than with 4096
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise DataUnusable(f"{database} lies where SQLite cannot keep a write-ahead log; use a local disk.")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")  # what is dropped with a call is overwritten, for 2 % of the rate
    connection.execute("PRAGMA cache_size = -16000")  # KiB: the rows of some thousand live calls
    if version == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
        raise DataUnusable(f"{database} is another program's database; name another data folder.")
    if version == 0:
        connection.executescript(f"BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
