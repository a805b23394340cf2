"""What is known of a call before it is made, and the form that every request about it has."""

from typing import Literal, TypeAlias

from msgspec import Struct

from ivr.carriers.twiml.twiml_document import Target

CALLER = "+4930901820"
CALLED = "+498999998100"
"Numbers that are given to nobody, for films (Bundesnetzagentur)."

CallStatus: TypeAlias = Literal[
    "queued", "initiated", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled"
]
Detection: TypeAlias = Literal["Enable", "DetectMessageEnd"]


class Callee(Struct, frozen=True):
    """Who is called by the bot, and what becomes of it."""

    answers: Literal["human", "machine", "fax", "busy", "noAnswer", "rejected", "unreachable"] = "human"
    ring: float = 3.0
    "Seconds until then."


class TwimlCallPlan(Struct, frozen=True):
    """A call, as it is ordered: by somebody who dials, or by the bot through the carrier's API."""

    voice: Target
    "Whose document is the first."
    caller: str = CALLER
    called: str = CALLED
    status: Target | None = None
    "Told what becomes of the call."
    status_events: tuple[str, ...] = ("completed",)
    "`initiated`, `ringing`, `answered`, `completed`."
    rings: Target | None = None
    "Told that it rings, where that has an address of its own."
    fallback: Target | None = None
    "Asked when a document cannot be had."
    callee: Callee | None = None
    "Somebody who is called for the bot; None: somebody calls the bot."
    ringing: float = 60.0
    "Seconds for which it may ring at the callee's."
    detection: Detection | None = None
    "Whether a machine that answers is told from a human."
    detected: Target | None = None
    "Told who answered, while the first document is asked for already; None: the first document is asked for then."


class CallNumbers(Struct, frozen=True):
    """What identifies one call in requests."""

    sid: str
    account: str
    plan: TwimlCallPlan


def call_form(numbers: CallNumbers, status: CallStatus) -> dict[str, str]:
    """Return the fields that every request about a call has."""
    plan = numbers.plan
    return {
        "AccountSid": numbers.account,
        "ApiVersion": "2010-04-01",
        "CallSid": numbers.sid,
        "CallStatus": status,
        "Called": plan.called,
        "Caller": plan.caller,
        "Direction": "inbound" if plan.callee is None else "outbound-api",
        "From": plan.caller,
        "To": plan.called,
    }
