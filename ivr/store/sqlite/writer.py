"""The one thread that writes: all waiting writes go into one transaction, and cost one sync.

Rule 1: a batch that fails is rolled back, and its members are tried one by one, so that a bad row fails its own turn
alone. Rule 2: memory follows the disk: what a write changes in memory happens in the event loop after the commit, even
if the task that asked for it has stopped waiting. Rule 3: the thread ends when it is told to, and for no other reason.

    event loop                 thread                      event loop
    save(): among those     >  one transaction, the     >  _settle(): change memory, tell who waits
    that wait; as soon as      rows of all turns in one
    the thread is free         statement

A write is on its way between the two ends of this line. What it will change is neither in memory nor on the disk yet,
so a second write of the same call must not be made from what memory says now: that is what keys and `quiet` are for.

The thread lets go of the interpreter in each statement and has to get it back from the event loop, which costs more
than the statement: so a batch of turns is a handful of statements, whatever it holds.
"""

import asyncio
import contextlib
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from functools import cache
from itertools import chain
from queue import SimpleQueue
from typing import Final, TypeAlias, TypeVar, cast

from msgspec import Struct

from ivr.errors import IvrError, StaleCall, StoreUnavailable
from ivr.store.live import BLOCK
from ivr.store.rows import TurnRow
from ivr.store.sqlite.sqlite_errors import REFUSALS, is_of_the_disk, reason

T = TypeVar("T")
Column: TypeAlias = int | float | str | bytes | None
Statement: TypeAlias = tuple[str, tuple[Column, ...]]
CallRow: TypeAlias = tuple[int, str, str, str, str, float | None]
"The columns of a call, in their order."
Then: TypeAlias = Callable[[Exception | None], None]
"What follows a write, in the event loop: it stands (None), or why not."

ROWS: Final = 64
"Of one statement, at most: 640 values of turns, where SQLite takes 32,766; each number of rows is a statement to keep."

_ADD_CALLS = "INSERT INTO call (row, id, channel, account, name, ended) VALUES {} ON CONFLICT DO NOTHING"
_ADD_TURNS = "INSERT INTO turn (seq, call, state, rest, message, reply, marks, trace, media, audio) VALUES {}"
_END_CALLS = (
    "UPDATE call SET ended = max(coalesce(ended, 0.0), over.column2) FROM (VALUES {}) AS over WHERE row = over.column1"
)
CHANGE_BLOCKS: Final = (
    "INSERT INTO block (number, changes, members) VALUES {} ON CONFLICT (number) "
    "DO UPDATE SET changes = changes + excluded.changes, members = members + excluded.members"
)


class Write(Struct, eq=False, kw_only=True):
    """What stands or falls together, and what follows it."""

    then: Then
    key: Hashable | None = None
    "Of the call; None: a write that may be under way beside any other."
    turn: TurnRow | None = None
    call: CallRow | None = None
    "Of a call whose first turn this is."
    ended: tuple[int, float] | None = None
    "Row of a call that is over, and when the last thing happened to it."
    statements: Sequence[Statement] = ()
    empties_log: bool = False


