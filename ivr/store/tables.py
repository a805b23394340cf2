"""The tables, and how the file is opened."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from ivr.errors import DataUnusable
from ivr.store.data_folder import sync_folder
from ivr.store.sqlite_errors import REFUSALS, reason, unusable

VERSION = 3
"Kept in the file's `user_version`."
BLOCK = 2000
"Calls in a block; part of the format."

TABLES = """
-- One row for each call, live or over. The number is ours, counted in the order in which calls began.
CREATE TABLE call (
    row     INTEGER PRIMARY KEY,
    id      TEXT NOT NULL UNIQUE,      -- 32 hexadecimal digits: what logs, traces and file names say
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    name    TEXT NOT NULL,             -- the platform's id of the call
    ended   REAL,                      -- NULL: live; else when the last thing happened, in seconds since 1970
    UNIQUE (channel, account, name)
);

-- One row for each turn, numbered by us in the order of all turns: those of one commit share a page, and a call is as
-- its last row says. What a turn takes of a caller's voice is the last column, so that nothing else is read past it.
CREATE TABLE turn (
    seq     INTEGER PRIMARY KEY,
    call    INTEGER NOT NULL,
    state   TEXT NOT NULL,             -- the engine's call after this turn, JSON
    rest    BLOB NOT NULL,             -- the record around it, a MessagePack array (rows.py)
    message TEXT,                      -- what stands for the message that this turn answers; NULL: none
    reply   BLOB,                      -- MessagePack; nil: owed; NULL: this turn wrote none
    marks   INTEGER NOT NULL,          -- 1: the message is new among the replies, 2: the reply is the call's last one,
                                       -- 4: the state holds sealed values; their sum
    trace   TEXT NOT NULL,             -- what happened, a JSON array of lines
    media   TEXT,                      -- the recording that this turn took
    audio   BLOB                       -- the recording itself, if it is small; NULL: it is a file
);

-- What is still owed, in the order in which it was asked for (rowid). A row leaves when its answer was stepped, or when
-- the answer is no longer wanted.
CREATE TABLE job (
    call     INTEGER NOT NULL,
    kind     TEXT NOT NULL,            -- request: to a service; outbound: to the platform
    id       TEXT NOT NULL,
    body     TEXT NOT NULL,            -- JSON
    attempts INTEGER NOT NULL,         -- runs begun
    owner    TEXT,                     -- who has the last run
    until    REAL,                     -- when that one is taken to be dead, in seconds since 1970
    answered INTEGER,                  -- NULL: open; else its place among all answers
    answer   BLOB,                     -- JSON; sealed if the request is sensitive
    UNIQUE (call, kind, id)
);

CREATE TABLE flow (
    hash   TEXT PRIMARY KEY,
    source BLOB NOT NULL
) WITHOUT ROWID;

-- For each block of calls (row / BLOCK), how often something in it has changed, and how often which calls it holds.
CREATE TABLE block (
    number  INTEGER PRIMARY KEY,
    changes INTEGER NOT NULL,
    members INTEGER NOT NULL
);

-- A text of ours, sealed: tells a damaged value from another key.
CREATE TABLE seal (
    proof BLOB NOT NULL
);
"""

# Made wherever one is missing.
INDEXES = """
CREATE INDEX IF NOT EXISTS live ON call (row) WHERE ended IS NULL;
CREATE INDEX IF NOT EXISTS ended_at ON call (ended) WHERE ended IS NOT NULL;
CREATE INDEX IF NOT EXISTS turn_of_call ON turn (call);
CREATE INDEX IF NOT EXISTS turn_of_media ON turn (media) WHERE media IS NOT NULL;
CREATE INDEX IF NOT EXISTS owed ON job (answered) WHERE kind = 'request';
"""

LATEST_TURN = "turn.seq = (SELECT max(seq) FROM turn AS one WHERE one.call = call.row)"
"The row that says how a call stands, where `turn` is joined to `call`."


# --- columns that hold JSON -------------------------------------------------------------------------------------------

# Of a column that holds something else these read NULL: `json_extract` alone fails the whole question, and with it the
# answer for all other calls.


def of_state(member: str) -> str:
    """Return the SQL for a member of a call's state; NULL: it has none, or cannot be read."""
    return f"iif(json_valid(state), json_extract(state, '$.{member}'), NULL)"


def of_trace(member: str) -> str:
    """Return the SQL for a member of a turn's trace, `[#-1].now` say; NULL: it has none, or cannot be read."""
    return f"iif(json_valid(trace), json_extract(trace, '${member}'), NULL)"


def as_bytes(stored: object) -> bytes:
    """Return what stands in a column of bytes; what is something else stands for nothing that can be read."""
    return stored if isinstance(stored, bytes) else b""


# --- the file ---------------------------------------------------------------------------------------------------------


def open_database(database: Path) -> sqlite3.Connection:
    """Open the file for writing, from whichever thread; make it if need be, for its owner alone. Blocks on the disk.

    Raises DataUnusable if it is another program's database, is damaged, or has an unknown version.
    """
    try:
        os.close(os.open(database, os.O_RDWR | os.O_CREAT, 0o600))
        database.chmod(0o600)  # its log and index get the same mode from SQLite
        sync_folder(database.parent)
    except OSError as exc:
        raise DataUnusable(f"The database {database} cannot be opened: {reason(exc)}.") from exc
    try:
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
    """Raise DataUnusable unless this is a database of ours that can be read as it stands, of this version or before."""
    if _version(connection, database) == 0:
        raise DataUnusable(f"{database} is the database of another program. Use another data folder.")
    _check_tables(connection, database)


def _connected(database: Path | str, **more: bool | int | None) -> sqlite3.Connection:
    connection = sqlite3.connect(database, check_same_thread=False, **more)  # type: ignore[arg-type]
    # A text that is damaged is no UTF-8. It must spoil its own row alone, and not the whole question.
    connection.text_factory = _text
    return connection


def _text(stored: bytes) -> str:
    return stored.decode("utf-8", "backslashreplace")


def _prepare(connection: sqlite3.Connection, database: Path) -> None:
    version = _version(connection, database)
    connection.execute("PRAGMA page_size = 8192")  # of a new file: a tenth less work for a commit than with 4096
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
    _check_tables(connection, database)
    connection.executescript(f"BEGIN; {INDEXES} COMMIT;")


def _version(connection: sqlite3.Connection, database: Path) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise DataUnusable(
            f"{database} was written by a newer version of this server (schema {version}, here {VERSION}). "
            "Start that version, or use another data folder."
        )
    if version not in {0, VERSION}:
        raise DataUnusable(f"{database} has the unknown schema {version}.")
    return int(version)


def _check_tables(connection: sqlite3.Connection, database: Path) -> None:
    """Refuse a file that lacks a table or a column."""
    with closing(sqlite3.connect(":memory:")) as model:
        model.executescript(TABLES)
        wanted = _columns(model)
    there = _columns(connection)
    lacking = [
        f"table {table}" if table not in there else f"column {column} in the table {table}"
        for table, columns in wanted.items()
        for column in sorted(columns - there.get(table, set()))
    ]
    if lacking:
        raise DataUnusable(
            f"The database {database} has no {lacking[0]}: it is damaged, or another program has changed it. "
            "Restore a backup, or move the data folder away to start empty."
        )


def _columns(connection: sqlite3.Connection) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for table, column in connection.execute(
        "SELECT m.name, info.name FROM sqlite_master AS m, pragma_table_info(m.name) AS info WHERE m.type = 'table'"
    ):
        found.setdefault(table, set()).add(column)
    return found
