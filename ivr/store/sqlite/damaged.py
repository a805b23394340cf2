"""Calls of which something stored cannot be read: found at the start, where they are set aside, and by a command.

One damaged call must not keep the others from being served. Its rows stay as they are, until an operator has looked at
them and erases it.
"""

import gc
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter

from msgspec import Struct
from msgspec.structs import replace

from ivr.engine.commands import Request
from ivr.engine.events import Event
from ivr.errors import BrokenSeal, DataUnusable, UnreadableRow
from ivr.ports import CallKey
from ivr.storage import DamagedCallRow
from ivr.store.call_reading import StoredCallRow, check_turns, damaged_row, read_call, read_order, what_is_damaged
from ivr.store.live import Live, Saved
from ivr.store.orders import Owed
from ivr.store.rows import Rows
from ivr.store.sealing import Sealer
from ivr.store.shared_values import SharedValues
from ivr.store.sqlite.statements import CALL_ROW, TURN_COLUMNS, read_whole

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
            request, event = read_order(rows, call, body, attempts, answer)
        except DataUnusable as error:
            set_aside(Damaged(row, call, key, ended is not None, what_is_damaged(error)), error)
        else:
            orders.append(_Order(call, key, row, request, attempts, event))
    if broken and not (sealer.has_opened or proves(connection, sealer)):
        raise broken[0]
    return RestoredCalls(_live(saved, orders, damaged), list(damaged.values()))


def _live(saved: Sequence[Saved], orders: Sequence[_Order], damaged: dict[int, Damaged]) -> Live:
    live, now = Live(), time.time()
    for one in saved:
        if one.row not in damaged:
            live.put(one)
    for order in orders:
        if order.row in damaged:
            continue
        if order.answer is None:
            live.orders.add(Owed(order.call, order.key, order.row, order.request, order.attempts, now))
        else:
            live.orders.restore_answer(order.call, order.key, order.request.job, order.answer)
    return live


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
            found.append(damaged_row(stored, error))
    return found, after


def _read_all(connection: sqlite3.Connection, rows: Rows | None, stored: StoredCallRow) -> None:
    """Read whatever is stored of a call; raise DataUnusable."""
    read_whole(connection, rows, stored)
    orders = "SELECT body, attempts, answer FROM job WHERE call = ? AND kind = 'request'"
    for body, attempts, answer in connection.execute(orders, (stored.row,)):
        read_order(rows, stored.id, body, attempts, answer)
    check_turns(stored.id, _sound_turns(connection, stored))


def _sound_turns(connection: sqlite3.Connection, stored: StoredCallRow) -> Iterator[tuple[bytes, str, object]]:
    """Return what of each turn is checked, and see whether its recording is one."""
    turns = "SELECT rest, trace, media, typeof(audio) FROM turn WHERE call = ? ORDER BY seq"
    for rest, trace, media, audio in connection.execute(turns, (stored.row,)):
        if audio not in {"blob", "null"}:
            raise UnreadableRow("a recording has an invalid format")
        yield rest, trace, media


def _damaged(stored: StoredCallRow, error: DataUnusable) -> Damaged:
    return Damaged(stored.row, stored.id, stored.key, stored.ended is not None, what_is_damaged(error))
