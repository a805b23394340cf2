"""What is known of a call before it is made, and the form that every request about it has."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from ivr.carriers.twiml.twiml_document import Target

CALLER = "+4930901820"
CALLED = "+498999998100"
"Numbers that are given to nobody, for films (Bundesnetzagentur)."


class TwimlCallPlan(Struct, frozen=True):
    """A call, as it is ordered: by somebody who dials, or by the bot through the carrier's API."""

    voice: Target
    "Whose document is the first."
    caller: str = CALLER
    called: str = CALLED
    direction: Literal["inbound", "outbound-api"] = "inbound"
    status: Target | None = None
    "Told what becomes of the call."
    status_events: tuple[str, ...] = ("completed",)
    "`initiated`, `ringing`, `answered`, `completed`."
    fallback: Target | None = None
    "Asked when a document cannot be had."
    answered_by: str | None = None
    "`human`, `machine_start` …, where that is detected before the first document."


class CallNumbers(Struct, frozen=True):
    """What identifies one call in requests."""

    sid: str
    account: str
    plan: TwimlCallPlan


def call_form(numbers: CallNumbers, status: str) -> dict[str, str]:
    """Return the fields that every request about a call has."""
    plan = numbers.plan
    return {
        "AccountSid": numbers.account,
        "ApiVersion": "2010-04-01",
        "CallSid": numbers.sid,
        "CallStatus": status,
        "Called": plan.called,
        "Caller": plan.caller,
        "Direction": plan.direction,
        "From": plan.caller,
        "To": plan.called,
    }


def status_form(
    numbers: CallNumbers, status: str, *, sequence: int, timestamp: str, more: Mapping[str, str]
) -> dict[str, str]:
    """Return the fields of a status callback."""
    return {
        **call_form(numbers, status),
        "CallbackSource": "call-progress-events",
        "SequenceNumber": str(sequence),
        "Timestamp": timestamp,
        **more,
    }
