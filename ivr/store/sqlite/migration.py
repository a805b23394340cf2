"""A database of an earlier version is converted at the start: once, and whole or not at all.

What is stored of the calls is read and written into a file beside the database, a call at a time, and that file takes
the database's name only when all of it is on the disk. Whatever happens before that leaves the old database as it is,
and the next start begins anew. At last the old file, which has no name any more, is overwritten, since it holds what
may have to be erased later.

Why not in the file itself: its log would hold all pages, old and new, and the file would be twice as large ever after.

A call of an earlier version had one row for its state, and its replies and its trace apart from that. It gets a row of
`turn` for each reply that is kept for repeats. The last of them holds the state and the whole trace, and is the only
one that is read for these. Recordings stay the files that they are. What cannot be read is taken over so that it cannot
be read afterwards either, and `ivr calls damaged` names the call.
"""

import contextlib
import itertools
import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

from msgspec import MsgspecError, Raw, Struct, field, json, msgpack

from ivr.engine.line_facts import LineFacts
from ivr.errors import DataUnusable
from ivr.ports import CallKey, Leg, WebhookReply
from ivr.store.data_folder import sync_folder
from ivr.store.live import BLOCK
from ivr.store.rows import LAST_REPLY, NEW_MESSAGE, SEALED_STATE
from ivr.store.sqlite.sqlite_errors import is_full, reason
from ivr.store.sqlite.tables import INDEXES, PAGE_SIZE, TABLES, VERSION

log = logging.getLogger(__name__)

TOLD_EVERY = 10.0
"Seconds between two lines in the log."
CHUNK = 1 << 20
"Bytes that are overwritten at once."


class _Record(Struct):
    """The column `rest` of an earlier version: a record without its call and its replies."""

    id: str
    key: CallKey
    version: int = 0
    steps: int = 0
    leg: Leg = field(default_factory=Leg)
    last: WebhookReply | None = None
    idle_at: float = 0.0
    wake: float | None = None
    line: LineFacts | None = None
    unmoved: int = 0


_RECORD = msgpack.Decoder(_Record).decode
_ANY_JSON = json.Decoder(Raw).decode
_TO_MSGPACK = msgpack.Encoder().encode

TurnRow: TypeAlias = tuple[object, ...]
"Message, reply, marks and recording."

# --- SQL: `main` is the old database, `converted` the new one ---------------------------------------------------------

_COLUMNS_OF_1 = {
    "call": frozenset({"row", "id", "channel", "account", "name", "over", "state", "rest"}),
    "reply": frozenset({"call", "message", "body"}),
    "trace": frozenset({"call", "line", "body"}),
    "job": frozenset({"call", "kind", "id", "body", "attempts", "answered", "answer"}),
    "media": frozenset({"name", "call"}),
    "flow": frozenset({"hash", "source"}),
}
_COLUMNS_OF_2 = {
    "ended": frozenset({"call", "at"}),
    "block": frozenset({"number", "changes", "members"}),
    "seal": frozenset({"proof"}),
}
EARLIER: Mapping[int, Mapping[str, frozenset[str]]] = {1: _COLUMNS_OF_1, 2: _COLUMNS_OF_1 | _COLUMNS_OF_2}
"The tables and columns of each version that can be converted."

# When a call ended is known since version 2. Of a column that holds no JSON `json_extract` fails the whole question.
_CALLS = """
INSERT INTO converted.call SELECT row, id, channel, account, name, CASE WHEN over = 0 THEN NULL ELSE coalesce(
    {known},
    CAST((SELECT iif(json_valid(body), json_extract(body, '$.now'), NULL) FROM main.trace WHERE trace.call = row
          ORDER BY line DESC LIMIT 1) AS REAL),
    CAST(iif(json_valid(state), json_extract(state, '$.facts.started'), NULL) AS REAL),
    0.0) END FROM main.call ORDER BY row
"""
_ALL = """
INSERT INTO converted.job (call, kind, id, body, attempts, answered, answer)
SELECT call, kind, id, body, attempts, answered, answer FROM main.job ORDER BY rowid;
INSERT INTO converted.flow SELECT hash, source FROM main.flow;
"""
# Whose a recording is may be damaged, and the sweep must spare it all the same. No call ever has a number below zero.
_OTHER_MEDIA = """
INSERT INTO converted.turn (call, state, rest, marks, trace, media)
SELECT -1, '', x'', 0, '[]', name FROM main.media WHERE call NOT IN (SELECT row FROM main.call);
"""
_SINCE_2 = """
INSERT INTO converted.block SELECT number, changes, members FROM main.block;
INSERT INTO converted.seal SELECT proof FROM main.seal;
"""
_BLOCKS = f"INSERT INTO converted.block SELECT DISTINCT row / {BLOCK}, 1, 1 FROM main.call;"  # noqa: S608  # our own text

