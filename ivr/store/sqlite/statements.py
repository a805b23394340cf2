"""What is written beside the rows of turns, as SQL, and the questions that the server asks of the tables."""

import itertools
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from ivr.call_record import REMEMBERED, CallRecord, Commit
from ivr.conversations import number_of, numbered
from ivr.engine.events import Event
from ivr.errors import DamagedCall, DataUnusable
from ivr.ports import CallKey
from ivr.store.call_reading import StoredCallRow, printable_id, read_call
from ivr.store.live import BLOCK, Saved
from ivr.store.orders import Owed, Run, orders_of
from ivr.store.rows import Rows, TurnRow, to_json
from ivr.store.sqlite.delivery_rows import NOTIFICATIONS, PLATFORM_REQUESTS
from ivr.store.sqlite.tables import as_bytes
from ivr.store.sqlite.writer import CHANGE_BLOCKS, Statement

REQUEST: Final = "request"

_ADD_JOB = "INSERT INTO job (call, kind, id, body, attempts) VALUES (?, ?, ?, ?, 0)"
_DROP_JOB = "DELETE FROM job WHERE call = ? AND kind = ? AND id = ?"
_COUNT_RUN = "UPDATE job SET attempts = ?, owner = ?, until = ? WHERE call = ? AND kind = ? AND id = ?"
_ANSWER_JOB = "UPDATE job SET answered = ?, answer = ? WHERE call = ? AND kind = ? AND id = ? AND answered IS NULL"
ADD_FLOW: Final = "INSERT OR IGNORE INTO flow (hash, source) VALUES (?, ?)"
# The row that tells the last reply stays until a later one tells it.
_DROP_TURNS = f"""
DELETE FROM turn WHERE call = ? AND message NOT IN ({", ".join("?" * REMEMBERED)}) AND trace = '[]' AND media IS NULL
AND (marks & 2 = 0 OR EXISTS (SELECT 1 FROM turn AS later WHERE later.call = turn.call AND later.seq > turn.seq
AND later.marks & 2))
"""  # noqa: S608  # our own text
# Once a call is over, not even sealed values are left of it.
_UNSEAL = "UPDATE turn SET state = '', marks = marks & ~4 WHERE call = ? AND seq < ? AND marks & 4"
_CHANGE_BLOCK = CHANGE_BLOCKS.format("(?, 1, 1)")

PROBE: Sequence[Statement] = (
    ("INSERT INTO flow (hash, source) VALUES ('', zeroblob(65536))", ()),
    ("DELETE FROM flow WHERE hash = ''", ()),
)
"As much as a turn with all that it can bring along; nothing of it stays."


def turn_statements(
    rows: Rows,
    commit: Commit,
    turn: TurnRow,
    before: CallRecord | None,
    dropped: Iterable[str],
    *,
    sealed: bool,
) -> Sequence[Statement]:
    """Write what a turn changes beside its own row, mostly nothing.

    `dropped` are the jobs that leave with it, `sealed`: rows of the call hold sealed values. Raises StoreUnavailable
    for what has no written form.
    """
    seq, row, *_ = turn
    statements: list[Statement] = [(_DROP_JOB, (row, REQUEST, job)) for job in dropped]
    if commit.jobs:
        call = commit.record.id
        jobs = ((order.job, rows.request(call, order)) for order in orders_of(commit))
        statements += [(_ADD_JOB, (row, REQUEST, job, body)) for job, body in jobs]
    if commit.outbound:
        record = commit.record
        statements += [
            PLATFORM_REQUESTS.adding(row, f"{record.id}.{order.id}", to_json((record.key, order)), commit.at)
            for order in commit.outbound
        ]
    if commit.notifications:
        statements += [
            NOTIFICATIONS.adding(row, f"{commit.record.id}.{order.job}", to_json(order), commit.at)
            for order in commit.notifications
        ]
    if not commit.trace and before is not None and _has_fallen_out(commit, before):
        statements.append((_DROP_TURNS, (row, *commit.record.replies)))
    if sealed and commit.record.call.phase == "over":
        statements.append((_UNSEAL, (row, seq)))
    return statements


def _has_fallen_out(commit: Commit, before: CallRecord) -> bool:
    """Return whether a message is not answered again once this one is: then its row can go, if it has no lines.

    Whoever knows a call's id could fill the disk with messages that move nothing.
    """
    return commit.message is not None and commit.message not in before.replies and len(before.replies) >= REMEMBERED


def overwrite_statements(row: int) -> Sequence[Statement]:
    """Overwrite what of a call stands in short rows, before any row is erased.

    SQLite overwrites a row that is dropped, but not the copy that is left where it has moved a row to another page: and
    it moves those that are still to be dropped when their neighbours are. A value of the same size is written in place.
    """
    return tuple(
        (f"UPDATE {table} SET body = zeroblob(length(CAST(body AS BLOB))) WHERE call = ?", (row,))  # noqa: S608
        for table in ("job", "notification", "platform_request", "mail", "sign_in", "sign_in_token")
    )


