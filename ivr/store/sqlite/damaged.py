"""Calls of which something stored cannot be read: found at the start, where they are set aside, and by a command.

One damaged call must not keep the others from being served. Its rows stay as they are, until an operator has looked at
them and erases it.
"""

import gc
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter

from msgspec import Struct
from msgspec.structs import replace

from ivr.call_record import recordings_in
from ivr.engine.commands import Request
from ivr.engine.events import Event
from ivr.errors import BrokenSeal, DataUnusable, UnreadableRow
from ivr.ports import CallKey
from ivr.storage import DamagedCallRow
from ivr.store.live import Live, Saved
from ivr.store.orders import Owed
from ivr.store.rows import Rows, read_place, read_request, read_trace
from ivr.store.sealing import Sealer
from ivr.store.shared_values import SharedValues
from ivr.store.sqlite.statements import CALL_ROW, TURN_COLUMNS, StoredCallRow, read_call, read_whole

_ORDERS = (
    "SELECT row, call.id, channel, account, name, ended, body, attempts, answer FROM job JOIN call ON row = job.call "
    "WHERE kind = 'request' ORDER BY answered, job.rowid"
)
_LIVE_CALLS = f"{CALL_ROW} WHERE ended IS NULL ORDER BY row"
# One question for all, and in the same order: a question for each call costs as much as reading the call.
_LIVE_TURNS = (
    f"SELECT row, {TURN_COLUMNS} FROM call LEFT JOIN turn ON turn.call = row "  # noqa: S608  # our own text
    "WHERE ended IS NULL ORDER BY row, seq"
)
_PROOF = "ivr"


class Damaged(Struct, frozen=True):
    """A call that cannot be read."""

    row: int
    id: str
    "Ours, or what stands in its place."
    key: CallKey
    over: bool
    what: str
    "What of it cannot be read, and nothing of what stands there."


class RestoredCalls(Struct):
    """What the start found."""

    live: Live
    damaged: list[Damaged]


class _Order(Struct):
    """An order as it was read."""

    call: str
    key: CallKey
    row: int
    request: Request
    attempts: int
    answer: Event | None


