"""Figures of any number of calls, counted a block at a time in a thread beside the event loop.

A block is counted again only if a call of it has changed: mostly the newest one, and those at the edge of a period.
"""

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial

from msgspec import Struct

from ivr.engine.flow import Flow
from ivr.server.console.figures import Figures, figures_of_call, sum_of, total
from ivr.storage import Archive, Block, CallTrace, FlowCalls
from ivr.store.recent import Recent

AT_ONCE = 20
"Blocks that are counted for one page: 40,000 calls, some two seconds. The next look goes on from there."
LISTED_AT_ONCE = 100
"Blocks of which is looked up, for one page, who took their calls: 200,000 calls, about a second."
MOST = 1000
"Blocks that figures are made of: 2,000,000 calls, some 5 MB of counts."
FLOWS = 4
"Versions of flows whose figures are kept."
LISTED = 10_000
"Blocks of which is kept who took their calls."


class Counted(Struct, frozen=True):
    """The figures of a period as far as they are known."""

    figures: Figures
    pending: bool = False
    "There are older calls, which the next look will count."


class ListedFlows(Struct, frozen=True):
    """Which flows took the calls of a period, as far as it is known."""

    flows: Sequence[FlowCalls]
    "Each version of a flow that took calls, the one called last first."
    pending: bool = False
    "There are older calls, which the next look will find."


class Counts:
    """What callers did, by flow and period; every method raises StoreUnavailable."""

    def __init__(self, archive: Archive, *, at_once: int = AT_ONCE, listed_at_once: int = LISTED_AT_ONCE) -> None:
        self._archive = archive
        self._at_once = at_once
        self._listed_at_once = listed_at_once
        self._listed: Recent[int, tuple[Block, Sequence[FlowCalls]]] = Recent(LISTED)
        self._figures: Recent[str, dict[int, tuple[Block, Figures]]] = Recent(FLOWS)

    async def flows(self, since: float) -> ListedFlows:
        """Return which flows took calls since then, the newest calls first."""
        found: list[FlowCalls] = []
        fresh = 0
        for block in await self._archive.blocks(since):
            known = self._listed.get(block.number)
            if known is None or known[0].taken != block.taken:
                if fresh == self._listed_at_once:
                    return ListedFlows(_joined(found), pending=True)
                fresh += 1
                known = block, await self._archive.flows(block)
                self._listed[block.number] = known
            found += known[1]
        return ListedFlows(_joined(found))

    async def figures(self, flow: Flow, since: float) -> Counted:
        """Count what callers did in a flow since then, the newest calls first."""
        known = self._figures.get(flow.hash)
        if known is None:
            known = self._figures[flow.hash] = {}
        counted: list[Figures] = []
        fresh = 0
        blocks = (await self._archive.blocks(since))[:MOST]
        for block in blocks:
            before = known.get(block.number)
            if before is None or before[0] != block:
                if fresh == self._at_once:
                    break
                fresh += 1
                before = block, await self._archive.figures(block, flow.hash, partial(_sum_of, flow=flow))
                known[block.number] = before
            counted.append(before[1])
        for forgotten in sorted(known)[:-MOST]:
            del known[forgotten]
        whole = await asyncio.to_thread(total, counted)  # of a thousand blocks, it may be
        return Counted(whole, pending=len(counted) < len(blocks))


def _sum_of(calls: Iterable[CallTrace], flow: Flow) -> Figures:
    return sum_of((figures_of_call(outcome, trace) for outcome, trace in calls), flow)


def _joined(found: Iterable[FlowCalls]) -> Sequence[FlowCalls]:
    """Put together what several blocks hold of each flow."""
    flows: dict[str, FlowCalls] = {}
    for one in found:
        other = flows.get(one.flow, one)
        calls = one.calls + (other.calls if other is not one else 0)
        flows[one.flow] = FlowCalls(one.flow, calls, max(one.last, other.last))
    return sorted(flows.values(), key=lambda one: -one.last)
