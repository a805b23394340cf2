"""How a call begins: the flow that takes it, and what the flow is told with the first event.

What the operator has closed and what is kept of the caller are in that event: so whatever a flow reads is in its trace,
and a replay needs nothing else.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from ivr.advance import Heard
from ivr.engine.events import CallPlaced, CallReceived
from ivr.engine.flow import Flow
from ivr.errors import WebhookError
from ivr.ports import CallingChannel, CallKey, Channel, Dial, Exchange, Incoming, Leg
from ivr.turn_needs import Closings, Flows
from ivr.user_values import User, UserValues

E = TypeVar("E", CallReceived, CallPlaced)
UNKNOWN = "unknown-call"
"Why a message is refused that is of no call, and begins none."


class Beginning(Struct, frozen=True):
    """The first message of a call, and the flow that takes it."""

    flow: Flow
    heard: Heard
    received: CallReceived
    "Among its events."
    now: float

    def told(self, received: CallReceived) -> "Beginning":
        """Return it with another first event."""
        exchange = self.heard.exchange
        events = tuple(received if event is self.received else event for event in exchange.events)
        return replace(self, heard=replace(self.heard, exchange=replace(exchange, events=events)), received=received)


class Beginnings:
    """How calls begin on one server."""

    def __init__(
        self, channels: Mapping[str, Channel], flows: Flows, closings: Closings, now: Callable[[], float]
    ) -> None:
        self._channels = channels
        self._flows = flows
        self._closings = closings
        self._now = now

    def of(self, incoming: Incoming, name: str | None) -> Beginning:
        """Return how a call begins with this message, in the flow that belongs to the number called.

        Raises WebhookError if none begins with it, or if there is no such flow.
        """
        now = self._now()
        exchange = self._channels[incoming.key.channel].hear(Leg(), incoming, now=now)
        received = next((event for event in exchange.events if isinstance(event, CallReceived)), None)
        if not incoming.starts or received is None:
            raise WebhookError(404, UNKNOWN, "No call with this id is known here.")
        flow = self._flows.choose(name, received.called)
        begins = Beginning(flow, Heard(incoming, exchange), received, now)
        return begins.told(replace(received, closed=self.closed(flow))) if flow.all_calendars else begins

    async def placed(
        self,
        known: UserValues,
        channel: CallingChannel,
        dial: Dial,
        flow: Flow,
        key: CallKey,
        *,
        values: Mapping[str, Any],
    ) -> Exchange:
        """Return what begins a call that we place; raise ValueError for a target that the channel cannot call."""
        now = self._now()
        placed = channel.place(dial, now=now)
        began = CallPlaced(dial.caller, dial.to, closed=self.closed(flow), values=values)
        began = await recalled(known, flow, key, began, now=now)
        return replace(placed, events=(began, *placed.events))

    def closed(self, flow: Flow) -> Mapping[str, str]:
        """Return which calendars of a flow the operator has closed, each with its notice."""
        return self._closings.of(flow.all_calendars) if flow.all_calendars else {}


async def with_user(values: UserValues, begins: Beginning) -> Beginning:
    """Add what is kept of the caller, if the flow reads any of it."""
    if not begins.flow.remembered:
        return begins
    key = begins.heard.incoming.key
    return begins.told(await recalled(values, begins.flow, key, begins.received, now=begins.now))


async def recalled(values: UserValues, flow: Flow, key: CallKey, event: E, *, now: float) -> E:
    """Return the first event of a call with what is kept of the caller for the flow; null: nothing is.

    Of a caller without a name nothing is kept. What another flow has kept as private is none of one that would show it.
    """
    name, within = _party(event)
    if not flow.remembered or name is None:
        return event
    known = await values.known(User(key.channel, key.account, within, name), now=now)
    found = {one: known.get(one, (None, False)) for one in sorted(flow.remembered)}
    user = {one: None if private and not flow.is_private(one) else value for one, (value, private) in found.items()}
    return replace(event, user=user)


def _party(event: CallReceived | CallPlaced) -> tuple[str | None, str]:
    """Return who is on the line besides us, and the part of the line in which that is a name."""
    return (event.caller, event.within) if isinstance(event, CallReceived) else (event.called, "")
