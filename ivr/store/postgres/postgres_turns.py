"""A turn as one statement: it moves the call if that stands as the turn found it, and only then adds the rest.

    moved      the row of the call, new or changed; no row: another turn or an answer was faster, and nothing is done
    added      the turn's own row
    beside     what else it changes, mostly nothing: orders that leave and that are new, what is delivered, kept values

What stands beside `moved` hangs on its row. A statement sees the tables as they were before it, but two of its parts
have an order: a name is free again once its row has left, so whoever adds looks at what has left first.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from msgspec import Struct

from ivr.call_record import REMEMBERED, CallRecord, Commit
from ivr.store.call_database import SharedCall
from ivr.store.live import wake_up
from ivr.store.orders import orders_of
from ivr.store.postgres.postgres_schema import month_of
from ivr.store.postgres.postgres_text import standing
from ivr.store.postgres.postgres_users import PostgresUsers
from ivr.store.rows import NEW_MESSAGE, SEALED_STATE, Rows, to_json

CALL_COLUMNS: Final = (
    "id", "channel", "account", "name", "month", "version", "due", "wake", "started", "flow", "party", "caller",
    "called", "placed", "state", "outcome",
)  # fmt: skip
"Of a call's row, what its record says; beside them `ended` and `answers`."


def call_columns(record: CallRecord) -> tuple[Any, ...]:
    """Return the values of `CALL_COLUMNS`."""
    key, call = record.key, record.call
    facts = call.facts
    due = None if call.phase == "over" else wake_up(record)
    return (
        record.id, key.channel, key.account, key.id, month_of(facts.started), record.version, due, due, facts.started,
        call.flow, _standing(facts.party), _standing(facts.caller), standing(facts.called), facts.placed,
        standing(call.state), _standing(call.outcome),
    )  # fmt: skip


def _standing(text: str | None) -> str | None:
    return None if text is None else standing(text)


class _Part(Struct, frozen=True):
    """A part of the statement: `{0}` is its first value."""

    sql: str
    types: tuple[str, ...]


_CALL_TYPES = (
    "text", "text", "text", "text", "integer", "integer", "float8", "float8", "float8", "text", "text", "text", "text",
    "boolean", "text", "text", "float8",
)  # fmt: skip
_NEW = _Part(
    f"""moved AS (INSERT INTO call ({", ".join(CALL_COLUMNS)}, ended)
VALUES ({", ".join(f"{{{n}}}" for n in range(len(_CALL_TYPES)))})
ON CONFLICT (channel, account, name) DO NOTHING RETURNING row, month)""",  # noqa: S608  # our own names
    _CALL_TYPES,
)
# `due` alone is in an index, and moves on only if it must: a turn that changes nothing that an index holds is written
# into the page where its call stands, and into no other.
_MOVED = _Part(
    """moved AS (UPDATE call SET version = {3}, wake = {4}, due = CASE WHEN {4} < due THEN {4} WHEN {4} IS NOT NULL
THEN due END, ended = greatest(ended, {5}), state = {6}, outcome = {7}
WHERE row = {0} AND version = {1} AND answers = {2} RETURNING row, month)""",
    ("bigint", "integer", "integer", "integer", "float8", "float8", "text", "text"),
)
_ADDED_TYPES = ("integer", "text", "bytea", "text", "bytea", "integer", "text", "text", "bytea")
_ADDED_SQL = """added AS (INSERT INTO turn
(month, call, version, state, rest, message, reply, marks, trace, media, audio)
SELECT month, row, {0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8} FROM moved"""
_PARTS: Final = {
    "added": _Part(f"{_ADDED_SQL})", _ADDED_TYPES),
    "added after": _Part(f"{_ADDED_SQL} WHERE (SELECT count(*) FROM again) >= 0)", _ADDED_TYPES),  # noqa: S608
    # A message that has fallen out of those that are remembered, and comes again, is a new one: the index of messages
    # must not know it any more.
    "again": _Part(
        """again AS (UPDATE turn SET marks = marks & ~(1 | {1}),
state = CASE WHEN marks & {1} <> 0 THEN '' ELSE state END FROM moved
WHERE turn.month = moved.month AND turn.call = moved.row AND message = {0} AND marks & 1 = 1 RETURNING 1)""",
        ("text", "integer"),
    ),
    # Once a call is over, not even sealed values are left of it.
    "unsealed": _Part(
        """unsealed AS (UPDATE turn SET marks = marks & ~4, state = '' FROM moved
WHERE turn.month = moved.month AND turn.call = moved.row AND marks & 4 <> 0 AND message IS DISTINCT FROM {0})""",
        ("text",),
    ),
    # Whoever knows a call's id could fill the disk with messages that move nothing. The row that tells the last reply
    # stays until a later one tells it.
    "unmoved": _Part(
        """unmoved AS (DELETE FROM turn USING moved WHERE turn.month = moved.month AND turn.call = moved.row
AND message <> ALL({0}) AND trace = '[]' AND media IS NULL AND (marks & 2 = 0 OR EXISTS (SELECT 1 FROM turn AS later
WHERE later.month = moved.month AND later.call = moved.row AND later.version > turn.version AND later.marks & 2 <> 0)))
""",
        ("text[]",),
    ),
    "left": _Part(
        """gone AS (DELETE FROM job USING moved WHERE job.call = moved.row AND job.id = ANY({0})
AND answered IS NOT NULL RETURNING 1)""",
        ("text[]",),
    ),
    "all left": _Part("gone AS (DELETE FROM job USING moved WHERE job.call = moved.row RETURNING 1)", ()),
    "jobs": _Part(
        """jobs AS (INSERT INTO job (call, id, service, timeout, body, made)
SELECT moved.row, one.id, one.service, one.timeout, one.body, {4} FROM moved,
unnest({0}, {1}, {2}, {3}) WITH ORDINALITY AS one (id, service, timeout, body, place)
WHERE (SELECT count(*) FROM gone) >= 0 ORDER BY place)""",
        ("text[]", "text[]", "float8[]", "text[]", "float8"),
    ),
    "requests": _Part(
        """requests AS (INSERT INTO platform_request (call, id, body, lane, made, due, state, tries, reason)
SELECT moved.row, one.id, one.body, one.lane, {3}, {3}, 'waiting', 0, '' FROM moved,
unnest({0}, {1}, {2}) WITH ORDINALITY AS one (id, body, lane, place) ORDER BY place)""",
        ("text[]", "text[]", "text[]", "float8"),
    ),
    "notifications": _Part(
        """notifications AS (INSERT INTO notification (call, id, body, made, due, state, tries, reason)
SELECT moved.row, one.id, one.body, {2}, {2}, 'waiting', 0, '' FROM moved,
unnest({0}, {1}) WITH ORDINALITY AS one (id, body, place) ORDER BY place)""",
        ("text[]", "text[]", "float8"),
    ),
    "kept": _Part(
        """kept AS (INSERT INTO user_value (caller, line, name, value, sealed, until)
SELECT {0}, {1}, one.name, one.value, one.sealed, one.until FROM moved,
unnest({2}, {3}, {4}, {5}) AS one (name, value, sealed, until)
ON CONFLICT (caller, line, name)
DO UPDATE SET value = excluded.value, sealed = excluded.sealed, until = excluded.until)""",
        ("bytea", "text", "text[]", "bytea[]", "boolean[]", "float8[]"),
    ),
    "forgotten": _Part(
        """forgotten AS (DELETE FROM user_value USING moved WHERE caller = {0} AND line = {1} AND name = ANY({2}))""",
        ("bytea", "text", "text[]"),
    ),
}


class TurnStatement(Struct, frozen=True):
    """What saves a turn: it returns the row of the call and how many orders have left, or no row."""

    sql: str
    values: Sequence[Any]
    sealed: bool
    "Whether there are sealed values of the call after it."


def turn_statement(rows: Rows, users: PostgresUsers, commit: Commit, before: SharedCall | None) -> TurnStatement:
    """Return what saves a turn that follows `before`; raise StoreUnavailable for what has no written form."""
    turn = rows.turn(0, 0, commit, before.record if before else None)
    _, _, state, rest, message, reply, marks, trace, media, audio = turn
    version = commit.record.version
    over = commit.record.call.phase == "over"
    was_sealed = before is not None and before.sealed
    parts: list[tuple[str, tuple[Any, ...]]] = []
    again = message is not None and bool(marks & NEW_MESSAGE) and _may_have_fallen_out(before)
    if again:
        parts.append(("again", (message, SEALED_STATE if was_sealed and over else 0)))
    if was_sealed and over:
        parts.append(("unsealed", (message if again else "",)))
    added = (version, state, rest, message, reply, marks, trace, media, audio)
    parts.append(("added after" if again else "added", added))
    if not commit.trace and again:
        parts.append(("unmoved", (list(commit.record.replies),)))
    parts += _beside(rows, users, commit, over=over)
    moving = _new(commit) if before is None else _moved(commit, before)
    values = [*moving, *(value for _, some in parts for value in some)]
    sealed = bool(marks & SEALED_STATE) or (was_sealed and not over)
    return TurnStatement(_statement(before is None, tuple(name for name, _ in parts)), values, sealed)


def _beside(rows: Rows, users: PostgresUsers, commit: Commit, *, over: bool) -> list[tuple[str, tuple[Any, ...]]]:
    """Return what a turn changes beside its call, by parts and their values."""
    record = commit.record
    jobs = orders_of(commit)
    parts: list[tuple[str, tuple[Any, ...]]] = []
    if over:
        parts.append(("all left", ()))
    elif commit.taken or jobs:
        parts.append(("left", (list(commit.taken),)))
    if jobs:
        names, services = [one.job for one in jobs], [one.service for one in jobs]
        bodies = [rows.request(record.id, one) for one in jobs]
        parts.append(("jobs", (names, services, [one.timeout for one in jobs], bodies, commit.at)))
    if commit.outbound:
        names = [f"{record.id}.{one.id}" for one in commit.outbound]
        bodies = [to_json((record.key, one)) for one in commit.outbound]
        parts.append(("requests", (names, bodies, [one.lane for one in commit.outbound], commit.at)))
    if commit.notifications:
        names = [f"{record.id}.{one.job}" for one in commit.notifications]
        parts.append(("notifications", (names, [to_json(one) for one in commit.notifications], commit.at)))
    if commit.kept and record.user is not None:
        parts += users.kept(record.user, commit.kept)
    return parts


def _new(commit: Commit) -> Sequence[Any]:
    return [*call_columns(commit.record), _ended(commit)]


def _moved(commit: Commit, before: SharedCall) -> Sequence[Any]:
    record = commit.record
    wake = None if record.call.phase == "over" else wake_up(record)
    version = before.record.version
    state, outcome = standing(record.call.state), _standing(record.call.outcome)
    return [before.row, version, before.answers, record.version, wake, _ended(commit), state, outcome]


def _ended(commit: Commit) -> float | None:
    """Return when the last thing happened to a call that is over, as far as this turn knows; None: it is live."""
    if commit.record.call.phase != "over":
        return None
    return commit.trace[-1].now if commit.trace else 0.0


def _may_have_fallen_out(before: SharedCall | None) -> bool:
    """Return whether a message that is not remembered may have been answered before, and forgotten."""
    return before is not None and len(before.record.replies) >= REMEMBERED


@cache
def _statement(new: bool, names: tuple[str, ...]) -> str:
    """Return the statement with these parts."""
    written: list[str] = []
    place = 0
    for part in (_NEW if new else _MOVED, *(_PARTS[name] for name in names)):
        values = (f"${place + number}::{kind}" for number, kind in enumerate(part.types, 1))
        written.append(part.sql.format(*values))
        place += len(part.types)
    left = "(SELECT count(*) FROM gone)" if "left" in names or "all left" in names else "0"
    return f"WITH {', '.join(written)} SELECT row, {left} FROM moved"  # noqa: S608  # our own text
