"""Turn what jambonz posts into events.

    POST /jambonz/call     a call has come in              NewCall
    POST /jambonz/step     a verb has ended                StepEnded: by the kind of the operation that is awaited
    POST /jambonz/status   the call has changed its state  CallOver; CallRung, if we placed it; OtherSideAnswered, of a
                                                           transfer
    the recorder           a recording was made            Recorded: the events that `ivr.line` made of it

A step can come without a result: by the `redirect` that follows each verb, where the result could not be posted. Of a
question the answer is lost then, and it is asked again as after a silence; a caller who is still there is not given up.
"""

from typing import TypeAlias

from msgspec import Struct

from ivr.channels import gathered
from ivr.channels.jambonz import notes
from ivr.channels.jambonz.placing import not_answered
from ivr.channels.jambonz.reading import FINAL, Hook
from ivr.engine.call import OperationKind
from ivr.engine.commands import Recognize
from ivr.engine.destinations import why_not
from ivr.engine.events import (
    AnsweredBy,
    CallAnswered,
    CallEnded,
    CallReceived,
    CallRinging,
    Event,
    InputInvalid,
    InputTimedOut,
    OperationDone,
    OperationFailed,
    TransferFailed,
    Transferred,
)
from ivr.ports import Leg

_WITHHELD = frozenset({"", "anonymous", "restricted", "unavailable", "unknown", "private"})
"What stands in place of a number that its owner keeps to themselves (RFC 3323, 4.1.1.3, and what gateways write)."
_DIALLED = {"busy": 486, "no-answer": 480}
"The SIP status for what became of a `dial`, where the platform names none."


class NewCall(Struct, frozen=True):
    """A call has come in."""

    hook: Hook
    transfers: bool
    "The line may connect callers with somebody else."


class StepEnded(Struct, frozen=True):
    """The platform has come to the end of an operation."""

    op: str
    hook: Hook


class CallOver(Struct, frozen=True):
    """The call is over."""

    hook: Hook


class OtherSideAnswered(Struct, frozen=True):
    """Somebody whom the platform rang for this call has answered."""


class CallRung(Struct, frozen=True):
    """A call that we placed rings, or nobody has answered it."""

    hook: Hook


class CallPickedUp(Struct, frozen=True):
    """A call that we placed was answered."""

    step: str
    "Which of the three (`addresses`) has told it."
    by: AnsweredBy
    transfers: bool


class Recorded(Struct, frozen=True):
    """What became of a recording on our WebSocket."""

    events: tuple[Event, ...]


Payload: TypeAlias = NewCall | StepEnded | CallOver | OtherSideAnswered | CallRung | CallPickedUp | Recorded


def events(leg: Leg, payload: Payload) -> tuple[Event, ...]:
    """Return what happened, in order."""
    match payload:
        case NewCall(hook=hook, transfers=transfers):
            caller = None if hook.caller.lower() in _WITHHELD else hook.caller
            return (CallReceived(caller=caller, called=hook.called, transfers=transfers),)
        case StepEnded(op=op, hook=hook):
            return _ended(leg, op, hook)
        case CallOver(hook=hook):
            return _over(leg, hook)
        case OtherSideAnswered():
            awaited = notes.awaited(leg)
            return (Transferred(awaited[0]),) if awaited and awaited[1] == "transfer" else ()
        case CallRung(hook=hook):
            return (CallRinging(),) if hook.status not in FINAL else (not_answered(hook),)
        case CallPickedUp(by=by, transfers=transfers):
            return (CallAnswered(by, transfers),)
        case Recorded(events=happened):
            return happened


def _ended(leg: Leg, op: str, hook: Hook) -> tuple[Event, ...]:
    awaited = notes.awaited(leg)
    if awaited is None or awaited[0] != op:
        return (OperationDone(op),)  # of an earlier document: the engine ignores it, and the last reply is given again
    gone = hook.status in {"completed", "failed"}
    if gone and awaited[1] in {"recognize", "record"}:
        return (CallEnded("caller", op),)
    if notes.refused(leg):
        return (TransferFailed(op, "rejected", 403),)
    event = _outcome(op, awaited[1], notes.question(leg), hook)
    return (event, CallEnded("caller", op)) if isinstance(event, Transferred) else (event,)


def _outcome(op: str, kind: OperationKind, question: Recognize | None, hook: Hook) -> Event:
    if question is not None:
        return _answer(question, hook)
    match kind:
        case "record":
            return OperationFailed(op, "system", "no sound came for the recording")
        case "transfer":
            return _transferred(op, hook)
    return OperationDone(op)


def _answer(question: Recognize, hook: Hook) -> Event:
    match hook.reason:
        case "dtmfDetected":
            keys = hook.digits or ""
            return gathered.event_of(question, gathered.Gathered(keys=keys, terminated=not keys))
        case "speechDetected":
            return gathered.event_of(question, gathered.Gathered(words=hook.words, confidence=hook.confidence))
        case "stt-low-confidence":
            return InputInvalid(question.op)
        case "error":
            return OperationFailed(question.op, "system", hook.details or "the platform could not listen")
    return InputTimedOut(question.op)  # `timeout`, or an answer that was lost


def _transferred(op: str, hook: Hook) -> Event:
    if hook.dialled == "completed" or 200 <= hook.referred_status < 300:
        return Transferred(op)
    status = hook.dialled_sip_status or hook.referred_status or _DIALLED.get(hook.dialled, 0)
    if status == 0 and hook.refer_status >= 300:
        status = hook.refer_status
    if status < 300:
        # Nobody was rung at all, or whoever was asked to (SIP REFER) has never said what came of it.
        return TransferFailed(op, "noAnswer" if hook.refer_status else "unreachable")
    return TransferFailed(op, why_not(status), status)


def _over(leg: Leg, hook: Hook) -> tuple[Event, ...]:
    """Return the end of a call; where we have ordered it, that is the outcome of the order."""
    ended = CallEnded("caller" if hook.ended_by == "caller" else "system")
    awaited = notes.awaited(leg)
    ordered = awaited is not None and awaited[1] in {"hangup", "reject"} and hook.ended_by != "caller"
    return (OperationDone(awaited[0]), ended) if ordered and awaited else (ended,)
