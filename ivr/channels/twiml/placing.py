"""Calls that we place: how they are ordered of a carrier, and what it tells of them until somebody answers.

The carrier's id of a call is not known when its first request comes, which can be before the answer to our order. So
each address in the order is made for our own id of the call (`Addresses.placed`), and its token proves it.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from ivr.channels.twiml import wire
from ivr.channels.twiml.addresses import Addresses
from ivr.channels.twiml.profiles import Profile
from ivr.channels.twiml.reading import number_of
from ivr.engine.destinations import why_not_answered
from ivr.engine.events import AnsweredBy, CallAnswered, CallNotAnswered, CallRinging, Event, LineReported, NotAnswered
from ivr.engine.line_facts import LineFacts
from ivr.ports import Dial, Outbound

ORDER: Final = "place"
"The name of the request that places a call, within the call."
_EVENTS: Final = ("ringing", "answered", "completed")
_NOT_ANSWERED: Final[Mapping[str, NotAnswered]] = {"busy": "busy", "no-answer": "noAnswer", "canceled": "noAnswer"}


def order(profile: Profile, account: str, addresses: Addresses, dial: Dial, *, application: str | None) -> Outbound:
    """Return the request that places a call; raise ValueError where something is missing for it.

    `application` is the one at Telnyx by which it is placed. No carrier of this family promises to place an order once
    that is sent twice: so it is sent once (`Outbound.once`).
    """
    if dial.caller is None:
        raise ValueError("this channel needs a caller, in the order or in IVR_CALL_CALLERS")
    match profile.orders:
        case "Plivo":
            fields = _plivo_order(addresses, dial)
        case "TeXML":
            if application is None:
                raise ValueError("this channel needs an application at Telnyx: IVR_TELNYX_APPLICATION_ID")
            fields = _texml_order(addresses, dial, application)
        case "form":
            fields = _twiml_order(addresses, dial)
    return Outbound(
        ORDER,
        "POST",
        profile.calls.format(account=quote(account, safe="")),
        fields,
        kind="form" if profile.orders == "form" else "json",
        answered=True,
        once=True,
        until=dial.until,
    )


def _twiml_order(addresses: Addresses, dial: Dial) -> Mapping[str, object]:
    fields: dict[str, object] = {
        "To": dial.to,
        "From": dial.caller,
        "Url": addresses.placed("call", dial.id),
        "Method": "POST",
        "FallbackUrl": addresses.placed("fallback", dial.id),
        "FallbackMethod": "POST",
        "StatusCallback": addresses.placed("status", dial.id),
        "StatusCallbackMethod": "POST",
        "StatusCallbackEvent": list(_EVENTS),
        "Timeout": str(round(dial.ring)),
    }
    if dial.machine:
        fields["MachineDetection"] = "DetectMessageEnd"  # so that a message is spoken after the beep, not before
    return fields


def _texml_order(addresses: Addresses, dial: Dial, application: str) -> Mapping[str, object]:
    """Write an order as Telnyx's page of `Initiate an outbound call` has it: its own names, and the application."""
    fields: dict[str, object] = {
        "ApplicationSid": application,
        "To": dial.to,
        "From": dial.caller,
        "Url": addresses.placed("call", dial.id),
        "UrlMethod": "POST",
        "FallbackUrl": addresses.placed("fallback", dial.id),
        "StatusCallback": addresses.placed("status", dial.id),
        "StatusCallbackMethod": "POST",
        "StatusCallbackEvent": " ".join(_EVENTS),
        "Timeout": round(dial.ring),
    }
    if dial.machine:
        fields["MachineDetection"] = "DetectMessageEnd"
    return fields


def _plivo_order(addresses: Addresses, dial: Dial) -> Mapping[str, object]:
    fields: dict[str, object] = {
        "from": dial.caller,
        "to": dial.to,
        "answer_url": addresses.placed("call", dial.id),
        "answer_method": "POST",
        "fallback_url": addresses.placed("fallback", dial.id),
        "fallback_method": "POST",
        "ring_url": addresses.placed("status", dial.id),
        "ring_method": "POST",
        "hangup_url": addresses.placed("status", dial.id),
        "hangup_method": "POST",
        "ring_timeout": round(dial.ring),
    }
    if dial.machine:
        fields["machine_detection"] = "true"
    return fields


def ordered(status: int) -> tuple[Event, ...]:
    """Return what a carrier's answer to the order means; no success: it was refused or given up, nobody is called."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return ()
    return (CallNotAnswered("failed"),)


def picked_up(fields: Mapping[str, str], kind: str) -> tuple[Event, ...]:
    """Return that a call was answered, and what is told of its line; `kind` is the name of the channel."""
    return CallAnswered(_answered_by(fields), transfers=True), LineReported(LineFacts(kind=kind, transfer=True))


def progress(fields: Mapping[str, str]) -> tuple[Event, ...]:
    """Return what is told of a call that nobody has answered so far."""
    word = fields.get(wire.CALL_STATUS, "")
    if word == "ringing":
        return (CallRinging(),)
    if word not in wire.OVER:
        return (LineReported(),)
    status = int(number_of(fields, wire.SIP_STATUS, most=699) or 0)
    status = status if status >= HTTPStatus.MULTIPLE_CHOICES else 0
    return (CallNotAnswered(_why(word, status), status),)


def _why(word: str, status: int) -> NotAnswered:
    if word == "completed":
        return "failed"  # it was answered, and no document of ours came to be heard
    if word in _NOT_ANSWERED:
        return _NOT_ANSWERED[word]
    return why_not_answered(status) if status else "unreachable"


def _answered_by(fields: Mapping[str, str]) -> AnsweredBy:
    word = fields.get(wire.ANSWERED_BY, "")
    if word == "human":
        return "human"
    return "machine" if word.startswith(("machine", "fax")) else "unknown"
