"""A store as commands use it: one thing after the other, with nothing to await.

The store is asynchronous, since a server must not be held up. Here it runs in a thread with an event loop of its own,
so that a command can use it from wherever it stands, in the middle of a phone call, too. A list comes in portions, and
the way into the thread costs once for each.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
from typing import Any, Literal, Self, TypeVar

from ivr.call_record import CallRecord, Stepped
from ivr.ports import CallKey
from ivr.storage import CallSummary, DamagedCallRow, Erasure, StoredCall
from ivr.store.opened import CommandStore

T = TypeVar("T")


class StoredCalls:
    """An open store; everything raises what the store raises."""

    def __init__(self, opening: Coroutine[Any, Any, CommandStore]) -> None:
        """Open a store (`ivr.store.opening.open_for_command`), and close it in the end; raises what opening raises."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stored-calls", daemon=True)
        self._thread.start()
        try:
            self._store = self._wait(opening)
        except BaseException:
            self._end()
            raise
        self._archive = self._store.archive

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._wait(self._store.close())
        self._end()

    def find(self, beginning: str) -> Sequence[str]:
        """Return our ids that begin so, at most ten, in order."""
        return self._wait(self._archive.find(beginning))

    def named(self, key: CallKey) -> str | None:
        """Return our id of the call that a platform names so; None: there is no such call."""
        return self._wait(self._archive.named(key))

    def call(self, call: str) -> CallRecord | None:
        """Return one call by our id, without what is private in it; raise UnreadableRow."""
        return self._wait(self._archive.call(call))

    def trace(self, call: str) -> Sequence[Stepped]:
        """Return the trace of one call, in order; raise UnreadableRow."""
        return self._wait(self._archive.trace(call))

    def flow(self, flow_hash: str) -> bytes | None:
        """Return the source of a flow that took calls."""
        return self._wait(self._archive.flow(flow_hash))

    def recent(self) -> Iterator[CallSummary]:
        """Return all calls, the newest first."""
        return self._one_by_one(self._archive.recent())

    def stored(self) -> Iterator[StoredCall]:
        """Return all calls with their traces, the oldest first."""
        return self._one_by_one(self._archive.stored())

    def damaged(self, *, sealed: bool) -> Iterator[DamagedCallRow]:
        """Return every call of which something cannot be read; with `sealed`, sealed values are opened, too."""
        return self._one_by_one(self._archive.damaged(sealed=sealed))

    def opens_seals(self) -> bool:
        """Return whether the key of sealed values is at hand and the right one; raise DataUnusable if it is no key."""
        return self._wait(self._archive.opens_seals())

    def count(self, which: Literal["all", "live"]) -> int:
        """Count the calls."""
        return self._wait(self._archive.count(which))

    def erase(self, *, caller: str | None = None, call: str | None = None) -> Erasure:
        """Erase all calls of a caller, or the one call with our id; the store must be held (`StoreLocation.hold`)."""
        return self._wait(self._archive.erase(caller=caller, call=call))

    def ask(self, question: Callable[[CommandStore], Coroutine[Any, Any, T]]) -> T:
        """Return what the store answers to something else."""
        return self._wait(question(self._store))

    def _one_by_one(self, portions: AsyncGenerator[Sequence[T], None]) -> Iterator[T]:
        while portion := self._wait(_next(portions)):
            yield from portion

    def _end(self) -> None:
        self._wait(self._loop.shutdown_asyncgens())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, answer: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(answer, self._loop).result()


async def _next(portions: AsyncGenerator[Sequence[T], None]) -> Sequence[T]:
    """Return the next portion that holds something; empty: there is none."""
    async for portion in portions:
        if portion:
            return portion
    return ()
