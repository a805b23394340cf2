"""How many calls came in when, and how they ended: counted a block at a time, so that what has not changed is kept."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from ivr.call_search import LIVE, CallSearch, CallsInTime
from ivr.storage import Archive, Block
from ivr.store.recent import Recent

AT_ONCE: Final = 50
"Blocks that are counted for one page: 100,000 calls, about a second of a thread. The next look goes on from there."
REMEMBERED: Final = 2000
"Blocks whose counts are kept: of 4,000,000 calls, or of fewer in several widths."


class Stretch(Struct, frozen=True):
    """The calls that came in within a stretch of time."""

    begun: float
    "In seconds since 1970."
    kinds: Counter[str]
    "How many there are of each outcome (`FoundCall.kind`)."
    seconds: float
    "How long those that are over lasted together."

    @property
    def calls(self) -> int:
        """All of them."""
        return self.kinds.total()

    @property
    def over(self) -> int:
        """Those that are over."""
        return self.calls - self.kinds[LIVE]


class Period(Struct, frozen=True):
    """Stretches of time that follow each other, the oldest first."""

    stretches: Sequence[Stretch]
    flows: Counter[str]
    "All calls of the period by the hash of the flow that took them, whichever was asked for."
    pending: bool
    "There are older calls, which the next look will count."

    @property
    def whole(self) -> Stretch:
        """All stretches together."""
        kinds: Counter[str] = Counter()
        for one in self.stretches:
            kinds.update(one.kinds)
        return Stretch(self.stretches[0].begun, kinds, sum(one.seconds for one in self.stretches))


class CountsOverTime:
    """Calls by the time at which they came in; raises StoreUnavailable."""

    def __init__(self, archive: Archive, search: CallSearch, *, at_once: int = AT_ONCE) -> None:
        self._archive = archive
        self._search = search
        self._at_once = at_once
        self._known: Recent[tuple[int, float], tuple[Block, Sequence[CallsInTime]]] = Recent(REMEMBERED)

    async def period(self, now: float, *, width: float, number: int, flows: frozenset[str] | None = None) -> Period:
        """Count the calls of the last stretches, `number` of them and `width` seconds each, up to the one of `now`.

        `flows`: the hashes of those whose calls are counted; None: of all.
        """
        last = int(now // width)
        first = last - number + 1
        parts, pending = await self._parts(first * width, width)
        inside = [one for one in parts if first <= one.stretch <= last]
        taken: Counter[str] = Counter()
        for one in inside:
            taken[one.flow] += one.calls
        wanted = inside if flows is None else [one for one in inside if one.flow in flows]
        return Period(_stretches(wanted, range(first, last + 1), width), taken, pending)

    async def _parts(self, since: float, width: float) -> tuple[Sequence[CallsInTime], bool]:
        found: list[CallsInTime] = []
        fresh = 0
        for block in await self._archive.blocks(since):
            known = self._known.get((block.number, width))
            if known is None or known[0] != block:
                if fresh == self._at_once:
                    return found, True
                fresh += 1
                known = block, await self._search.over_time(block, width)
                self._known[block.number, width] = known
            found += known[1]
        return found, False


def _stretches(parts: Iterable[CallsInTime], numbers: Iterable[int], width: float) -> Sequence[Stretch]:
    kinds: defaultdict[int, Counter[str]] = defaultdict(Counter)
    lasted: defaultdict[int, float] = defaultdict(float)
    for one in parts:
        kinds[one.stretch][one.kind] += one.calls
        lasted[one.stretch] += one.seconds
    return [Stretch(number * width, kinds[number], lasted[number]) for number in numbers]