@contextmanager
def _without_collector() -> Iterator[None]:
    """Look for no cycles: nothing that is read makes any, and looking costs as much as reading."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@_without_collector()
def read_live(connection: sqlite3.Connection, rows: Rows, sealer: Sealer) -> RestoredCalls:
    """Load all that is not over, and set aside what cannot be read; raise BrokenSeal if the key is another one."""
    damaged: dict[int, Damaged] = {}
    broken: list[BrokenSeal] = []

    def set_aside(one: Damaged, error: DataUnusable) -> None:
        if isinstance(error, BrokenSeal):
            broken.append(error)
        damaged.setdefault(one.row, one)  # what was found first

    saved: list[Saved] = []
    values = SharedValues()
    turns = groupby(connection.execute(_LIVE_TURNS), itemgetter(0))
    for columns, (_, group) in zip(connection.execute(_LIVE_CALLS), turns, strict=True):
        stored = StoredCallRow(*columns)
        try:
            one = read_call(rows, stored, [turn[1:] for turn in group])
            saved.append(replace(one, record=values.shared(one.record)))
        except DataUnusable as error:
            set_aside(_damaged(stored, error), error)
    orders: list[_Order] = []
    for row, call, *name, ended, body, attempts, answer in connection.execute(_ORDERS):
        key = CallKey(*name)
        try:
            request, event = _read_order(rows, call, body, attempts, answer)
        except DataUnusable as error:
            set_aside(Damaged(row, call, key, ended is not None, _what_is_damaged(error)), error)
        else:
            orders.append(_Order(call, key, row, request, attempts, event))
    if broken and not (sealer.has_opened or proves(connection, sealer)):
        raise broken[0]
    return RestoredCalls(_live(saved, orders, damaged), list(damaged.values()))


def _live(saved: Sequence[Saved], orders: Sequence[_Order], damaged: dict[int, Damaged]) -> Live:
    live = Live()
    for one in saved:
        if one.row not in damaged:
            live.put(one)
    for order in orders:
        if order.row in damaged:
            continue
        if order.answer is None:
            live.orders.add(Owed(order.call, order.key, order.row, order.request, order.attempts))
        else:
            live.orders.restore_answer(order.call, order.key, order.request.job, order.answer)
    return live


def _read_order(
    rows: Rows | None, call: str, body: str, attempts: object, answer: bytes | None
) -> tuple[Request, Event | None]:
    request = rows.read_request(call, body) if rows is not None else read_request(body)
    if type(attempts) is not int:
        raise UnreadableRow("an order has an invalid number of attempts")
    if answer is None or rows is None:
        return request, None
    return request, rows.read_answer(call, request, answer)


# --- the key ---------------------------------------------------------------------------------------------------------


def proves(connection: sqlite3.Connection, sealer: Sealer) -> bool:
    """Return whether the key is the one with which this database was last served."""
    for (proof,) in connection.execute("SELECT proof FROM seal"):
        try:
            sealer.unseal(proof, _PROOF)
        except BrokenSeal:
            return False
        return True
    return False


def keep_proof(connection: sqlite3.Connection, sealer: Sealer) -> None:
    """Note the key with which this database is served."""
    if not proves(connection, sealer):
        connection.execute("BEGIN")
        connection.execute("DELETE FROM seal")
        connection.execute("INSERT INTO seal (proof) VALUES (?)", (sealer.seal(b"", _PROOF),))
        connection.execute("COMMIT")


# --- all calls, for a command ----------------------------------------------------------------------------------------


def find_damaged(
    connection: sqlite3.Connection, after: int, limit: int, rows: Rows | None
) -> tuple[list[DamagedCallRow], int]:
    """Look at so many calls after a row, finished ones and traces included, and return the row of the last of them.

    Returns those of which something cannot be read. Without `rows`, sealed values are not opened.
    """
    found = []
    for columns in connection.execute(f"{CALL_ROW} WHERE row > ? ORDER BY row LIMIT ?", (after, limit)).fetchall():
        stored = StoredCallRow(*columns)
        after = stored.row
        try:
            _read_all(connection, rows, stored)
        except DataUnusable as error:
            what = _what_is_damaged(error)
            found.append(DamagedCallRow(str(stored.id), stored.key, over=stored.ended is not None, what=what))
    return found, after


def _read_all(connection: sqlite3.Connection, rows: Rows | None, stored: StoredCallRow) -> None:
    """Read whatever is stored of a call; raise DataUnusable."""
    read_whole(connection, rows, stored)
    orders = "SELECT body, attempts, answer FROM job WHERE call = ? AND kind = 'request'"
    for body, attempts, answer in connection.execute(orders, (stored.row,)):
        _read_order(rows, stored.id, body, attempts, answer)
    _read_turns(connection, stored)


def _read_turns(connection: sqlite3.Connection, stored: StoredCallRow) -> None:
    """Read each turn of a call, and see whether all of it is there, and nothing of another call."""
    steps = 0
    taken: set[str] = set()
    named: set[object] = set()
    turns = "SELECT rest, trace, media, typeof(audio) FROM turn WHERE call = ? ORDER BY seq"
    for rest, trace, media, audio in connection.execute(turns, (stored.row,)):
        lines, (call, steps_then) = read_trace(trace), read_place(rest)
        steps += len(lines)
        if call != stored.id:
            raise UnreadableRow("one of its turns belongs to another call")
        if steps_then != steps:
            raise UnreadableRow("lines of its trace are missing")
        if audio not in {"blob", "null"}:
            raise UnreadableRow("a recording has an invalid format")
        taken.update(recordings_in(lines))
        named.add(media)
    if taken - named:
        raise UnreadableRow("a recording has lost its name")


def _damaged(stored: StoredCallRow, error: DataUnusable) -> Damaged:
    return Damaged(stored.row, stored.id, stored.key, stored.ended is not None, _what_is_damaged(error))


def _what_is_damaged(error: DataUnusable) -> str:
    return "a sealed value cannot be opened" if isinstance(error, BrokenSeal) else str(error)
