"""What an event means where the call stands: nothing, or what its state makes of it.

`stale` keeps out what answers something else than what is awaited. `receive` says what the rest changes at once: the
phase that the call is in, and what is awaited. Where that leads is the affair of `transitions`.
"""

from collections.abc import Mapping
from typing import TypeAlias, TypeGuard, final, get_args

from msgspec import Struct
from msgspec.structs import replace

from ivr.engine.actions.base import Ends, Raised, Result, failed
from ivr.engine.call import Operation, OperationKind, Taken
from ivr.engine.commands import FETCH
from ivr.engine.draft import Draft
from ivr.engine.events import (
    CallAnswered,
    CallEnded,
    CallNotAnswered,
    CallPlaced,
    CallReceived,
    CallRinging,
    ChoiceMade,
    Event,
    HoldNeeded,
    HttpAnswered,
    InputInvalid,
    InputTimedOut,
    KeysJudged,
    KeysPressed,
    NotAnswered,
    OperationDone,
    OperationFailed,
    RecordingMade,
    RecordingReady,
    ServiceAnswered,
    ServiceFailed,
    ServicesEvent,
    SignInBegun,
    SignInChecked,
    SpeechHeard,
    TimePassed,
    TransferFailed,
    Transferred,
)
from ivr.engine.masking import without_foreign_id
from ivr.engine.transitions import NO_VALUE, SETTLED, Settled, enter, evaluated, give_up, hung_up
from ivr.engine.variables import Misfit
from ivr.errors import ExpressionFailed

HOLDS = 8
"Hold prompts of one call: the platform allows a limited, unknown number of workflows a call (protocol 14)."
FAILURES_IN_A_ROW = 8
"Failures of the line after which a call is given up."

_FAILED: Mapping[str, str] = {
    "system": "the line could not carry out a command",
    "workflow": "the line refused the reply",
}


@final
class Ignored(Struct, frozen=True):
    """The event means nothing where the call stands, and changes nothing."""

    reason: str


Received: TypeAlias = Ignored | Settled | Result
"What became of an event: it was ignored; it counted, and nothing follows; it counted, and this follows."
CallersInput: TypeAlias = (
    KeysPressed | KeysJudged | SpeechHeard | ChoiceMade | InputTimedOut | InputInvalid | RecordingMade
)
"What a caller does where something was asked; silence, too."
Outcome: TypeAlias = CallersInput | OperationDone | Transferred | TransferFailed
"What became of the last operation of a reply, but for failures of the line."
_INPUTS = frozenset(get_args(CallersInput))
_QUESTIONS: frozenset[OperationKind] = frozenset({"recognize", "record"})
"What a caller answers; the outcome of all else is that it was done."
_TRANSFERS = frozenset({Transferred, TransferFailed})
_OUTCOMES = frozenset(get_args(Outcome))


def stale(draft: Draft, event: Event) -> Ignored | None:
    """Return why an event is ignored that answers something else than what is awaited; None: it does not.

    A platform sends messages twice and late, and a service may run twice: without this, the key pressed at the last
    question would answer the next one.
    """
    if _is_outcome(event):
        # Success counts from the last operation alone: the line carries out a reply in order.
        awaited = draft.asked[-1] if draft.asked else None
        if awaited is None or event.op != awaited.op:
            return Ignored("not the operation awaited")
        return None if _can_be(event, awaited.kind) else Ignored("not an answer to what was asked")
    match event:
        case OperationFailed(op=op):
            # A failure counts from any operation of the reply: the line stops there, and nothing comes of the rest.
            known = draft.asked and (not op or draft.operation(op))
            return None if known else Ignored("not an operation of the last reply")
        case ServiceAnswered() | HttpAnswered() | SignInBegun() | SignInChecked() | ServiceFailed():
            return None if draft.waiting and draft.waiting.job == event.job else Ignored("not the job awaited")
        case RecordingReady(op=op):
            waiting = draft.waiting
            announced = waiting is not None and waiting.service == FETCH and waiting.job == op
            return None if announced else Ignored("no recording is awaited")
    return None  # the rest answers nothing; the end of a call counts whatever operation it names


def receive(draft: Draft, event: Event) -> Received:
    """Return what an event means where the call stands; `stale` has let it pass."""
    if _is_input(event):
        return _answered(draft, event)
    match event:
        case OperationDone() | Transferred() | TransferFailed():
            return _done(draft, event)
        case OperationFailed():
            return _failed(draft, event)
        case ServiceAnswered() | HttpAnswered() | SignInBegun() | SignInChecked() | ServiceFailed() | RecordingReady():
            return _served(draft, event)
        case CallReceived() | CallPlaced() | CallRinging() | CallAnswered() | CallNotAnswered():
            return _before_flow(draft, event)
        case CallEnded():
            return _leave(draft, event)
        case HoldNeeded():
            return _hold(draft)
        case TimePassed():
            return _time_passed(draft)
    return Ignored("a report that moves no call")  # what is left is `LineReported`


