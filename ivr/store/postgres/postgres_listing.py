"""The calls of a database one by one and in lists: each question reads what it returns, however many are stored.

A call's turns are looked up by its month, so that no other month's table is opened. What is read is decoded in a
thread, since a list may take as long as a hundred turns.
"""

import asyncio
import itertools
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final

import asyncpg
from msgspec import DecodeError, json

from ivr.call_record import CallRecord, Stepped
from ivr.errors import UnreadableRow
from ivr.ports import CallKey
from ivr.storage import FOUND, CallSummary, StoredCall
from ivr.store.call_listing import call_summary, public_record, read_traces, readable_records, stored_call
from ivr.store.postgres.postgres_pool import LONG, PostgresPool
from ivr.store.postgres.postgres_text import can_stand
from ivr.store.rows import read_trace

# Left: a call of which no turn is there is damaged, and in the lists.
_LATEST = (
    "LEFT JOIN LATERAL (SELECT state, rest FROM turn WHERE turn.month = call.month AND turn.call = call.row "
    "ORDER BY version DESC LIMIT 1) AS turn ON true"
)
_RECORD = f"SELECT row, id, channel, account, name, turn.state, turn.rest FROM call {_LATEST}"  # noqa: S608  # our own
_SUMMARIES = (
    "SELECT row, id, ended, flow, channel, caller, called, started, call.state, outcome, placed, "  # noqa: S608
    "turn.state AS whole, CASE WHEN ended IS NULL THEN (SELECT trace FROM turn AS one WHERE one.month = call.month "
    "AND one.call = call.row AND trace <> '[]' ORDER BY version DESC LIMIT 1) END AS trace "
    f"FROM (SELECT * FROM call WHERE row < $1 ORDER BY row DESC LIMIT $2) AS call {_LATEST} ORDER BY row DESC"
)
# The window keeps the turns of each call a question of their own, and says which one is the last: its state counts.
_WITH_TURNS = (
    "SELECT row, id, channel, account, name, turn.state, turn.rest, trace FROM ({}) AS call LEFT JOIN LATERAL ("
    "SELECT version, trace, CASE WHEN lead(version) OVER by_version IS NULL THEN turn.state END AS state, "
    "CASE WHEN lead(version) OVER by_version IS NULL THEN rest END AS rest "
    "FROM turn WHERE turn.month = call.month AND turn.call = call.row WINDOW by_version AS (ORDER BY version)) AS turn "
    "ON true ORDER BY row, turn.version"
)
_STORED = _WITH_TURNS.format("SELECT * FROM call WHERE row > $1 ORDER BY row LIMIT $2")
_THESE = _WITH_TURNS.format("SELECT * FROM call WHERE row = ANY($1)")
_TRACE = (
    "SELECT trace FROM call JOIN turn ON turn.month = call.month AND turn.call = call.row WHERE call.id = $1 "
    "ORDER BY turn.version"
)
_IDS = "SELECT id FROM call WHERE id >= $1 AND id < $2 ORDER BY id LIMIT $3"
_NAMED = "SELECT id FROM call WHERE channel = $1 AND account = $2 AND name = $3"
# Those that are live are found by their times, and not by walking through all that are over.
_LIVE = (
    "WITH live AS MATERIALIZED (SELECT * FROM call WHERE due IS NOT NULL AND ended IS NULL), "  # noqa: S608
    "newest AS MATERIALIZED (SELECT * FROM live ORDER BY row DESC LIMIT $1) "
    f"SELECT row, id, channel, account, name, turn.state, turn.rest FROM newest AS call {_LATEST} ORDER BY row"
)
_FINISHED = f"{_RECORD} WHERE ended IS NOT NULL ORDER BY row DESC LIMIT $1"
_COUNT: Final = "SELECT count(*) FROM call"
_COUNT_LIVE: Final = "SELECT count(*) FROM call WHERE due IS NOT NULL AND ended IS NULL"
_FLOW: Final = "SELECT source FROM flow WHERE hash = $1"


async def find_ids(pool: PostgresPool, beginning: str) -> list[str]:
    """Find the ids that begin so."""
    if not can_stand(beginning):
        return []
    # The first that does not begin so any more is a bound for the index; no id has the last character of all.
    return [row[0] for row in await pool.rows(_IDS, beginning, f"{beginning}\U0010ffff", FOUND)]


