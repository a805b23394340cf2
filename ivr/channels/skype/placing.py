"""Calls that a gateway places for us (protocol 26): the order, and what is told until somebody answers.

The vendor's platform placed no calls. The order names nothing but who is called, by whom, and our id of the call, which
stands in all messages about it; what the gateway posts, and where, is its own settings' affair.
"""

from http import HTTPStatus
from typing import Final

from ivr.channels.skype import wire
from ivr.engine.destinations import why_not_answered
from ivr.engine.events import CallNotAnswered, CallRinging, Event
from ivr.ports import Dial, Outbound

ORDER: Final = "place"
"The name of the request that places a call, within the call."


def order(dial: Dial) -> Outbound:
    """Return the request that places a call.

    A gateway remembers orders by their id, but not beyond its own end: so it is sent once (`Outbound.once`).
    """
    body = {"id": dial.id, "to": dial.to, "caller": dial.caller, "ring": round(dial.ring)}
    return Outbound(ORDER, "POST", "/calls", body, answered=True, once=True, until=dial.until)


def ordered(status: int) -> tuple[Event, ...]:
    """Return what the gateway's answer to an order means; no success: it was refused or given up, nobody is called."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return ()
    return (CallNotAnswered("failed"),)


def progress(message: wire.Message, *, over: bool) -> tuple[Event, ...]:
    """Return what a message means for a call that nobody has answered so far; nothing, if it is not about that."""
    if over:
        status = (message.ivr.status if message.ivr is not None else None) or 0
        return (CallNotAnswered(why_not_answered(status), status),)
    rings = isinstance(message, wire.Notification) and message.current_state == "establishing"
    return (CallRinging(),) if rings else ()