def _is_input(event: Event) -> TypeGuard[CallersInput]:
    return type(event) in _INPUTS  # most events; to ask each of these classes takes ten times as long


def _is_outcome(event: Event) -> TypeGuard[Outcome]:
    return type(event) in _OUTCOMES


def _can_be(event: Outcome, kind: OperationKind) -> bool:
    """Return whether an event can be the outcome of an operation.

    What does not listen has no answer, though the call stands at a question: where it is given up, a hang-up is
    awaited, and where a service works, the end of a hold prompt.
    """
    if kind == "transfer" or type(event) in _TRANSFERS:
        return kind == "transfer" and type(event) in _TRANSFERS
    return (kind in _QUESTIONS) is not (type(event) is OperationDone)


# --- how a call begins -----------------------------------------------------------------------------------------------


def _before_flow(
    draft: Draft, event: CallReceived | CallPlaced | CallRinging | CallAnswered | CallNotAnswered
) -> Received:
    """Take or place a call, or note what becomes of one that is placed."""
    if type(event) is CallReceived:
        return _begin(draft, event)
    if type(event) is CallPlaced:
        return _place(draft, event)
    if draft.phase != "calling":
        return Ignored("no call of ours waits to be answered")
    if type(event) is CallAnswered:
        return _picked_up(draft, event)
    if type(event) is CallNotAnswered:
        return _unanswered(draft, event.reason)
    if draft.facts.rung is not None:
        return Ignored("the other side is known to be rung")
    draft.facts = replace(draft.facts, rung=draft.now)
    return SETTLED


def _begin(draft: Draft, event: CallReceived) -> Received:
    if draft.phase != "new":
        return Ignored("the call has begun")
    draft.phase = "ringing"
    draft.know(event)
    draft.path.append(Taken("", "called", 0, draft.flow.initial))
    return evaluated(enter, draft, draft.flow.initial)


def _place(draft: Draft, event: CallPlaced) -> Received:
    """Take down who is called, and what with; the flow begins when somebody answers."""
    if draft.phase != "new":
        return Ignored("the call has begun")
    draft.know(event)
    try:
        draft.give(event)
    except Misfit as misfit:
        return Ignored(f"the flow cannot begin so: {misfit}")
    draft.phase = "calling"
    return SETTLED


def _picked_up(draft: Draft, event: CallAnswered) -> Received:
    """Begin the flow: the call is answered already, so that nothing in it takes or declines the call."""
    draft.phase = "answered"
    draft.facts = replace(draft.facts, answered_by=event.by, answered=draft.now, transfers=event.transfers)
    draft.path.append(Taken("", "answered", 0, draft.flow.initial))
    return evaluated(enter, draft, draft.flow.initial)


def _unanswered(draft: Draft, reason: NotAnswered) -> Settled:
    """End a call that was never answered: its outcome says why, and its flow has not begun."""
    draft.outcome = reason
    draft.over()
    return SETTLED


# --- what the line reports -------------------------------------------------------------------------------------------


def _answered(draft: Draft, event: CallersInput) -> Received:
    """Have the state judge what the caller did at its question."""
    awaited = draft.asked[-1]
    result = _judged(draft, event, awaited.offered)
    if result is None:
        return Ignored("not an answer to what was asked")
    if draft.gone and not isinstance(event, RecordingMade):
        # The recording's outcome, which the end of the call had overtaken: and there is no recording.
        return _hung_up_at(draft, awaited)
    _line_works(draft)
    if isinstance(event, RecordingMade) and event.ended == "hangup":
        draft.phase = "gone"  # the words come first, and `hangup` only where the flow asks again (C13.3)
    return result


def _done(draft: Draft, event: OperationDone | Transferred | TransferFailed) -> Received:
    """Go on after the last operation of the reply."""
    kind = draft.asked[-1].kind
    _line_works(draft)
    if type(event) is Transferred:
        draft.phase = "gone"  # to somebody else: what the flow still does is a silent rest, in which nobody hangs up
        draft.transferred = draft.hangup_raised = True
    if kind in {"hangup", "reject"}:
        draft.over()
        return SETTLED
    if draft.waiting:
        return SETTLED  # a hold prompt has ended; the service's answer is what the call waits for
    return _judged(draft, event, ()) or SETTLED


