"""The stored calls of a data folder: read beside the server that writes them, or without one.

Whatever is read is read in two threads of its own, one of them for figures, so that neither callers nor short questions
wait for long ones. A server hands over itself, and what it forgets goes through its writer. A command that erases needs
the folder for itself (`DataFolder.open`): a server keeps calls in memory, and what is erased must not come back from
there.
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import Literal, Protocol, TypeVar

from msgspec.structs import replace

from ivr.call_record import CallRecord, Stepped
from ivr.errors import DataUnusable, StoreUnavailable
from ivr.ports import CallKey
from ivr.storage import (
    PATIENCE,
    Block,
    CallSummary,
    CallTrace,
    DamagedCallRow,
    ErasedCall,
    Erasure,
    FlowCalls,
    StoredCall,
)
from ivr.store.call_listing import NEWEST, in_portions
from ivr.store.data_folder import DataFolder
from ivr.store.rows import Rows
from ivr.store.sealing import Sealer
from ivr.store.sqlite import lists
from ivr.store.sqlite.blocks import find_blocks, find_flows, find_traces
from ivr.store.sqlite.damaged import find_damaged, proves
from ivr.store.sqlite.database_file import open_database
from ivr.store.sqlite.erasure import EndedCall, erase_calls, erase_ended, find_ended
from ivr.store.sqlite.read_only import Reader
from ivr.store.sqlite.sqlite_errors import REFUSALS, reason
from ivr.store.sqlite.statements import find_flow
from ivr.store.sqlite.user_rows import UserRows
from ivr.store.sqlite.writer import empty_log

T = TypeVar("T")


class Erases(Protocol):
    """The server's own store: it writes, and has calls in memory."""

    async def erase_ended(self, ended: Sequence[EndedCall]) -> None:
        """Erase calls that are over, in one commit, and forget them."""

    async def empty_log(self) -> bool:
        """Empty the log; return whether no reader prevented it."""


