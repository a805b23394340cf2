"""Calls that we place: which orders are taken, and how each becomes one call (docs/calls.md).

An order has a key, and the key makes our id of the call. So an order that is sent twice, or again after a crash, finds
the call that has begun: it is saved with its request to the platform in one transaction, before the order is answered.
Every bound is looked at before that, since calls cost money: who may be called, how many at once, how many a minute.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from ivr.call_record import CallRecord
from ivr.callable_targets import CallableTargets, read_target
from ivr.errors import OrderRefused, WebhookError
from ivr.ports import CallKey, Dial
from ivr.storage import Absent, Archive, CallStoreInMemory
from ivr.turn import TurnsInMemory
from ivr.turn_needs import Flows

SHORTEST_RING, LONGEST_RING = 5.0, 120.0
"Seconds for which the other side may be rung."
OF_USE: Final = 120.0
"Seconds for which an order waits for a platform that cannot be reached: nobody wants to be called an hour later."
MOST_LIVE: Final = 10_000
"Calls under way that are looked at when a server starts."
MINUTE: Final = 60.0


class CallOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """What whoever orders a call sends."""

    to: str
    flow: str
    channel: str
    caller: str | None = None
    ring: float = 45.0
    "Seconds."
    machine: bool = False
    "Whether the line is to find out if a machine has answered."
    values: dict[str, Any] = {}
    "For the flow's parameters."


class CallLimits(Struct, frozen=True):
    """How much may be ordered."""

    a_minute: int
    at_once: int


class Placing:
    """Takes orders."""

    def __init__(
        self,
        *,
        accounts: Mapping[str, str],
        unset: Mapping[str, str],
        turns: TurnsInMemory,
        store: CallStoreInMemory,
        archive: Archive,
        flows: Flows,
        targets: CallableTargets,
        callers: Sequence[str],
        limits: CallLimits,
        now: Callable[[], float],
    ) -> None:
        """`accounts` are those of the channels that can place calls, by their names.

        `unset`: what is to be set for those of them whose platform cannot be asked as the settings are.
        """
        self._accounts = accounts
        self._unset = unset
        self._turns = turns
        self._store = store
        self._archive = archive
        self._flows = flows
        self._targets = targets
        self._callers = callers
        self._limits = limits
        self._now = now
        self._lock = asyncio.Lock()
        self._placed: deque[float] = deque()
        "When calls were placed in the last minute."
        self._under_way: set[CallKey] | None = None
        "Calls that were not over when they were looked at last; None: they were not so far."

    async def place(self, order: CallOrder, key: str) -> CallRecord:
        """Place a call, or return the one that was placed under this key; raise WebhookError."""
        call = self._store.pseudonym(f"call {key}")
        whole = self._store.pseudonym(msgspec.json.encode(order, order="sorted").decode())
        async with self._lock:  # one after the other, so that two orders cannot both be the last one that is allowed
            known = await self.find(call)
            if known is not None:
                if known.ordered != whole:
                    raise WebhookError(409, "key-used", "Another call was ordered under this Idempotency-Key.")
                return known
            return await self._placed_now(order, call, whole)

    async def find(self, call: str) -> CallRecord | None:
        """Return a call of ours by its id."""
        for channel, account in self._accounts.items():
            if (record := await self._store.load(CallKey(channel, account, call))) is not None:
                return record
        return None

    async def _placed_now(self, order: CallOrder, call: str, whole: str) -> CallRecord:
        account = self._accounts.get(order.channel)
        if account is None:
            able = ", ".join(sorted(self._accounts.keys() - self._unset.keys())) or "none"
            raise WebhookError(422, "channel", f"This channel is not on here. Channels that place calls here: {able}.")
        if (needed := self._unset.get(order.channel)) is not None:
            raise WebhookError(422, "channel", f"This channel places no calls here. To have it do so, set {needed}.")
        if not SHORTEST_RING <= order.ring <= LONGEST_RING:
            raise WebhookError(422, "ring", f"ring is {SHORTEST_RING:g} to {LONGEST_RING:g} seconds.")
        target, caller = self._target(order.to), self._caller(order.caller)
        flow = self._flows.choose(order.flow, target)
        await self._within_limits()
        now = self._now()
        key = CallKey(order.channel, account, call)
        dial = Dial(call, target, caller, order.ring, order.machine, now + OF_USE)
        try:
            record = await self._turns.place(key, dial, flow, values=order.values, ordered=whole)
        except OrderRefused as refused:
            raise WebhookError(422, "values", f"{refused}.") from refused
        except ValueError as error:
            raise WebhookError(422, "order", f"The call cannot be placed: {error}.") from error
        self._placed.append(now)
        if self._under_way is not None:
            self._under_way.add(key)
        return record

    def _target(self, written: str) -> str:
        target = read_target(written)
        if target is None:
            raise WebhookError(422, "to", "to is a number such as +436601234567, or a SIP address.")
        if not self._targets.allows(target):
            raise WebhookError(403, "target", "IVR_CALL_TARGETS does not name this target.")
        return target

    def _caller(self, written: str | None) -> str | None:
        if written is None:
            return self._callers[0] if self._callers else None
        if (caller := read_target(written)) not in self._callers:
            raise WebhookError(403, "caller", "IVR_CALL_CALLERS does not name this caller.")
        return caller

    async def _within_limits(self) -> None:
        """Raise WebhookError (429) where one call more would be too many."""
        now = self._now()
        while self._placed and self._placed[0] <= now - MINUTE:
            self._placed.popleft()
        if len(self._placed) >= self._limits.a_minute:
            raise WebhookError(429, "rate", "Too many calls were ordered in the last minute.")
        if self._under_way is None:
            live = await self._archive.live(limit=MOST_LIVE)
            self._under_way = {record.key for record in live if record.call.facts.placed}
        for key in [key for key in self._under_way if not await self._is_under_way(key)]:
            self._under_way.discard(key)
        if len(self._under_way) >= self._limits.at_once:
            raise WebhookError(429, "at-once", "Too many placed calls are under way.")

    async def _is_under_way(self, key: CallKey) -> bool:
        record: CallRecord | Absent | None = self._store.glance(key)
        if isinstance(record, Absent):
            record = await self._store.load(key)
        return record is not None and record.call.phase != "over"