_ADD_TURN = """
INSERT INTO converted.turn (call, state, rest, message, reply, marks, media, trace)
VALUES (?, '', ?, ?, ?, ?, ?, '[]')
"""
# The state is copied as it stands, whatever that is; it is marked if it holds sealed values.
_ADD_LAST_TURN = """
INSERT INTO converted.turn (call, state, rest, message, reply, marks, media, trace)
SELECT row, state, ?, ?, ?, ? + iif(instr(state, '"private":') > 0, ?, 0), ?, ? FROM main.call WHERE row = ?
"""


# --- the file ---------------------------------------------------------------------------------------------------------


def convert(connection: sqlite3.Connection, database: Path, version: int) -> None:
    """Convert a database that is open as `main`, and return once the new one is on the disk. Blocks on it.

    Only for the owner of the data folder. Raises DataUnusable, or what SQLite raises; the database is as before then.
    """
    # From here on nobody else uses the file, and all that belongs to it is in it.
    connection.execute("PRAGMA main.locking_mode = EXCLUSIVE").fetchone()
    connection.execute("PRAGMA main.journal_mode = DELETE").fetchone()
    try:
        _convert(connection, database.resolve(), version)  # another file takes its name, and not that of a link to it
    except OSError as error:
        raise DataUnusable(f"The database {database} cannot be converted: {reason(error)}.") from error


