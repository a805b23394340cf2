"""A call that a bot orders by the REST API, and whoever is called: a person, a machine, or nobody."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from ivr.carriers.jambonz.call_info import CallStatus
from ivr.carriers.jambonz.jambonz_call import Detection
from ivr.carriers.jambonz.verb_document import judge_part
from ivr.carriers.jambonz.verbs import Hook, Target

RINGING = 60.0
"Seconds for which a call rings, where its order says nothing."
DETECTED = 1.5
"Seconds after the answer at which a short greeting has told that it is a person."

Answers: TypeAlias = Literal["human", "machine", "nobody", "busy", "rejected", "unreachable"]
FAILURES: Mapping[Answers, tuple[CallStatus, int]] = {
    "busy": ("busy", 486),
    "rejected": ("busy", 603),
    "nobody": ("no-answer", 487),
    "unreachable": ("failed", 404),
}
"What becomes of a call that nobody takes: its status, and that of SIP."


class Callee(Struct, frozen=True):
    """Whoever is called."""

    answers: Answers = "human"
    rings: float = 2.0
    "Seconds until the answer, whatever it is."
    greeting: float = 4.0
    "Of a machine, in seconds; then there is a tone."


class AmdOrder(Struct, frozen=True, rename="camel"):
    """Have it found out who has answered."""

    action_hook: Hook


class CallOrder(Struct, frozen=True):
    """What is ordered, in the API's spelling."""

    call_hook: Hook
    to: Target
    from_: str = msgspec.field(name="from")
    call_status_hook: Hook | None = None
    timeout: float = RINGING
    amd: AmdOrder | None = None
    tag: Mapping[str, Any] | None = None
    time_limit: float = msgspec.field(default=0.0, name="timeLimit")


class BadOrder(Exception):
    """An order that is refused; `str()` says why."""


def read_order(body: bytes) -> CallOrder:
    """Read an order; raise BadOrder."""
    try:
        found = msgspec.json.decode(body)
        problems = list(judge_part("the order", "rest:dial", found))
        if problems:
            raise BadOrder("; ".join(problems[:5]))
        return msgspec.convert(found, CallOrder)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadOrder(f"not an order: {error}") from error


def number_of(order: CallOrder) -> str:
    """Return whom an order calls, as its hooks tell it."""
    return order.to.number or order.to.sip_uri or order.to.name or ""


def detections(order: CallOrder, callee: Callee, answered_at: float) -> Sequence[Detection]:
    """Return what is found out of who has answered, and when."""
    if order.amd is None:
        return ()
    if callee.answers == "human":
        heard: list[tuple[float, dict[str, Any]]] = [
            (
                DETECTED,
                {"type": "amd_human_detected", "reason": "short greeting", "greeting": "Hello?", "language": "en-US"},
            )
        ]
    else:
        greeting = "You have reached the mailbox of somebody who cannot take your call now."
        found = {"type": "amd_machine_detected", "reason": "long greeting", "greeting": greeting, "language": "en-US"}
        tone = {"type": "amd_tone_detected", "frequency": 1000, "variance": 0}
        heard = [
            (min(3.0, callee.greeting), found),
            (callee.greeting, tone),
            (callee.greeting + 1.0, {"type": "amd_machine_stopped_speaking"}),
        ]
    return [Detection(answered_at + at, order.amd.action_hook, payload) for at, payload in heard]