class Writer:
    """Takes writes from the event loop in which it was made; owns the connection from then on."""

    def __init__(self, connection: sqlite3.Connection, *, limit: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._limit = limit
        self._unsettled = 0
        self._busy: dict[Hashable, list[asyncio.Future[None]] | None] = {}
        "By key: the tasks that wait for the write that is on its way."
        self._waiting: list[Write] = []
        self._at_work = False
        self._batches: SimpleQueue[list[Write] | None] = SimpleQueue()
        self._closed = False
        self._log_is_empty = False
        "What the thread found last; read in the loop only after the batch that asked for it has come back."
        self.failing = ""
        "Why the disk did not take what was written last; empty: it did."
        self._thread = threading.Thread(target=self._run, args=(connection,), name="store-writer", daemon=True)
        self._thread.start()

    def busy(self, key: Hashable) -> bool:
        """Return whether a write with this key is under way; only one may be at a time."""
        return key in self._busy

    async def quiet(self, key: Hashable) -> None:
        """Wait until no write with this key is under way."""
        while key in self._busy:
            settled = self._loop.create_future()
            self._busy[key] = [*(self._busy[key] or ()), settled]
            await settled

    def save(self, write: Write) -> None:
        """Hand over a write, at once; its `then` is called in any case. Raises StoreUnavailable if it is not taken.

        So it is if too many writes wait: a caller who hears "try again" is better served than one who waits behind a
        disk that cannot keep up.
        """
        if self._closed:
            raise StoreUnavailable("The store is closed.")
        if self._unsettled >= self._limit and not write.empties_log:
            raise StoreUnavailable(f"{self._unsettled} writes are waiting for the disk.")
        if write.key is not None and write.key in self._busy:
            raise StoreUnavailable("Another write of this call is under way.")
        self._unsettled += 1
        if write.key is not None:
            self._busy[write.key] = None
        self._waiting.append(write)
        if not self._at_work and len(self._waiting) == 1:
            self._loop.call_soon(self._begin)  # after all else that is to be done now: perhaps there are more

    def saved(
        self, statements: Sequence[Statement], then: Callable[[], T], *, key: Hashable | None = None
    ) -> "asyncio.Future[T]":
        """Hand over statements, at once; the result is that of `then`, called once they stand."""
        done: asyncio.Future[T] = self._loop.create_future()
        self.save(Write(then=settling(done, then), key=key, statements=statements))
        return done

    async def empty_log(self) -> bool:
        """Empty the log once all that was handed over is saved; return whether no reader prevented it."""
        if self._closed:
            return False
        done: asyncio.Future[bool] = self._loop.create_future()
        self.save(Write(then=settling(done, lambda: self._log_is_empty), empties_log=True))
        return await done

    async def close(self) -> None:
        """Finish all that was handed over, then end the thread and close the connection."""
        self._closed = True
        self._begin()
        self._batches.put(None)
        await asyncio.to_thread(self._thread.join)

    def _begin(self) -> None:
        """Let the thread begin with all that waits."""
        if self._waiting:
            self._at_work = True
            self._batches.put(self._waiting)
            self._waiting = []

    def _run(self, connection: sqlite3.Connection) -> None:
        with contextlib.closing(connection), contextlib.suppress(RuntimeError):  # the loop is closed
            while batch := self._batches.get():
                outcomes = _save(connection, batch)
                if any(write.empties_log for write in batch):
                    self._log_is_empty = not empty_log(connection)
                # Nothing of memory is touched here: only the loop's own thread may change it, and in order.
                self._loop.call_soon_threadsafe(self._settle, batch, outcomes)

    def _settle(self, batch: Sequence[Write], outcomes: Sequence[Exception | None]) -> None:
        self._at_work = False
        self._begin()  # first, so that the thread writes while the others are told
        self._unsettled -= len(batch)
        self._note([error for write, error in zip(batch, outcomes, strict=True) if not write.empties_log])
        for write, error in zip(batch, outcomes, strict=True):
            # Free the key before its waiters run: each looks again whether another write has taken it meanwhile.
            waiting = self._busy.pop(write.key, None)
            try:
                write.then(error)
            except Exception as exc:  # a mistake of ours; the rest of the batch must not wait for ever because of it
                self._loop.call_exception_handler({"message": "after a write", "exception": exc})
            for settled in waiting or ():
                if not settled.done():
                    settled.set_result(None)

    def _note(self, outcomes: Sequence[Exception | None]) -> None:
        """Note whether the disk takes what is written."""
        if None in outcomes:  # one that went through shows that the disk works; the others failed by their own fault
            self.failing = ""
        elif refused := next(filter(is_of_the_disk, (one.__cause__ for one in outcomes if one)), None):
            self.failing = reason(refused)


def settling(done: "asyncio.Future[T]", then: Callable[[], T]) -> Then:
    """Return what settles a future once its write is settled, unless the task that waits for it has stopped."""

    def settle(error: Exception | None) -> None:
        try:
            result = then() if error is None else None  # memory follows the disk whether somebody waits or not
        except Exception as exc:  # a mistake of ours: whoever waits gets it
            error = exc
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(cast("T", result))

    return settle


def empty_log(connection: sqlite3.Connection, *, wait: bool = False) -> str:
    """Cut off the log, which holds the pages of before; return what keeps that from being done, or nothing.

    With `wait`, readers are waited for, and so is everything that wants to write meanwhile.
    """
    (patience,) = connection.execute("PRAGMA busy_timeout").fetchone()
    try:
        connection.execute(f"PRAGMA busy_timeout = {patience if wait else 0}")
        (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        connection.execute(f"PRAGMA busy_timeout = {patience}")
    except REFUSALS as exc:
        return reason(exc)
    return "another command is still reading the database" if busy else ""  # SQLite does not raise for a reader


def _save(connection: sqlite3.Connection, batch: Sequence[Write]) -> Sequence[Exception | None]:
    """Save all in one transaction, else each in its own; return what went wrong with each."""
    try:
        return _transaction(connection, batch)
    except MemoryError:  # the whole process has none left, and is about to end
        raise
    except Exception as exc:  # of any kind: who waits for these writes gets it, and the thread goes on
        if connection.in_transaction:  # a full disk has SQLite roll back by itself
            with contextlib.suppress(sqlite3.Error):  # then it is rolled back before the next BEGIN
                connection.execute("ROLLBACK")
        if len(batch) > 1:
            return [_save(connection, [write])[0] for write in batch]
        failure = StoreUnavailable(f"This could not be saved: {reason(exc)}.")
        failure.__cause__ = exc
        return [failure]


def _transaction(connection: sqlite3.Connection, batch: Sequence[Write]) -> Sequence[Exception | None]:
    cursor = connection.cursor()
    cursor.execute("BEGIN IMMEDIATE")
    outcomes: list[Exception | None] = [None] * len(batch)
    saved = batch
    new = [write.call for write in batch if write.call is not None]
    if new and _insert(cursor, _ADD_CALLS, new) < len(new):
        outcomes = [_refused(cursor, write.call) for write in batch]
        saved = [write for write, refused in zip(batch, outcomes, strict=True) if refused is None]
        new = [write.call for write in saved if write.call is not None]
    if turns := [write.turn for write in saved if write.turn is not None]:
        _insert(cursor, _ADD_TURNS, turns)
        changes = Counter(turn[1] // BLOCK for turn in turns)
        members = Counter(call[0] // BLOCK for call in new)
        _insert(cursor, CHANGE_BLOCKS, [(block, count, members[block]) for block, count in changes.items()])
    if ended := [write.ended for write in saved if write.ended is not None]:
        _insert(cursor, _END_CALLS, ended)
    for write in saved:
        for sql, values in write.statements:
            cursor.execute(sql, values)
    cursor.execute("COMMIT")
    return outcomes


def _insert(cursor: sqlite3.Cursor, sql: str, rows: Sequence[Sequence[Column]]) -> int:
    """Carry out a statement over so many rows; return how many it changed."""
    changed = 0
    for start in range(0, len(rows), ROWS):
        some = rows[start : start + ROWS]
        cursor.execute(_over_rows(sql, len(some), len(some[0])), list(chain.from_iterable(some)))
        changed += cursor.rowcount
    return changed


@cache
def _over_rows(sql: str, rows: int, columns: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return sql.format(", ".join([row] * rows))


def _refused(cursor: sqlite3.Cursor, call: CallRow | None) -> IvrError | None:
    """Return why a call was not added, if it was not: the platform's name for it is known, or our id is."""
    if call is None or cursor.execute("SELECT 1 FROM call WHERE row = ?", call[:1]).fetchone():
        return None
    named = "SELECT 1 FROM call WHERE channel = ? AND account = ? AND name = ?"
    if cursor.execute(named, call[2:5]).fetchone():
        return StaleCall(f"call {call[1]}: there is a call of this name already")
    return StoreUnavailable(f"call {call[1]}: another call has this id")
