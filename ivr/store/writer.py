"""The one thread that writes: all waiting writes go into one transaction, and cost one sync.

Rule 1: a batch that fails is rolled back, and its members are tried one by one, so that a bad row fails its own turn
alone. Rule 2: memory follows the disk: what a write changes in memory happens in the event loop after the commit, even
if the task that asked for it has stopped waiting. Rule 3: the thread ends when it is told to, and for no other reason.

    event loop                 thread                      event loop
    save(): into the queue  >  take all that waits,     >  _settle(): change memory, then wake the waiting task
                               one transaction

A write is on its way between the two ends of this line. What it will change is neither in memory nor on the disk yet,
so a second write of the same call must not be made from what memory says now: that is what keys and `quiet` are for.
"""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Hashable, Sequence
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeAlias, TypeVar

from ivr.errors import StoreUnavailable
from ivr.store.sqlite_errors import REFUSALS, is_of_the_disk, reason

T = TypeVar("T")
Statement: TypeAlias = tuple[str, tuple[int | float | str | bytes | None, ...]]


class Write(Generic[T]):
    """Statements that stand or fall together, and what follows in memory once they stand."""

    __slots__ = ("done", "empties_log", "key", "statements", "then")

    def __init__(
        self,
        key: Hashable | None,
        statements: Sequence[Statement],
        then: Callable[[], T],
        done: "asyncio.Future[T]",
        *,
        empties_log: bool = False,
    ) -> None:
        self.key = key
        self.empties_log = empties_log
        self.statements = statements
        self.then = then
        self.done = done


class Writer:
    """Takes writes from the event loop in which it was made; owns the connection from then on."""

    def __init__(self, connection: sqlite3.Connection, *, limit: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._limit = limit
        self._queue: SimpleQueue[Write[Any] | None] = SimpleQueue()
        self._unsettled = 0
        self._busy: dict[Hashable, list[asyncio.Future[None]]] = {}
        "By key: the tasks that wait for the write that is on its way."
        self._closed = False
        self._log_is_empty = False
        "What the thread found last; read in the loop only after the batch that asked for it has come back."
        self._failing = ""
        self._thread = threading.Thread(target=self._run, args=(connection,), name="store-writer", daemon=True)
        self._thread.start()

    def busy(self, key: Hashable) -> bool:
        """Return whether a write with this key is under way; only one may be at a time."""
        return key in self._busy

    async def quiet(self, key: Hashable) -> None:
        """Wait until no write with this key is under way."""
        while (waiting := self._busy.get(key)) is not None:
            settled = self._loop.create_future()
            waiting.append(settled)
            await settled

    def save(self, key: Hashable | None, statements: Sequence[Statement], then: Callable[[], T]) -> Awaitable[T]:
        """Hand over a write, at once; the result is that of `then`, or StoreUnavailable. Key None: beside any other.

        Raises StoreUnavailable at once if too many writes wait: a caller who hears "try again" is better served than
        one who waits behind a disk that cannot keep up.
        """
        if self._closed:
            raise StoreUnavailable("The store is closed.")
        if self._unsettled >= self._limit:
            raise StoreUnavailable(f"{self._unsettled} writes are waiting for the disk.")
        done: asyncio.Future[T] = self._loop.create_future()
        self._unsettled += 1
        if key is not None:
            self._busy[key] = []
        self._queue.put(Write(key, statements, then, done))
        return done

    async def empty_log(self) -> bool:
        """Empty the log once all that was handed over is saved; return whether no reader prevented it."""
        if self._closed:
            return False
        done: asyncio.Future[bool] = self._loop.create_future()
        self._unsettled += 1
        self._queue.put(Write(None, (), lambda: self._log_is_empty, done, empties_log=True))
        return await done

    @property
    def failing(self) -> str:
        """Why the disk did not take what was written last; empty: it did."""
        return self._failing

    async def close(self) -> None:
        """Finish all that was handed over, then end the thread and close the connection."""
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self, connection: sqlite3.Connection) -> None:
        with contextlib.closing(connection), contextlib.suppress(RuntimeError):  # the loop is closed
            while batch := self._next_batch():
                outcomes = _save(connection, batch)
                if any(write.empties_log for write in batch):
                    self._log_is_empty = not empty_log(connection)
                # Nothing of memory is touched here: only the loop's own thread may change it, and in order.
                self._loop.call_soon_threadsafe(self._settle, batch, outcomes)

    def _next_batch(self) -> list[Write[Any]]:
        """Wait for a write and take all that wait beside it; empty: this is the end."""
        batch = []
        write = self._queue.get()
        try:
            while write is not None:
                batch.append(write)
                write = self._queue.get_nowait()
        except Empty:
            return batch
        if batch:
            self._queue.put(None)  # the end comes after this batch
        return batch

    def _settle(self, batch: Sequence[Write[Any]], outcomes: Sequence[Exception | None]) -> None:
        self._unsettled -= len(batch)
        self._note([error for write, error in zip(batch, outcomes, strict=True) if write.statements])
        for write, error in zip(batch, outcomes, strict=True):
            # Free the key before its waiters run: each looks again whether another write has taken it meanwhile.
            waiting = self._busy.pop(write.key, ())
            _tell(write, error)
            for settled in waiting:
                if not settled.done():
                    settled.set_result(None)

    def _note(self, outcomes: Sequence[Exception | None]) -> None:
        """Note whether the disk takes what is written."""
        if None in outcomes:  # one that went through shows that the disk works; the others failed by their own fault
            self._failing = ""
        elif refused := next(filter(is_of_the_disk, outcomes), None):
            self._failing = reason(refused)


def _tell(write: Write[T], error: Exception | None) -> None:
    """Change memory if the write stands, and wake the task that waits for it, unless it was cancelled."""
    if error is not None:
        failure = StoreUnavailable(f"This could not be saved: {reason(error)}.")
        failure.__cause__ = error
        if not write.done.done():
            write.done.set_exception(failure)
        return
    try:
        result = write.then()
    except Exception as exc:  # a mistake of ours; the rest of the batch must not wait for ever because of it
        if not write.done.done():
            write.done.set_exception(exc)
        return
    if not write.done.done():
        write.done.set_result(result)


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


def _save(connection: sqlite3.Connection, batch: Sequence[Write[Any]]) -> list[Exception | None]:
    """Save all in one transaction, else each in its own; give what went wrong with each."""
    error = _transaction(connection, batch)
    if error is None or len(batch) == 1:
        return [error] * len(batch)
    return [_transaction(connection, [write]) for write in batch]


def _transaction(connection: sqlite3.Connection, writes: Sequence[Write[Any]]) -> Exception | None:
    try:
        execute = connection.cursor().execute
        execute("BEGIN IMMEDIATE")
        for write in writes:
            for sql, values in write.statements:
                execute(sql, values)
        execute("COMMIT")
    except MemoryError:  # the whole process has none left, and is about to end
        raise
    except Exception as exc:  # of any kind: the task that waits for these writes gets it, and the thread goes on
        if connection.in_transaction:  # a full disk has SQLite roll back by itself
            with contextlib.suppress(sqlite3.Error):  # then it is rolled back before the next BEGIN
                connection.execute("ROLLBACK")
        return exc
    return None