class SqliteArchive:
    """`Archive`."""

    def __init__(
        self,
        folder: DataFolder,
        *,
        seal_key: str | None = None,
        server: Erases | None = None,
        patience: float = PATIENCE,
    ) -> None:
        """`seal_key`: the one in the settings, if any. `patience`: seconds that `erase` waits for other programs."""
        self._folder = folder
        self._seal_key = seal_key
        self._server = server
        self._patience = patience
        self._reader = Reader(folder.database)
        self._counting = Reader(folder.database)

    # --- single calls ---

    async def find(self, beginning: str) -> Sequence[str]:
        """Return our ids that begin so, at most ten, in order."""
        return await self._reader.read(lambda connection: lists.find_ids(connection, beginning))

    async def named(self, key: CallKey) -> str | None:
        """Return our id of the call that a platform names so; None: there is no such call."""
        return await self._reader.read(lambda connection: lists.find_named(connection, key))

    async def call(self, call: str) -> CallRecord | None:
        """Return one call by our id; raise UnreadableRow."""
        return await self._reader.read(lambda connection: lists.find_public(connection, call))

    async def trace(self, call: str) -> Sequence[Stepped]:
        """Return the trace of one call in order; empty: there is no such call. Raises UnreadableRow."""
        return await self._reader.read(lambda connection: lists.find_trace(connection, call))

    async def flow(self, flow_hash: str) -> bytes | None:
        """Return the source of a flow that took calls."""
        return await self._reader.read(lambda connection: find_flow(connection, flow_hash))

    # --- lists ---

    def recent(self) -> AsyncGenerator[Sequence[CallSummary], None]:
        """Return all calls, the newest first, a portion at a time; whoever stops early has read no more than that."""
        return self._portions(lists.find_summaries, NEWEST)

    def stored(self) -> AsyncGenerator[Sequence[StoredCall], None]:
        """Return all calls with their traces, the oldest first, a portion at a time."""
        return self._portions(lists.find_stored, 0)

    def damaged(self, *, sealed: bool) -> AsyncGenerator[Sequence[DamagedCallRow], None]:
        """Return every call of which something cannot be read, the oldest first, a portion at a time."""
        rows = Rows(Sealer.find(self._seal_key, self._folder.seal_key)) if sealed else None
        return self._portions(partial(find_damaged, rows=rows), 0)

    async def opens_seals(self) -> bool:
        """Return whether the key of sealed values is at hand and the right one; raise DataUnusable if it is no key."""
        sealer = Sealer.find(self._seal_key, self._folder.seal_key)
        return not sealer.is_new and await self._reader.read(lambda connection: proves(connection, sealer))

    async def live(self, *, limit: int) -> Sequence[CallRecord]:
        """Return the newest calls that are not over, the oldest of them first."""
        return await self._reader.read(lambda connection: lists.find_live(connection, limit))

    async def finished(self, *, since: float, limit: int) -> Sequence[CallRecord]:
        """Return calls that are over and came in since then (seconds since 1970), the newest first."""
        return await self._reader.read(lambda connection: lists.find_finished(connection, since, limit))

    # --- numbers ---

    async def count(self, which: Literal["all", "live"]) -> int:
        """Count the calls; those that are not over cost as much as there are of them."""
        return await self._reader.read(lambda connection: lists.count_calls(connection, live=which == "live"))

    async def blocks(self, since: float) -> Sequence[Block]:
        """Return the calls that came in since then, the newest block first. Reads no trace."""
        return await self._counting.read(lambda connection: find_blocks(connection, since))

    async def flows(self, block: Block) -> Sequence[FlowCalls]:
        """Return which flows took the calls of a block."""
        return await self._counting.read(lambda connection: find_flows(connection, block))

    async def figures(self, block: Block, flow: str, count: Callable[[Iterable[CallTrace]], T]) -> T:
        """Return what `count`, in a thread, makes of those calls of a block that a flow (its hash) took."""
        return await self._counting.read(lambda connection: count(find_traces(connection, block, flow)))

    # --- erasing ---

    async def forget(self, *, before: float, limit: int) -> Sequence[ErasedCall]:
        """Erase calls that ended before then (seconds since 1970), at most so many, those that ended first."""
        ended = await self._reader.read(lambda connection: find_ended(connection, before, limit))
        if self._server is not None:
            await self._server.erase_ended(ended)
        elif ended:
            await asyncio.to_thread(self._written, lambda connection: erase_ended(connection, ended))
        return [one.contents for one in ended]

    async def erase(self, *, caller: str | None = None, call: str | None = None) -> Erasure:
        """Erase all calls of a caller, or the one call with our id, all or none, and overwrite what was there."""
        sealer = None if caller is None else self._sealer()

        def erased(connection: sqlite3.Connection) -> Erasure:
            users = UserRows(sealer) if sealer is not None and proves(connection, sealer) else None
            erasure = erase_calls(connection, caller, call, users)
            return replace(erasure, left=empty_log(connection, wait=True))

        return await asyncio.to_thread(self._written, erased)

    def _sealer(self) -> Sealer | None:
        """Return what tells whose values are whose; None: the key is none."""
        try:
            return Sealer.find(self._seal_key, self._folder.seal_key)
        except DataUnusable:
            return None

    async def empty_log(self) -> bool:
        """Empty the log, which holds what was erased; return whether no reader prevented it."""
        if self._server is not None:
            return await self._server.empty_log()
        return not await asyncio.to_thread(self._written, empty_log)

    async def close(self) -> None:
        """Let go of the data."""
        await self._reader.close()
        await self._counting.close()

    def _portions(
        self, question: Callable[[sqlite3.Connection, int, int], tuple[list[T], int]], start: int
    ) -> AsyncGenerator[Sequence[T], None]:
        return in_portions(lambda after, limit: self._reader.read(partial(_ask, question, after, limit)), start)

    def _written(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Change the database; raise StoreUnavailable if it was not changed."""
        with closing(open_database(self._folder.database)) as connection, _refusals(self._folder):
            connection.execute(f"PRAGMA busy_timeout = {round(1000 * self._patience)}")
            return change(connection)


def _ask(
    question: Callable[[sqlite3.Connection, int, int], T], position: int, number: int, connection: sqlite3.Connection
) -> T:
    return question(connection, position, number)


@contextmanager
def _refusals(folder: DataFolder) -> Iterator[None]:
    try:
        yield
    except REFUSALS as exc:
        raise StoreUnavailable(f"the database {folder.database} cannot be used: {reason(exc)}") from exc
