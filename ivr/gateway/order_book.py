"""Which orders of calls are taken, and which were: one call for each id, whom it may reach, how many there may be.

An order that was taken is known by its id as long as its call lasts, and for an hour after: the same order again gets
the same answer and is no second call. What was not taken is not remembered: nothing was done. Pure: time comes in as an
argument.
"""

import re
from collections import OrderedDict, deque
from collections.abc import Sequence
from math import ceil
from typing import Final

from msgspec import Struct

from ivr.callable_targets import CallableTargets, read_target
from ivr.errors import IvrError
from ivr.gateway.dial_plan import CallRoute, DialPlan, NotCallable
from ivr.gateway.metrics import OrderRefusal

SHORTEST_RING, LONGEST_RING = 5.0, 120.0
"Seconds for which the other side may be rung."
REMEMBERED: Final = 3600.0
"Seconds after the end of a call."
MOST_REMEMBERED: Final = 10_000
"Calls that are over; the first of them is forgotten first."
MINUTE: Final = 60.0
SOON: Final = 5
"Seconds until there may be room for one call more."
RESTARTED: Final = 30
"Seconds until another process may have taken the place of one that ends."

_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


class CallOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """What a server sends (docs/protocol.md, 26)."""

    id: str
    "32 hexadecimal digits, drawn by the server: the call's id, for both."
    to: str
    caller: str | None = None
    "Whom the other side is shown; None: whom the settings name first."
    ring: float = 45.0
    "Seconds to let it ring."


class NotTaken(IvrError):
    """An order that is not taken: the HTTP status, a word for the metric, a sentence that repeats nothing of it."""

    def __init__(self, status: int, why: OrderRefusal, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.why: OrderRefusal = why
        self.retry_after = retry_after
        "Seconds; None: it would be refused again."


class PlacedOrder(Struct, frozen=True):
    """An order that was taken."""

    id: str
    target: str
    "Whom it calls: a number, or a SIP address."
    caller: str | None
    ring: float
    route: CallRoute


class OrderRules(Struct, frozen=True):
    """What the operator has set."""

    targets: tuple[str, ...] = ()
    callers: tuple[str, ...] = ()
    a_minute: int = 30
    at_once: int = 10
    plan: DialPlan = DialPlan()


class Load(Struct, frozen=True):
    """How the gateway is."""

    full: bool = False
    draining: bool = False


class OrderBook:
    """The orders of one gateway."""

    def __init__(self, rules: OrderRules) -> None:
        self._rules = rules
        self._targets = CallableTargets(rules.targets)
        self._live: dict[str, CallOrder] = {}
        self._over: OrderedDict[str, tuple[CallOrder, float]] = OrderedDict()
        "With the moment of the end, in the order of the ends."
        self._begun: deque[float] = deque()
        "When calls were begun in the last minute."

    def take(self, order: CallOrder, now: float, load: Load) -> PlacedOrder | None:
        """Take an order, whose call begins now; None: it was taken before. Raise NotTaken."""
        self._forget(now)
        if not _ID.fullmatch(order.id):
            raise NotTaken(400, "order", "id is 32 hexadecimal digits in lower case.")
        known = self._live.get(order.id) or self._over.get(order.id, (None, 0.0))[0]
        if known is not None:
            if known != order:
                raise NotTaken(409, "id-used", "Another call was ordered under this id.")
            return None
        placed = self._read(order)
        self._check_room(now, load)
        self._live[order.id] = order
        self._begun.append(now)
        return placed

    def ended(self, call: str, now: float) -> None:
        """Take note that a call is over."""
        if (order := self._live.pop(call, None)) is not None:
            self._over[call] = (order, now)

    def __len__(self) -> int:
        """Return how many orders are remembered."""
        return len(self._live) + len(self._over)

    def _forget(self, now: float) -> None:
        while self._over:
            call, (_, ended) = next(iter(self._over.items()))
            if ended > now - REMEMBERED and len(self._over) <= MOST_REMEMBERED:
                break
            del self._over[call]

    def _read(self, order: CallOrder) -> PlacedOrder:
        if not SHORTEST_RING <= order.ring <= LONGEST_RING:
            raise NotTaken(400, "order", f"ring is {SHORTEST_RING:g} to {LONGEST_RING:g} seconds.")
        target = read_target(order.to)
        if target is None:
            raise NotTaken(422, "address", "to is a number such as +436601234567, or a SIP address.")
        if not self._targets.allows(target):
            raise NotTaken(403, "target", "IVR_GATEWAY_CALL_TARGETS does not name this target.")
        caller = self._caller(order.caller, self._rules.callers)
        try:
            route = self._rules.plan.route(target, caller)
        except NotCallable as error:
            raise NotTaken(422, "address", f"This target cannot be called from here: {error}.") from error
        return PlacedOrder(order.id, target, caller, order.ring, route)

    @staticmethod
    def _caller(written: str | None, callers: Sequence[str]) -> str | None:
        if written is None:
            return callers[0] if callers else None
        if (caller := read_target(written)) not in callers:
            raise NotTaken(403, "caller", "IVR_GATEWAY_CALL_CALLERS does not name this caller.")
        return caller

    def _check_room(self, now: float, load: Load) -> None:
        while self._begun and self._begun[0] <= now - MINUTE:
            self._begun.popleft()
        if load.draining:
            raise NotTaken(503, "draining", "This gateway is about to end.", retry_after=RESTARTED)
        if load.full:
            raise NotTaken(503, "calls", "There are as many calls as may be.", retry_after=SOON)
        if len(self._live) >= self._rules.at_once:
            raise NotTaken(429, "at-once", "Too many placed calls are under way.", retry_after=SOON)
        if len(self._begun) >= self._rules.a_minute:
            wait = max(1, ceil(self._begun[0] + MINUTE - now))
            raise NotTaken(429, "rate", "Too many calls were ordered in the last minute.", retry_after=wait)
