"""The archive's twin in memory: what a `MemoryStore` holds, with the promises of `Archive`. No method ever waits."""

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from itertools import islice, takewhile
from typing import Literal, TypeVar

from msgspec import Struct

from ivr.call_record import CallRecord, Stepped, recordings_in
from ivr.ports import CallKey
from ivr.storage import FOUND, Block, CallSummary, CallTrace, DamagedCallRow, ErasedCall, Erasure, FlowCalls, StoredCall
from ivr.store.live import BLOCK, Saved
from ivr.store.memory.memory_calls import MemoryStore
from ivr.store.rows import without_private

T = TypeVar("T")

PORTION = 3
"Calls at a time: few, so that tests see portions."


class _Changes(Struct):
    """How often something of a block has changed, and which calls it holds, apart from the calls that are there."""

    changes: int = 0
    members: int = 0


class MemoryArchive:
    """`Archive`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._erased: dict[int, _Changes] = {}

    async def find(self, beginning: str) -> Sequence[str]:
        """Return our ids that begin so, at most ten, in order."""
        return sorted(call for call in self._store.calls if call.startswith(beginning))[:FOUND]

    async def named(self, key: CallKey) -> str | None:
        """Return our id of the call that a platform names so; None: there is no such call."""
        return next((saved.record.id for saved in self._store.calls.values() if saved.record.key == key), None)

    async def call(self, call: str) -> CallRecord | None:
        """Return one call by our id."""
        saved = self._store.calls.get(call)
        return without_private(saved.record) if saved else None

    async def trace(self, call: str) -> Sequence[Stepped]:
        """Return the trace of one call in order; empty: there is no such call."""
        return tuple(self._store.traces.get(call, ()))

    async def flow(self, flow_hash: str) -> bytes | None:
        """Return the source of a flow that took calls."""
        return self._store.flows.get(flow_hash)

    # --- lists ---

    async def recent(self) -> AsyncGenerator[Sequence[CallSummary], None]:
        """Return all calls, the newest first, a portion at a time."""
        for ids in _portions([*reversed(self._store.calls)]):
            yield [self._summary(saved) for saved in self._still(ids)]

    async def stored(self) -> AsyncGenerator[Sequence[StoredCall], None]:
        """Return all calls with their traces, the oldest first, a portion at a time."""
        for ids in _portions([*self._store.calls]):
            yield [self._stored(saved) for saved in self._still(ids)]

    async def damaged(self, *, sealed: bool) -> AsyncGenerator[Sequence[DamagedCallRow], None]:
        """Return nothing: what is in memory can be read."""
        for portion in _portions(list[DamagedCallRow]()):
            yield portion

    async def opens_seals(self) -> bool:
        """Return that nothing here is sealed."""
        return True

    async def live(self, *, limit: int) -> Sequence[CallRecord]:
        """Return the newest calls that are not over, the oldest of them first."""
        return self._newest(limit, over=False)[::-1]

    async def finished(self, *, since: float, limit: int) -> Sequence[CallRecord]:
        """Return calls that are over and came in since then (seconds since 1970), the newest first."""
        return list(takewhile(lambda one: one.call.facts.started >= since, self._newest(limit, over=True)))

    # --- numbers ---

    async def count(self, which: Literal["all", "live"]) -> int:
        """Count the calls."""
        return sum(which == "all" or not saved.over for saved in self._store.calls.values())

    async def blocks(self, since: float) -> Sequence[Block]:
        """Return the calls that came in since then, the newest block first."""
        calls = self._store.calls.values()
        before = takewhile(lambda saved: saved.record.call.facts.started < since, calls)
        first = max((saved.row + 1 for saved in before), default=0)
        numbers = {saved.row // BLOCK for saved in calls} | set(self._erased)
        return [self._block(number, first) for number in sorted(numbers, reverse=True) if number >= first // BLOCK]

    async def flows(self, block: Block) -> Sequence[FlowCalls]:
        """Return which flows took the calls of a block."""
        found: dict[str, list[float]] = {}
        for saved in self._inside(block):
            found.setdefault(saved.record.call.flow, []).append(saved.record.call.facts.started)
        return [FlowCalls(flow, len(started), max(started)) for flow, started in sorted(found.items())]

    async def figures(self, block: Block, flow: str, count: Callable[[Iterable[CallTrace]], T]) -> T:
        """Return what `count` makes of those calls of a block that a flow (its hash) took."""
        return count(
            ((saved.record.call.outcome or "") if saved.over else None, trace)
            for saved in self._inside(block)
            if saved.record.call.flow == flow and (trace := self._store.traces[saved.record.id])
        )

    # --- erasing ---

    async def forget(self, *, before: float, limit: int) -> Sequence[ErasedCall]:
        """Erase calls that ended before then (seconds since 1970), at most so many, those that ended first."""
        over = (saved for saved in self._store.calls.values() if saved.over and self._ended(saved) < before)
        return self._erase(sorted(over, key=self._ended)[:limit])

    async def erase(self, *, caller: str | None = None, call: str | None = None) -> Erasure:
        """Erase all calls with somebody, whoever called, or the one call with our id."""
        calls = list(self._store.calls.values())
        if call is not None:
            return Erasure(self._erase([saved for saved in calls if saved.record.id == call]))
        erased = self._erase([saved for saved in calls if saved.record.call.facts.party == caller])
        return Erasure(erased, values=self._store.erase_user(caller) if caller is not None else 0)

    async def empty_log(self) -> bool:
        """Return that there is no log."""
        return True

    async def close(self) -> None:
        """Do nothing: there is nothing to let go of."""

    def _ended(self, saved: Saved) -> float:
        """Return when the last thing happened to a call; 0: nothing ever did. The end of a call does not move back."""
        times = [line.now for line in self._store.traces[saved.record.id]]
        return max(times, default=0.0) if saved.over else times[-1] if times else 0.0

    def _still(self, ids: Sequence[str]) -> Iterator[Saved]:
        """Return those of these calls that have not been erased in the meantime."""
        return (self._store.calls[call] for call in ids if call in self._store.calls)

    def _newest(self, limit: int, *, over: bool) -> list[CallRecord]:
        found = (saved for saved in reversed(self._store.calls.values()) if saved.over == over)
        return [without_private(saved.record) for saved in islice(found, limit)]

    def _summary(self, saved: Saved) -> CallSummary:
        call = saved.record.call
        facts = call.facts
        ended = self._ended(saved) or facts.started
        return CallSummary(
            saved.record.id, call.flow, facts.channel, facts.caller, facts.called, facts.started, ended, call.state,
            call.outcome, saved.over, placed=facts.placed,
        )  # fmt: skip

    def _stored(self, saved: Saved) -> StoredCall:
        return StoredCall(saved.record.id, without_private(saved.record), list(self._store.traces[saved.record.id]))

    def _inside(self, block: Block) -> Iterator[Saved]:
        calls = self._store.calls.values()
        return (saved for saved in calls if saved.row >= block.first and saved.row // BLOCK == block.number)

    def _block(self, number: int, first: int) -> Block:
        there = [saved for saved in self._store.calls.values() if saved.row // BLOCK == number]
        gone = self._erased.get(number, _Changes())
        changes = gone.changes + sum(saved.record.version for saved in there)
        return Block(number, max(number * BLOCK, first), changes, gone.members + len(there))

    def _erase(self, calls: Sequence[Saved]) -> Sequence[ErasedCall]:
        erased = [self._erased_call(saved) for saved in calls]
        for saved in calls:
            gone = self._erased.setdefault(saved.row // BLOCK, _Changes())
            gone.changes += saved.record.version + 1
            gone.members += 2  # it has come and gone
        self._store.erase([saved.record.id for saved in calls])
        return erased

    def _erased_call(self, saved: Saved) -> ErasedCall:
        trace = self._store.traces[saved.record.id]
        recordings = tuple((media, self._size(media)) for media in dict.fromkeys(recordings_in(trace)))
        return ErasedCall(saved.record.id, saved.record.call.facts.started, len(trace), recordings)

    def _size(self, media: str) -> int | None:
        audio = self._store.media.get(media)
        return None if audio is None else len(audio)


def _portions(calls: Sequence[T]) -> Iterator[Sequence[T]]:
    return (calls[start : start + PORTION] for start in range(0, len(calls), PORTION))
