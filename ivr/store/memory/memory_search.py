"""The twin in memory of looking calls up: what a `MemoryStore` holds. No method ever waits."""

from collections import defaultdict
from collections.abc import Sequence

from ivr.call_search import CallsInTime, FoundCall, FoundCalls, WantedCalls, as_compared
from ivr.storage import Block
from ivr.store.live import BLOCK, Saved
from ivr.store.memory.memory_calls import MemoryStore


class MemorySearch:
    """`CallSearch`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def search(self, wanted: WantedCalls, *, before: int | None, limit: int, look: int) -> FoundCalls:
        """Look at calls before a row (None: at the newest), at `look` of them at most, until `limit` are found."""
        older = [
            self._found(saved)
            for saved in reversed(self._store.calls.values())
            if (before is None or saved.row < before) and _in_time(saved, wanted)
        ]
        looked = older[:look]
        found = [one for one in looked if _is_wanted(one, wanted)][:limit]
        if len(found) == limit:
            return FoundCalls(found, len(looked), found[-1].row)
        return FoundCalls(found, len(looked), looked[-1].row if len(looked) == look else None)

    async def flows(self) -> Sequence[str]:
        """Return the hashes of all flows that calls may name."""
        return sorted(self._store.flows)

    async def over_time(self, block: Block, width: float) -> Sequence[CallsInTime]:
        """Count the calls of a block by stretches of so many seconds."""
        counted: defaultdict[tuple[str, int, str], list[float]] = defaultdict(list)
        for saved in self._store.calls.values():
            if saved.row >= block.first and saved.row // BLOCK == block.number:
                one = self._found(saved)
                lasted = 0.0 if one.ended is None else max(one.ended - one.started, 0.0)
                counted[one.flow, int(one.started // width), one.kind].append(lasted)
        return [CallsInTime(*which, len(lasted), sum(lasted)) for which, lasted in sorted(counted.items())]

    def _found(self, saved: Saved) -> FoundCall:
        record, call = saved.record, saved.record.call
        ended = max((line.now for line in self._store.traces[record.id]), default=0.0) if saved.over else None
        return FoundCall(
            saved.row, record.id, call.flow, record.key.channel, call.facts.caller, call.facts.called,
            call.facts.placed, call.facts.started, ended, call.state, call.outcome,
        )  # fmt: skip


def _in_time(saved: Saved, wanted: WantedCalls) -> bool:
    started = saved.record.call.facts.started
    return (wanted.since is None or started >= wanted.since) and (wanted.until is None or started < wanted.until)


def _is_wanted(one: FoundCall, wanted: WantedCalls) -> bool:
    number = as_compared(wanted.number)
    if number and not any(number in as_compared(known) for known in (one.caller or "", one.called)):
        return False
    if wanted.flows is not None and one.flow not in wanted.flows:
        return False
    asked = ((wanted.channel, one.channel), (wanted.state, one.state), (wanted.outcome, one.kind))
    return all(not value or value == known for value, known in asked)