async def find_named(pool: PostgresPool, key: CallKey) -> str | None:
    """Find our id of a call by the platform's name for it."""
    name = key.channel, key.account, key.id
    found: str | None = await pool.value(_NAMED, *name) if all(map(can_stand, name)) else None
    return found


async def find_public(pool: PostgresPool, call: str) -> CallRecord | None:
    """Read one call by our id, without what is private; raise UnreadableRow."""
    found = await pool.row(f"{_RECORD} WHERE id = $1", call) if can_stand(call) else None
    return public_record(tuple(found)) if found else None


async def find_trace(pool: PostgresPool, call: str) -> list[Stepped]:
    """Read the trace of one call; raise UnreadableRow."""
    rows = await pool.rows(_TRACE, call) if can_stand(call) else ()
    return await asyncio.to_thread(read_traces, [row[0] for row in rows])


async def find_summaries(pool: PostgresPool, before: int, limit: int) -> tuple[list[CallSummary], int]:
    """List calls before a row, the newest first, and return the row of the last of them."""
    rows = _tuples(await pool.rows(_SUMMARIES, before, limit, patience=LONG))
    return await asyncio.to_thread(lambda: [_summary(row) for row in rows]), rows[-1][0] if rows else before


async def find_stored(pool: PostgresPool, after: int, limit: int) -> tuple[list[StoredCall], int]:
    """List calls after a row with their traces, the oldest first, and return the row of the last of them."""
    rows = _tuples(await pool.rows(_STORED, after, limit, patience=LONG))
    return await asyncio.to_thread(_stored, rows), rows[-1][0] if rows else after


async def find_these(pool: PostgresPool, rows: Sequence[int]) -> list[StoredCall]:
    """Read calls with their traces, in the order of their rows; those that are gone are left out."""
    found = _tuples(await pool.rows(_THESE, rows, patience=LONG))
    return await asyncio.to_thread(_stored, found)


async def find_live(pool: PostgresPool, limit: int) -> list[CallRecord]:
    """Read the newest calls that are not over, the oldest of them first; those that cannot be read are left out."""
    return await asyncio.to_thread(readable_records, _tuples(await pool.rows(_LIVE, limit, patience=LONG)))


async def find_finished(pool: PostgresPool, since: float, limit: int) -> list[CallRecord]:
    """Read the newest calls that are over, down to the first that came in before; the rest is left out as above."""
    rows = _tuples(await pool.rows(_FINISHED, limit, patience=LONG))
    records = await asyncio.to_thread(readable_records, rows)
    return list(itertools.takewhile(lambda one: one.call.facts.started >= since, records))


async def count_calls(pool: PostgresPool, *, live: bool) -> int:
    """Count all calls, or those that are not over."""
    return int(await pool.value(_COUNT_LIVE if live else _COUNT, patience=LONG))


async def find_flow(pool: PostgresPool, flow_hash: str) -> bytes | None:
    """Read a flow."""
    found: bytes | None = await pool.value(_FLOW, flow_hash) if can_stand(flow_hash) else None
    return found


def _tuples(rows: "Sequence[asyncpg.Record]") -> list[tuple[Any, ...]]:
    return [tuple(row) for row in rows]


def _stored(rows: Sequence[Sequence[Any]]) -> list[StoredCall]:
    calls = []
    for _, group in itertools.groupby(rows, key=itemgetter(0)):
        turns = list(group)
        *columns, trace = turns[-1]
        calls.append(stored_call(columns, [turn[-1] for turn in turns] if trace is not None else ()))
    return calls


def _summary(row: Sequence[Any]) -> CallSummary:
    _, identity, ended, *state, whole, trace = row
    last = _last_time(trace) if ended is None else ended
    return call_summary(identity, over=ended is not None, state=state, last=last, damaged=not _is_json(whole))


def _last_time(trace: str | None) -> float | None:
    try:
        return read_trace(trace)[-1].now if trace is not None else None
    except UnreadableRow:
        return None


def _is_json(state: str | None) -> bool:
    try:
        return state is not None and bool(json.decode(state))
    except (DecodeError, RecursionError):
        return False
