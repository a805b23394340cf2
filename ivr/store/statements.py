"""What is written, as SQL: one function for each kind of write, and the questions asked of the tables."""

import contextlib
import itertools
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from msgspec import Struct

from ivr.engine.events import Event
from ivr.errors import DamagedCall, DataUnusable, UnreadableRow
from ivr.ports import CallKey, CallRecord, Commit, Stepped, WebhookReply, recordings_in
from ivr.store.live import Saved
from ivr.store.orders import Owed, orders_of
from ivr.store.rows import Rows, read_public, read_reply, read_stepped, to_json, to_reply
from ivr.store.tables import BLOCK, as_bytes
from ivr.store.writer import Statement

Replies: TypeAlias = Mapping[str, WebhookReply | None]

REQUEST: Final = "request"
OUTBOUND: Final = "outbound"

_ID = re.compile(r"[0-9a-f]{32}")

_ADD_CALL = "INSERT INTO call (row, id, channel, account, name, over, state, rest) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_SET_CALL = "UPDATE call SET over = ?, state = ?, rest = ? WHERE row = ?"
_PUT_REPLY = (
    "INSERT INTO reply (call, message, body) VALUES (?, ?, ?) "
    "ON CONFLICT (call, message) DO UPDATE SET body = excluded.body"
)
_DROP_REPLY = "DELETE FROM reply WHERE call = ? AND message = ?"
_ADD_LINE = "INSERT INTO trace (call, line, body) VALUES (?, ?, ?)"
_ADD_MEDIA = "INSERT OR IGNORE INTO media (name, call) VALUES (?, ?)"
_ADD_JOB = "INSERT INTO job (call, kind, id, body, attempts) VALUES (?, ?, ?, ?, 0)"
_DROP_JOB = "DELETE FROM job WHERE call = ? AND kind = ? AND id = ?"
_COUNT_RUN = "UPDATE job SET attempts = ? WHERE call = ? AND kind = ? AND id = ?"
_ANSWER_JOB = "UPDATE job SET answered = ?, answer = ? WHERE call = ? AND kind = ? AND id = ? AND answered IS NULL"
_ADD_FLOW = "INSERT OR IGNORE INTO flow (hash, source) VALUES (?, ?)"
_END = "INSERT INTO ended (call, at) VALUES (?, ?) ON CONFLICT (call) DO UPDATE SET at = max(at, excluded.at)"
_CHANGE = (
    "INSERT INTO block (number, changes, members) VALUES (?, 1, ?) "
    "ON CONFLICT (number) DO UPDATE SET changes = changes + 1, members = members + excluded.members"
)

PROBE: Sequence[Statement] = (
    ("INSERT INTO flow (hash, source) VALUES ('', zeroblob(65536))", ()),
    ("DELETE FROM flow WHERE hash = ''", ()),
)
"As much as a turn with all that it can bring along; nothing of it stays."


def commit_statements(
    rows: Rows, commit: Commit, row: int, *, before: CallRecord | None, dropped: Iterable[str]
) -> list[Statement]:
    """Write what a turn changed; `dropped` are the jobs that leave with it.

    Raises StoreUnavailable for what has no written form.
    """
    record = commit.record
    key = record.key
    state, rest = rows.record(record)
    over = int(record.call.phase == "over")
    first = record.steps - len(commit.trace)
    call: Statement = (_SET_CALL, (over, state, rest, row))
    if before is None:
        call = (_ADD_CALL, (row, record.id, key.channel, key.account, key.id, over, state, rest))
    statements: list[Statement] = [call, changed_block(row, members=before is None)]
    if over:
        statements.append((_END, (row, commit.trace[-1].now if commit.trace else 0.0)))
    statements.extend(_reply_statements(row, before.replies if before else {}, record.replies))
    for line, step in enumerate(commit.trace, first):
        statements.append((_ADD_LINE, (row, line, to_json(step))))
    statements.extend((_ADD_MEDIA, (name, row)) for name in recordings_in(commit.trace))
    statements.extend((_DROP_JOB, (row, REQUEST, job)) for job in dropped)
    statements.extend((_ADD_JOB, (row, REQUEST, request.job, to_json(request))) for request in orders_of(commit))
    statements.extend((_ADD_JOB, (row, OUTBOUND, order.id, to_json(order))) for order in commit.outbound)
    return statements


