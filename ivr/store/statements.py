"""What is written, as SQL: one function for each kind of write, and the questions asked of the tables."""

import itertools
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from ivr.engine.events import Event
from ivr.ports import CallKey, CallRecord, Commit, Stepped, WebhookReply
from ivr.store.live import Live, Saved, recordings
from ivr.store.orders import Owed, orders_of
from ivr.store.rows import Rows, read_public, read_reply, read_request, read_stepped, to_json, to_reply
from ivr.store.writer import Statement

Replies: TypeAlias = Mapping[str, WebhookReply | None]

REQUEST: Final = "request"
OUTBOUND: Final = "outbound"

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
    statements: list[Statement] = [call, *_reply_statements(row, before.replies if before else {}, record.replies)]
    for line, step in enumerate(commit.trace, first):
        statements.append((_ADD_LINE, (row, line, to_json(step))))
    statements.extend((_ADD_MEDIA, (name, row)) for name in recordings(commit))
    statements.extend((_DROP_JOB, (row, REQUEST, job)) for job in dropped)
    statements.extend((_ADD_JOB, (row, REQUEST, request.job, to_json(request))) for request in orders_of(commit))
    statements.extend((_ADD_JOB, (row, OUTBOUND, order.id, to_json(order))) for order in commit.outbound)
    return statements


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
    """Keep an answer until it is stepped; where nobody waits for it, the order just ends."""
    job = owed.request.job
    if not owed.request.wanted:
        return _DROP_JOB, (owed.row, REQUEST, job)
    return _ANSWER_JOB, (place, rows.answer(owed.call, owed.request, event), owed.row, REQUEST, job)


def flow_statement(hash: str, source: bytes) -> Statement:  # noqa: A002
    """Keep a flow."""
    return _ADD_FLOW, (hash, source)


class Counters:
    """The numbers that go on where the last run stopped. What is not saved after all leaves a gap."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        (row,) = connection.execute("SELECT coalesce(max(row), 0) FROM call").fetchone()
        (answer,) = connection.execute("SELECT coalesce(max(answered), 0) FROM job").fetchone()
        self.rows = itertools.count(row + 1)
        self.answers = itertools.count(answer + 1)


def read_live(connection: sqlite3.Connection, rows: Rows) -> Live:
    """Load all that is not over; raise DataUnusable if it cannot be read, or was sealed with another key."""
    live = Live()
    replies: dict[int, dict[str, WebhookReply | None]] = defaultdict(dict)
    for row, message, body in connection.execute(
        "SELECT reply.call, message, body FROM call JOIN reply ON reply.call = row WHERE over = 0 ORDER BY reply.rowid"
    ):
        replies[row][message] = read_reply(body)
    for row, state, rest in connection.execute("SELECT row, state, rest FROM call WHERE over = 0"):
        live.put(Saved(row, rows.read_record(state, rest, replies[row])))
    jobs = connection.execute(
        "SELECT call.id, channel, account, name, row, body, attempts, answer FROM job JOIN call ON call.row = job.call "
        "WHERE kind = ? ORDER BY answered, job.rowid",
        (REQUEST,),
    )
    for call, channel, account, name, row, body, attempts, answer in jobs:
        key, request = CallKey(channel, account, name), read_request(body)
        if answer is None:
            live.orders.add(Owed(call, key, row, request, attempts))
        else:
            live.orders.restore_answer(call, key, request.job, rows.read_answer(call, request, answer))
    return live


def find_call(connection: sqlite3.Connection, rows: Rows, key: CallKey) -> Saved | None:
    """Look a call up by the platform's name for it."""
    found = connection.execute(
        "SELECT row, state, rest FROM call WHERE channel = ? AND account = ? AND name = ?",
        (key.channel, key.account, key.id),
    ).fetchone()
    if found is None:
        return None
    row, state, rest = found
    replies = connection.execute("SELECT message, body FROM reply WHERE call = ? ORDER BY rowid", (row,))
    return Saved(row, rows.read_record(state, rest, {message: read_reply(body) for message, body in replies}))


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


def find_recent(connection: sqlite3.Connection, since: float, limit: int) -> list[CallRecord]:
    """Read the newest calls, without what is private, down to the first that came in before."""
    rows = connection.execute("SELECT state, rest FROM call ORDER BY row DESC LIMIT ?", (limit,))
    calls = (read_public(state, rest) for state, rest in rows)
    return list(itertools.takewhile(lambda one: one.call.facts.started >= since, calls))


def find_media(connection: sqlite3.Connection) -> list[str]:
    """Read the names of all recordings."""
    return [name for (name,) in connection.execute("SELECT name FROM media ORDER BY name")]


def is_named(connection: sqlite3.Connection, media: str) -> bool:
    """Tell whether a call took this recording."""
    return connection.execute("SELECT 1 FROM media WHERE name = ?", (media,)).fetchone() is not None


def find_flow(connection: sqlite3.Connection, hash: str) -> bytes | None:  # noqa: A002
    """Read a flow."""
    found = connection.execute("SELECT source FROM flow WHERE hash = ?", (hash,)).fetchone()
    return bytes(found[0]) if found else None