def _failed(draft: Draft, event: OperationFailed) -> Received:
    """Go back to the state that owned the operation, and raise the failure there (C14.3)."""
    operation = draft.operation(event.op) or draft.asked[-1]  # the line may not know which one failed
    if operation.kind in {"hangup", "reject"} and not event.whole:
        draft.over()  # most likely the call has ended already; in any case there is nothing left to try
        return SETTLED
    if event.whole:
        operation = draft.asked[0]  # nothing of the reply was done, so the call stands where its first one was ordered
    if any(draft.flow.states[asked.state].action.private for asked in draft.asked):
        draft.traced = event = replace(event, reason="")  # it may repeat what the caller keyed
    if draft.gone:
        return _hung_up_at(draft, operation)
    if draft.phase == "answering":
        # A refused reply takes back its answer; one that failed later on shows that the answer was given.
        draft.phase = "ringing" if event.whole or operation.kind == "answer" else "answered"
    draft.errors += 1
    if draft.waiting:
        draft.asked = ()
        return SETTLED  # a hold prompt that cannot be played is no reason to give up the caller's words
    draft.back_to(operation)
    draft.asked = ()
    name, why = f"error.{event.code}", _FAILED[event.code]
    if draft.errors > FAILURES_IN_A_ROW:
        # The author's transition may lead back to what the line cannot do; what works sets the count to zero.
        give_up(draft, failed(name, f"{why}, {draft.errors} times in a row"))
        return SETTLED
    return failed(name, event.reason or event.code, why=why)


def _line_works(draft: Draft) -> None:
    """Note that the line did what it was told: nothing of the reply is awaited any more, and the call is answered."""
    draft.errors = 0
    draft.asked = ()
    draft.notified = ()
    draft.grace_until = None
    if draft.phase == "answering":
        draft.phase = "answered"


# --- what services and the clock bring -------------------------------------------------------------------------------


def _served(draft: Draft, event: ServicesEvent) -> Received:
    draft.waiting = None
    draft.asked = ()  # a hold prompt that still plays: its end means nothing any more
    return _judged(draft, event, ()) or Ignored("not an answer of the service awaited")


def _time_passed(draft: Draft) -> Received:
    if draft.grace_until is not None and draft.grace_until <= draft.now:
        return _hung_up_at(draft, draft.asked[-1])
    if draft.waiting is None or draft.now < draft.waiting.until:
        return Ignored("no deadline has passed")
    return _served(draft, ServiceFailed(draft.waiting.job, "timeout"))


def _hold(draft: Draft) -> Received:
    """Keep the caller company, so that the line has a reply while the service works (C14.4)."""
    if draft.waiting is None or draft.gone:
        return Ignored("no caller waits for a service")
    if draft.holds >= HOLDS:
        return _served(draft, ServiceFailed(draft.waiting.job, "timeout"))
    try:
        prompt = draft.here.action.hold(draft.scope())
    except ExpressionFailed as failure:
        prompt = ()  # silence will do: the words that are waited for matter more than these
        draft.fail(NO_VALUE, f"the holdPrompt was left out: {failure}", failure.line)
    draft.hold(draft.waiting, prompt)
    return SETTLED


# --- the caller leaves -----------------------------------------------------------------------------------------------


def _leave(draft: Draft, event: CallEnded) -> Received:
    """Note that the caller has left: an answer that is still to come counts first, then `hangup` is raised (C13)."""
    operation = draft.operation(event.op)
    draft.traced = without_foreign_id(event, draft.steps)
    if draft.phase == "calling":
        return _unanswered(draft, "rejected" if event.by == "caller" else "failed")
    if draft.gone:
        # Reported again, and this time it names the recording that it cut off: so none comes.
        return _hung_up_at(draft, operation) if operation else Ignored("the caller has already left")
    began = draft.phase != "new"
    if operation and not draft.waiting:
        draft.back_to(operation)  # what later states of the same reply have set does not count (C14.3)
    draft.phase = "gone"
    if draft.records and operation is None and event.grace is not None:
        # The end is reported apart from what it cut off, and can overtake it: the recording may be on its way. Without
        # the wait, every voicemail whose caller just hangs up would be a race between two messages of the platform.
        draft.grace_until = draft.now + event.grace
        return SETTLED
    draft.asked = ()
    if draft.waiting and not draft.waiting.present:
        return SETTLED  # the service's answer raises what it raises, and `hangup` follows where the flow asks again
    draft.waiting = None
    return evaluated(hung_up, draft) if began and draft.outcome is None else Ends()


def _hung_up_at(draft: Draft, operation: Operation) -> Result:
    """Raise `hangup` in the state of this operation: the caller has gone, and no recording comes any more."""
    draft.back_to(operation)
    draft.asked = ()
    draft.grace_until = None
    return Raised("hangup")


def _judged(draft: Draft, event: Event, offered: tuple[str, ...]) -> Result | None:
    """Have the state's action judge an event, and keep of it what a trace may hold; None: it means nothing there."""
    action = draft.here.action
    result = evaluated(action.hear, draft.scope(), event, offered)
    draft.traced = action.traced(event, result)
    return result