def changed_block(row: int, *, members: bool) -> Statement:
    """Note that a call's block has changed; `members`: a call has come or gone."""
    return _CHANGE, (row // BLOCK, int(members))


def _reply_statements(row: int, before: Replies, after: Replies) -> Iterator[Statement]:
    for message, reply in after.items():
        if message not in before or before[message] is not reply:  # new, or written at last
            yield _PUT_REPLY, (row, message, to_reply(reply))
    for message in before:
        if message not in after:
            yield _DROP_REPLY, (row, message)


def run_statement(owed: Owed, attempts: int) -> Statement:
    """Count a run before it begins."""
    return _COUNT_RUN, (attempts, owed.row, REQUEST, owed.request.job)


def answer_statement(rows: Rows, owed: Owed, event: Event, place: int) -> Statement:
    """Keep an answer until it is stepped; an order whose answer is not wanted just ends."""
    job = owed.request.job
    if not owed.request.wanted:
        return _DROP_JOB, (owed.row, REQUEST, job)
    return _ANSWER_JOB, (place, rows.answer(owed.call, owed.request, event), owed.row, REQUEST, job)


def flow_statement(flow_hash: str, source: bytes) -> Statement:
    """Keep a flow."""
    return _ADD_FLOW, (flow_hash, source)


class Counters:
    """The numbers that go on where the last run stopped. What is not saved after all leaves a gap."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        (row,) = connection.execute("SELECT coalesce(max(row), 0) FROM call").fetchone()
        (answer,) = connection.execute(
            "SELECT coalesce(max(answered), 0) FROM job WHERE kind = 'request' AND typeof(answered) = 'integer'"
        ).fetchone()
        self.rows = itertools.count(row + 1)
        self.answers = itertools.count(answer + 1)


class StoredCallRow(Struct, frozen=True):
    """A row of the table of calls, as it stands."""

    row: int
    id: str
    channel: str
    account: str
    name: str
    over: int
    state: str
    rest: bytes

    @property
    def key(self) -> CallKey:
        """The platform's name for the call."""
        return CallKey(self.channel, self.account, self.name)


CALL_ROW = "SELECT row, id, channel, account, name, over, state, rest FROM call"


def find_call(connection: sqlite3.Connection, rows: Rows, key: CallKey) -> Saved | None:
    """Look a call up by the platform's name for it; raise DamagedCall if it is there and cannot be read."""
    found = connection.execute(
        f"{CALL_ROW} WHERE channel = ? AND account = ? AND name = ?", (key.channel, key.account, key.id)
    ).fetchone()
    if found is None:
        return None
    stored = StoredCallRow(*found)
    try:
        return Saved(stored.row, read_whole(connection, rows, stored))
    except DataUnusable as exc:
        raise DamagedCall(f"call {printable_id(stored.id)}: {exc}") from exc


def read_whole(connection: sqlite3.Connection, rows: Rows, stored: StoredCallRow) -> CallRecord:
    """Read a call with its replies, private values included; raise DataUnusable if something of it cannot be read."""
    record = rows.read_record(stored.state, stored.rest, read_replies(connection, stored))
    check_identity(record, stored)
    return record


def read_replies(connection: sqlite3.Connection, stored: StoredCallRow) -> Replies:
    """Read what repeats of a call's messages get; raise UnreadableRow."""
    replies = {}
    found = connection.execute("SELECT message, body FROM reply WHERE call = ? ORDER BY rowid", (stored.row,))
    for message, body in found:
        if not isinstance(message, str):
            raise UnreadableRow("a message has an invalid id")
        replies[message] = read_reply(body)
    return replies


def check_identity(record: CallRecord, stored: StoredCallRow) -> None:
    """Raise UnreadableRow if a record is not that of the call in whose row it stands."""
    if (record.id, record.key) != (stored.id, stored.key):
        raise UnreadableRow("its record belongs to another call")


def printable_id(call: str) -> str:
    """Return a call's id as it may be shown: what stands in its place may be anything."""
    return call if _ID.fullmatch(str(call)) else "(unreadable)"


def find_trace(connection: sqlite3.Connection, call: str) -> list[Stepped]:
    """Read the trace of one call."""
    lines = connection.execute(
        "SELECT body FROM trace WHERE call = (SELECT row FROM call WHERE id = ?) ORDER BY line", (call,)
    )
    return [read_stepped(body) for (body,) in lines]


def find_calls(connection: sqlite3.Connection) -> list[CallRecord]:
    """Read all calls, without what is private."""
    return [read_public(state, rest) for state, rest in connection.execute("SELECT state, rest FROM call ORDER BY row")]


def find_public(connection: sqlite3.Connection, call: str) -> CallRecord | None:
    """Read one call by our id, without what is private."""
    found = connection.execute("SELECT state, rest FROM call WHERE id = ?", (call,)).fetchone()
    return read_public(*found) if found else None


def find_finished(connection: sqlite3.Connection, since: float, limit: int) -> list[CallRecord]:
    """Read the newest calls that are over, without what is private, down to the first that came in before.

    Those that cannot be read are left out; `ivr calls damaged` names them.
    """
    rows = connection.execute(
        "SELECT state, rest FROM ended CROSS JOIN call ON call.row = ended.call ORDER BY ended.call DESC LIMIT ?",
        (limit,),
    )
    calls = []
    for state, rest in rows:
        with contextlib.suppress(UnreadableRow):
            calls.append(read_public(state, rest))
    return list(itertools.takewhile(lambda one: one.call.facts.started >= since, calls))


def find_unnamed(connection: sqlite3.Connection, media: Iterable[str]) -> list[str]:
    """Pick those recordings that no call took."""
    return [name for name in media if not is_named(connection, name)]


def is_named(connection: sqlite3.Connection, media: str) -> bool:
    """Return whether a call took this recording."""
    return connection.execute("SELECT 1 FROM media WHERE name = ?", (media,)).fetchone() is not None


def find_flow(connection: sqlite3.Connection, flow_hash: str) -> bytes | None:
    """Read a flow."""
    found = connection.execute("SELECT source FROM flow WHERE hash = ?", (flow_hash,)).fetchone()
    return as_bytes(found[0]) if found else None
