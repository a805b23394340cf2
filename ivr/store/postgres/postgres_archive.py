"""The stored calls of a database that several servers share: read beside them, or while none is there.

Nothing here is cached, and what is read is what was committed last. Traces are decoded in threads, so that neither
callers nor short questions wait for long ones.
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from functools import partial
from typing import Final, Literal, TypeVar

from ivr.call_record import CallRecord, Stepped
from ivr.ports import CallKey
from ivr.storage import Block, CallSummary, CallTrace, DamagedCallRow, ErasedCall, Erasure, FlowCalls, StoredCall
from ivr.store.call_listing import NEWEST, in_portions
from ivr.store.postgres import postgres_listing as listing
from ivr.store.postgres.postgres_blocks import count_traces, find_blocks, find_flows
from ivr.store.postgres.postgres_damage import find_damaged
from ivr.store.postgres.postgres_erasure import PostgresErasure
from ivr.store.postgres.postgres_pool import PostgresPool
from ivr.store.postgres.postgres_schema import proves
from ivr.store.rows import Rows
from ivr.store.sealing import Sealer

T = TypeVar("T")

WITH_TRACES: Final = 128
"Calls whose traces are read at a time, at most: they are in memory at once, and so is what they are decoded from."


class PostgresArchive:
    """`Archive`."""

    def __init__(self, pool: PostgresPool, sealer: Sealer) -> None:
        self._pool = pool
        self._sealer = sealer
        self._erasure = PostgresErasure(pool, sealer)

    # --- single calls ---

    async def find(self, beginning: str) -> Sequence[str]:
        """Return our ids that begin so, at most ten, in order."""
        return await listing.find_ids(self._pool, beginning)

    async def named(self, key: CallKey) -> str | None:
        """Return our id of the call that a platform names so; None: there is no such call."""
        return await listing.find_named(self._pool, key)

    async def call(self, call: str) -> CallRecord | None:
        """Return one call by our id; raise UnreadableRow."""
        return await listing.find_public(self._pool, call)

    async def trace(self, call: str) -> Sequence[Stepped]:
        """Return the trace of one call in order; empty: there is no such call. Raises UnreadableRow."""
        return await listing.find_trace(self._pool, call)

    async def flow(self, flow_hash: str) -> bytes | None:
        """Return the source of a flow that took calls."""
        return await listing.find_flow(self._pool, flow_hash)

    # --- lists ---

    def recent(self) -> AsyncGenerator[Sequence[CallSummary], None]:
        """Return all calls, the newest first, a portion at a time; whoever stops early has read no more than that."""
        return in_portions(partial(listing.find_summaries, self._pool), NEWEST)

    def stored(self) -> AsyncGenerator[Sequence[StoredCall], None]:
        """Return all calls with their traces, the oldest first, a portion at a time."""
        return in_portions(partial(listing.find_stored, self._pool), 0, most=WITH_TRACES)

    def damaged(self, *, sealed: bool) -> AsyncGenerator[Sequence[DamagedCallRow], None]:
        """Return every call of which something cannot be read, the oldest first, a portion at a time."""
        rows = Rows(self._sealer) if sealed else None
        return in_portions(partial(find_damaged, self._pool, rows=rows), 0, most=WITH_TRACES)

    async def opens_seals(self) -> bool:
        """Return whether the key of sealed values is at hand and the right one."""
        return not self._sealer.is_new and await proves(self._pool, self._sealer)

    async def live(self, *, limit: int) -> Sequence[CallRecord]:
        """Return the newest calls that are not over, the oldest of them first."""
        return await listing.find_live(self._pool, limit)

    async def finished(self, *, since: float, limit: int) -> Sequence[CallRecord]:
        """Return calls that are over and came in since then (seconds since 1970), the newest first."""
        return await listing.find_finished(self._pool, since, limit)

    # --- numbers ---

    async def count(self, which: Literal["all", "live"]) -> int:
        """Count the calls; those that are not over cost as much as there are of them."""
        return await listing.count_calls(self._pool, live=which == "live")

    async def blocks(self, since: float) -> Sequence[Block]:
        """Return the calls that came in since then, the newest block first. Reads no trace."""
        return await find_blocks(self._pool, since)

    async def flows(self, block: Block) -> Sequence[FlowCalls]:
        """Return which flows took the calls of a block."""
        return await find_flows(self._pool, block)

    async def figures(self, block: Block, flow: str, count: Callable[[Iterable[CallTrace]], T]) -> T:
        """Return what `count`, in a thread, makes of those calls of a block that a flow (its hash) took."""
        return await count_traces(self._pool, block, flow, count)

    # --- erasing ---

    async def forget(self, *, before: float, limit: int) -> Sequence[ErasedCall]:
        """Erase calls that ended before then (seconds since 1970), at most so many, those that ended first."""
        return await self._erasure.forget(before=before, limit=limit)

    async def erase(self, *, caller: str | None = None, call: str | None = None) -> Erasure:
        """Erase all calls of a caller, or the one call with our id, all or none, beside the servers, too."""
        return await self._erasure.erase(caller=caller, call=call)

    async def empty_log(self) -> bool:
        """Return that there is no log of ours: the database's own holds what was erased until it is used again."""
        return True

    async def close(self) -> None:
        """Do nothing: whoever opened the database closes it."""