def _convert(connection: sqlite3.Connection, database: Path, version: int) -> None:
    converted = database.with_name(f"{database.name}.new")
    converted.unlink(missing_ok=True)  # of a start that was cut off
    (size,) = connection.execute(
        "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, "
        "pragma_page_size"
    ).fetchone()
    size += size // 10  # a few columns more than before
    if shutil.disk_usage(database.parent).free < size:
        raise DataUnusable(_no_room(database, size))
    log.info("converting the database", extra={"file": database.name, "reason": f"it is of version {version}"})
    try:
        os.close(os.open(converted, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        calls = _fill(connection, converted, version)
        with database.open("r+b") as old:
            converted.replace(database)
            sync_folder(database.parent)
            _overwrite(old.fileno())
    except sqlite3.Error as error:
        if is_full(error):
            raise DataUnusable(_no_room(database, size)) from error
        raise
    finally:
        with contextlib.suppress(OSError):
            converted.unlink(missing_ok=True)
    log.info("database converted", extra={"file": database.name, "calls": calls})


def _no_room(database: Path, size: int) -> str:
    megabytes = size // 1_000_000 + 1
    return (
        f"The database {database} was written by an earlier version of this server and must be converted, for which "
        f"about {megabytes} MB must be free on its disk. Free some space, then start again. Nothing was changed."
    )


def _fill(connection: sqlite3.Connection, converted: Path, version: int) -> int:
    """Write all that the old database holds into a new one, which is on the disk then; return the number of calls."""
    with closing(sqlite3.connect(converted, isolation_level=None)) as new:
        new.executescript(f"PRAGMA page_size = {PAGE_SIZE}; {TABLES} PRAGMA user_version = {VERSION};")
    connection.execute("ATTACH ? AS converted", (str(converted),))
    # A file that is thrown away if anything goes wrong needs no journal.
    connection.executescript("PRAGMA converted.journal_mode = OFF; PRAGMA converted.synchronous = OFF;")
    connection.execute("BEGIN EXCLUSIVE")
    known = "(SELECT at FROM main.ended WHERE ended.call = row)" if version > 1 else "NULL"
    connection.execute(_CALLS.format(known=known))
    calls = _fill_turns(connection)
    for statement in f"{_OTHER_MEDIA} {_ALL} {_SINCE_2 if version > 1 else _BLOCKS}".split(";"):
        connection.execute(statement)
    connection.execute("COMMIT")
    connection.execute("DETACH converted")
    with closing(sqlite3.connect(converted, isolation_level=None)) as new:
        new.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {INDEXES}")
    with converted.open("rb") as file:
        os.fsync(file.fileno())
    return calls


def _overwrite(descriptor: int) -> None:
    """Overwrite a file, as far as the file system writes where it has written before."""
    size = os.fstat(descriptor).st_size
    for place in range(0, size, CHUNK):
        os.pwrite(descriptor, bytes(min(CHUNK, size - place)), place)
    os.fsync(descriptor)


# --- the calls --------------------------------------------------------------------------------------------------------


def _fill_turns(connection: sqlite3.Connection) -> int:
    """Write the turns of all calls, one call at a time; return the number of calls."""
    (total,) = connection.execute("SELECT count(*) FROM main.call").fetchone()
    done, tell_at = 0, time.monotonic() + TOLD_EVERY
    for row, call, channel, account, name, before in connection.execute(
        "SELECT row, id, channel, account, name, rest FROM main.call ORDER BY row"
    ):
        rest, last = _rest(before, call, CallKey(channel, account, name))
        *turns, (message, reply, marks, media) = _turns(connection, row, last)
        bare = _TO_MSGPACK((str(call), 0, 0, {}, 0.0, None, None, 0))  # these are read for reply and recording alone
        connection.executemany(_ADD_TURN, [(row, bare, *turn) for turn in turns])
        final = (rest, message, reply, marks, SEALED_STATE, media, _trace(connection, row), row)
        connection.execute(_ADD_LAST_TURN, final)
        done += 1
        if time.monotonic() > tell_at:
            tell_at = time.monotonic() + TOLD_EVERY
            log.info("converting the database", extra={"reason": f"{done} of {total} calls"})
    return done


def _rest(rest: object, call: object, key: CallKey) -> tuple[object, WebhookReply | None]:
    """Return the column `rest`, and the last reply; one that cannot be read, or is of another call, stays as it is."""
    try:
        record = _RECORD(rest)  # type: ignore[arg-type]
    except (MsgspecError, TypeError, ValueError, RecursionError):
        return rest, None
    if (record.id, record.key) != (call, key):
        return rest, None
    columns = (
        record.id, record.version, record.steps, record.leg.notes, record.idle_at, record.wake, record.line,
        record.unmoved,
    )  # fmt: skip
    return _TO_MSGPACK(columns), record.last


def _turns(connection: sqlite3.Connection, row: int, last: WebhookReply | None) -> list[TurnRow]:
    """Return a call's turns in order: as many without a message as it takes, then one for each reply."""
    found = connection.execute("SELECT message, body FROM main.reply WHERE call = ? ORDER BY rowid", (row,))
    turns: list[list[object]] = [[message, reply, NEW_MESSAGE] for message, reply in found]
    if last is not None:
        told = _TO_MSGPACK(last)
        spoken = next((turn for turn in reversed(turns) if turn[1] == told), None)
        if spoken is None:  # its message is not remembered any more
            turns.insert(0, [None, told, LAST_REPLY])
        else:
            spoken[2] = NEW_MESSAGE | LAST_REPLY
    media = [name for (name,) in connection.execute("SELECT name FROM main.media WHERE call = ?", (row,))]
    turns[:0] = [[None, None, 0] for _ in range(max(1, len(media)) - len(turns))]
    return [(*turn, name) for turn, name in itertools.zip_longest(turns, media)]


def _trace(connection: sqlite3.Connection, row: int) -> str:
    """Return a call's trace as one JSON array; a line that is no JSON stands in it as a text, and is no line either."""
    lines = connection.execute("SELECT body FROM main.trace WHERE call = ? ORDER BY line", (row,))
    return f"[{','.join(_line(body) for (body,) in lines)}]"


def _line(body: object) -> str:
    try:
        _ANY_JSON(body)  # type: ignore[arg-type]
    except (MsgspecError, TypeError, ValueError, RecursionError):
        return json.encode(str(body)).decode()
    return str(body)