def erase_statements(row: int) -> Sequence[Statement]:
    """Erase a call with all that is stored of it."""
    return (
        ("DELETE FROM turn WHERE call = ?", (row,)),
        ("DELETE FROM job WHERE call = ?", (row,)),
        ("DELETE FROM notification WHERE call = ?", (row,)),
        ("DELETE FROM platform_request WHERE call = ?", (row,)),
        ("DELETE FROM sign_in WHERE call = ?", (row,)),
        ("DELETE FROM sign_in_token WHERE call = ?", (row,)),
        ("DELETE FROM mail WHERE call = ?", (row,)),
        ("DELETE FROM handled WHERE call = ?", (row,)),
        ("DELETE FROM call WHERE row = ?", (row,)),
        (_CHANGE_BLOCK, (row // BLOCK,)),
    )


def run_statement(run: Run) -> Statement:
    """Count a run before it begins."""
    return _COUNT_RUN, (run.attempts, run.owner, run.until, run.owed.row, REQUEST, run.owed.request.job)


def answer_statement(rows: Rows, owed: Owed, event: Event, place: int) -> Statement:
    """Keep an answer until it is stepped."""
    return _ANSWER_JOB, (place, rows.answer(owed.call, owed.request, event), owed.row, REQUEST, owed.request.job)


class Counters:
    """The numbers that go on where the last run stopped. What is not saved after all leaves a gap."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        (row,) = connection.execute("SELECT coalesce(max(row), 0) FROM call").fetchone()
        (turn,) = connection.execute("SELECT coalesce(max(seq), 0) FROM turn").fetchone()
        (answer,) = connection.execute(
            "SELECT coalesce(max(answered), 0) FROM job WHERE kind = 'request' AND typeof(answered) = 'integer'"
        ).fetchone()
        self.rows = itertools.count(row + 1)
        self.turns = itertools.count(turn + 1)
        self.answers = itertools.count(answer + 1)


CALL_ROW = "SELECT row, id, channel, account, name, ended FROM call"
TURN_COLUMNS = "message, reply, marks, CAST(state AS BLOB), rest"


def find_call(connection: sqlite3.Connection, rows: Rows, key: CallKey) -> Saved | None:
    """Look a call up by the platform's name for it; raise DamagedCall if it is there and cannot be read."""
    found = connection.execute(
        f"{CALL_ROW} WHERE channel = ? AND account = ? AND name = ?", (key.channel, key.account, key.id)
    ).fetchone()
    if found is None:
        return None
    stored = StoredCallRow(*found)
    try:
        return read_whole(connection, rows, stored)
    except DataUnusable as exc:
        raise DamagedCall(f"call {printable_id(stored.id)}: {exc}") from exc


def find_newest(connection: sqlite3.Connection, conversation: CallKey) -> int:
    """Return the number of the newest call of a conversation; 0: it has none. One look at the index of names."""
    first, last = numbered(conversation, 0), numbered(conversation, 999_999_999)
    (name,) = connection.execute(
        "SELECT max(name) FROM call WHERE channel = ? AND account = ? AND name > ? AND name <= ? AND length(name) = ?",
        (conversation.channel, conversation.account, first.id, last.id, len(first.id)),
    ).fetchone()
    return 0 if name is None else number_of(replace(conversation, id=str(name)))


def read_whole(connection: sqlite3.Connection, rows: Rows | None, stored: StoredCallRow) -> Saved:
    """Read a call with its replies; raise DataUnusable if something of it cannot be read.

    Without `rows`, what is private in it is not opened, and left out.
    """
    turns = f"SELECT {TURN_COLUMNS} FROM turn WHERE call = ? ORDER BY seq"  # noqa: S608  # our own text
    return read_call(rows, stored, connection.execute(turns, (stored.row,)).fetchall())


def find_unnamed(connection: sqlite3.Connection, media: Iterable[str]) -> list[str]:
    """Return those recordings that no call took, and that no answer names which is still to be stepped."""
    named = (
        "SELECT 1 FROM turn WHERE media = ?1 "
        "UNION ALL SELECT 1 FROM job WHERE kind = 'request' AND answered IS NOT NULL AND instr(answer, ?1) LIMIT 1"
    )
    return [name for name in media if connection.execute(named, (name,)).fetchone() is None]


def find_flow(connection: sqlite3.Connection, flow_hash: str) -> bytes | None:
    """Read a flow."""
    found = connection.execute("SELECT source FROM flow WHERE hash = ?", (flow_hash,)).fetchone()
    return as_bytes(found[0]) if found else None
