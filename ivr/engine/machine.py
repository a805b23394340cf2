"""The call state machine.

Whatever decides where a call goes next lives in this file. It knows states, transitions and what is awaited; it never
learns which action a state has (`actions`), how a reply is put together (`draft`), or which channel carries the call.

    event -> receive: does it answer what was asked? -> the action judges it -> run: take transitions, enter
    states, until something is needed from outside
"""

from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

from msgspec.structs import replace

from ivr.engine.actions.base import Again, Ends, Listens, Needs, Raised, Result, Says, Takes, Why, failed
from ivr.engine.call import Call, Judged, Operation, Step, Taken
from ivr.engine.commands import Segment
from ivr.engine.draft import Draft
from ivr.engine.events import (
    CallEnded,
    CallReceived,
    ChoiceMade,
    Event,
    HoldNeeded,
    InputInvalid,
    InputTimedOut,
    KeysJudged,
    KeysPressed,
    LineReported,
    OperationDone,
    OperationFailed,
    RecordingMade,
    RecordingReady,
    ServiceAnswered,
    ServiceFailed,
    SpeechHeard,
    TimePassed,
)
from ivr.engine.flow import SELF, Assignment, Branches, Flow
from ivr.engine.handlers import handler
from ivr.engine.masking import masked, of_ours
from ivr.engine.scope import Scope
from ivr.engine.values import MaskedValue, Value
from ivr.errors import ExpressionFailed, MaskedRead

CHAIN = 1000
"States that one step may pass through before it counts as a circle."
HOLDS = 8
"Hold prompts of one call: the platform allows a limited, unknown number of workflows a call (protocol 14)."
FAILURES = 8
"Failures of the line in a row after which a call is given up."

NO_VALUE = "error.expression"

_TOO_LONG = failed("error.limit", f"more than {CHAIN} states in one step")
_FAILED: Mapping[str, str] = {
    "system": "the line could not do what it was told",
    "workflow": "the line refused what it was told",
}

P = ParamSpec("P")
T = TypeVar("T")


def step(flow: Flow, call: Call, event: Event, *, now: float, judged: tuple[Judged, ...] = ()) -> Step:
    """Apply one event to one call; same arguments, same answer.

    `now` is in seconds since 1970, UTC. `judged` is what a trace recorded for this event: it decides guards over
    masked values, and nothing else.
    """
    if call.phase == "over":
        return _ignored(call, event, "the call is over")
    draft = Draft(flow, call, now, judged)
    received = _receive(draft, event)
    if isinstance(received, str):
        return _ignored(call, event, received)
    _run(draft, received)
    return Step(
        draft.frozen(),
        tuple(draft.commands),
        tuple(draft.path),
        kept=draft.kept,
        judged=tuple(draft.judge.said),
        failures=tuple(draft.failures),
    )


def _ignored(call: Call, event: Event, why: str) -> Step:
    """Leave a call as it is; nobody has judged whether what came in is private."""
    return Step(call, ignored=why, kept=of_ours(masked(event), call.turn))


# --- what came in ----------------------------------------------------------------------------------------------------


def _receive(draft: Draft, event: Event) -> Result | str | None:
    """Return what the event means where the call stands; a text: why it means nothing; None: it is done with."""
    match event:
        case CallReceived():
            return _begin(draft, event)
        case CallEnded():
            return _leave(draft, event)
        case OperationDone(op=op):
            return _done(draft, op)
        case OperationFailed():
            return _failed(draft, event)
        case ServiceAnswered() | ServiceFailed():
            return _served(draft, event)
        case HoldNeeded():
            return _hold(draft)
        case TimePassed():
            return _time_passed(draft)
        case RecordingReady():
            return "no recording is awaited"
        case LineReported():
            return "nothing that moves a call"
        case _:
            return _input(draft, event)


def _begin(draft: Draft, event: CallReceived) -> Result | str:
    if draft.phase != "new":
        return "the call has begun"
    draft.phase = "ringing"
    draft.know(event)
    draft.path.append(Taken("", "called", 0, draft.flow.initial))
    return _valued(_enter, draft, draft.flow.initial)


def _input(
    draft: Draft,
    event: KeysPressed | KeysJudged | SpeechHeard | ChoiceMade | InputTimedOut | InputInvalid | RecordingMade,
) -> Result | str | None:
    awaited = draft.asked[-1] if draft.asked else None
    if awaited is None or awaited.op != event.op:
        return "not the operation awaited"
    result = _heard(draft, event, awaited.offered)
    if result is None:
        return "not an answer to what was asked"
    if draft.gone and not isinstance(event, RecordingMade):
        return _nothing_recorded(draft, awaited)
    _line_works(draft)
    if isinstance(event, RecordingMade) and event.ended == "hangup":
        draft.phase = "gone"
    return result


def _done(draft: Draft, op: str) -> Result | str | None:
    if not draft.asked or draft.asked[-1].op != op:
        return "not the operation awaited"
    if draft.asked[-1].kind in {"recognize", "record"}:
        return "not an answer to what was asked"
    ended = draft.asked[-1].kind in {"hangup", "reject"}
    _line_works(draft)
    if ended:
        draft.over()
        return None
    if draft.waiting:
        return None  # a hold prompt ended; the service has the word
    return _heard(draft, OperationDone(op), ())


def _failed(draft: Draft, event: OperationFailed) -> Result | str | None:
    """Go back to the state that owned the operation, and raise the failure there (C14.3)."""
    operation = draft.operation(event.op) if event.op else next(reversed(draft.asked), None)
    if operation is None:
        return "not an operation of the last reply"
    if operation.kind in {"hangup", "reject"} and not event.whole:
        draft.over()
        return None
    if event.whole:
        operation = draft.asked[0]
    if any(draft.flow.states[one.state].action.private for one in draft.asked):
        draft.kept = event = replace(event, reason="")  # it may repeat what the caller keyed
    if draft.gone:
        return _nothing_recorded(draft, operation)
    if draft.phase == "answering":
        # a refused reply takes back its answer; one that failed later on shows that the answer was given
        draft.phase = "ringing" if event.whole or operation.kind == "answer" else "answered"
    draft.errors += 1
    if draft.waiting:
        draft.asked = ()
        return None  # a hold prompt that cannot be played is no reason to give up the caller's words
    draft.back_to(operation)
    draft.asked = ()
    name, why = f"error.{event.code}", _FAILED[event.code]
    if draft.errors > FAILURES:
        _give_up(draft, failed(name, f"{why}, {draft.errors} times in a row"))
        return None
    return failed(name, event.reason or event.code, why=why)


def _served(draft: Draft, event: ServiceAnswered | ServiceFailed) -> Result | str | None:
    if draft.waiting is None or draft.waiting.job != event.job:
        return "not the job awaited"
    draft.waiting = None
    draft.asked = ()
    return _heard(draft, event, ())


def _time_passed(draft: Draft) -> Result | str | None:
    if draft.grace_until is not None and draft.grace_until <= draft.now:
        return _nothing_recorded(draft, draft.asked[-1])
    if draft.waiting is None or draft.now < draft.waiting.until:
        return "no deadline has passed"
    return _served(draft, ServiceFailed(draft.waiting.job, "timeout"))


def _hold(draft: Draft) -> Result | str | None:
    if draft.waiting is None or draft.gone:
        return "nobody is kept waiting"
    if draft.holds >= HOLDS:
        return _served(draft, ServiceFailed(draft.waiting.job, "timeout"))
    try:
        prompt = draft.here.action.hold(draft.scope())
    except ExpressionFailed as failure:
        prompt = ()  # silence will do: the words that are waited for matter more than these
        draft.fail(NO_VALUE, f"the holdPrompt was left out: {failure}", failure.line)
    draft.hold(draft.waiting, prompt)
    return None


def _leave(draft: Draft, event: CallEnded) -> Result | str | None:
    """Nobody is there any more: an answer that is still to come counts first, then `hangup` is raised (C13)."""
    operation = draft.operation(event.op)
    draft.kept = of_ours(event, draft.turn)
    if draft.gone:
        return _nothing_recorded(draft, operation) if operation else "nobody is on the line"
    began = draft.phase != "new"
    if operation and not draft.waiting:
        draft.back_to(operation)
    draft.phase = "gone"
    if draft.records and operation is None and event.grace is not None:
        # The end is told apart from what it cut off, and can overtake it: the caller's words may be on their way.
        draft.grace_until = draft.now + event.grace
        return None
    draft.asked = ()
    if draft.waiting:
        return None
    return Raised("hangup") if began and draft.outcome is None else Ends()


def _nothing_recorded(draft: Draft, operation: Operation) -> Result:
    """Let the caller have hung up in the state of this operation: no recording comes any more."""
    draft.back_to(operation)
    draft.asked = ()
    draft.grace_until = None
    return Raised("hangup")


def _heard(draft: Draft, event: Event, offered: tuple[str, ...]) -> Result | None:
    action = draft.here.action
    result = _valued(action.hear, draft.scope(), event, offered)
    draft.kept = action.kept(event, result)
    return result


def _line_works(draft: Draft) -> None:
    draft.errors = 0
    draft.asked = ()
    draft.grace_until = None
    if draft.phase == "answering":
        draft.phase = "answered"


# --- where it leads --------------------------------------------------------------------------------------------------


def _run(draft: Draft, result: Result | None) -> None:
    """Go on until something is needed from outside, or the call ends."""
    rest = _chain(draft, result)
    if rest is not None and not draft.limited:
        draft.limited = True
        rest = _chain(draft, _TOO_LONG)
    if rest is not None:
        _give_up(draft, _TOO_LONG)


def _chain(draft: Draft, result: Result | None) -> Result | None:
    for _ in range(CHAIN):
        if result is None:
            return None
        followed = _valued(_follow, draft, result)
        if isinstance(followed, Raised) and _has_no_value(followed) and _has_no_value(result):
            _give_up(draft, followed)  # what should have dealt with it fails as well
            return None
        result = followed
    return result


def _valued(reads: Callable[P, T], *args: P.args, **named: P.kwargs) -> T | Raised:
    """Call what reads expressions; one without a value raises `error.expression` (C8)."""
    try:
        return reads(*args, **named)
    except MaskedRead:
        raise  # a replay that cannot know; never in a live call
    except ExpressionFailed as failure:
        return replace(failed(NO_VALUE, str(failure)), line=failure.line)


def _has_no_value(result: Result) -> bool:
    return isinstance(result, Raised) and result.event == NO_VALUE


def _follow(draft: Draft, result: Result) -> Result | None:
    match result:
        case Raised():
            return _transition(draft, result)
        case Again(why=why):
            return _attempt_failed(draft, why)
        case Says(prompt=prompt):
            draft.speak(prompt)
            return Ends() if draft.here.final else Raised("done")
        case Listens():
            return _listen(draft, result)
        case Needs(stores=stores):
            draft.store(stores)
            draft.need(result)
            return None
        case Takes():
            return None if draft.take() else Raised("done")
    if draft.outcome is None:  # what is left is `Ends`
        draft.outcome = draft.wished_outcome or "abandoned"
    draft.end()
    return None


def _listen(draft: Draft, question: Listens) -> Result | None:
    if not draft.gone:
        draft.listen(question)
        return None
    # the silent rest ends where somebody would have to answer (C13.2)
    return Ends() if draft.hangup_raised else Raised("hangup")


def _attempt_failed(draft: Draft, why: Why) -> Result:
    """Count a failed attempt and ask again; the last one raises `exhausted` at once (C6)."""
    state = draft.here
    if why in state.on:
        return Raised(why)  # the author takes over, and it is no attempt (C6.6)
    if draft.silent + draft.wrong + 1 >= state.action.attempts:
        return Raised("exhausted")
    if why == "noInput":
        draft.silent += 1
        return state.action.again(draft.scope(), why, draft.silent)
    draft.wrong += 1
    return state.action.again(draft.scope(), why, draft.wrong)


def _transition(draft: Draft, raised: Raised) -> Result | None:
    """Take the transition for an event, in the order of C7."""
    draft.store(raised.stores)
    raised = _within_limits(draft, raised)
    if raised.why:
        draft.fail(raised.event, raised.why, raised.line)
    if raised.event == "hangup":
        draft.hangup_raised = True
    branches = handler(draft.flow, draft.here, raised.event)
    if branches is None:
        return _unhandled(draft, raised.event)
    scope = draft.scope(raised.fields, private=raised.private)
    index = _chosen(scope, branches)
    branch = branches[index]
    _assign(draft, branch.set, scope)
    say = draft.scope(raised.fields, private=raised.private).prompt(branch.say)
    if branch.target == SELF:
        draft.path.append(Taken(draft.state, raised.event, index, draft.state))
        draft.speak(say)
        return draft.here.action.start(draft.scope())
    draft.path.append(Taken(draft.state, raised.event, index, branch.target))
    return _enter(draft, branch.target, say)


def _within_limits(draft: Draft, raised: Raised) -> Raised:
    """Replace the event by `error.limit` where the call has become too long; once, so that its way out can be gone."""
    limits = draft.flow.limits
    over = draft.turn > limits.turns or draft.now - draft.facts.started > limits.duration
    if draft.limited or draft.gone or not over:
        return raised
    draft.limited = True
    return failed("error.limit", f"over {limits.turns} turns or {limits.duration:g} seconds")


def _chosen(scope: Scope, branches: Branches) -> int:
    """Find the first branch whose guard is true."""
    for index, branch in enumerate(branches):
        if scope.allows(branch.guard):
            return index
    raise ExpressionFailed("no branch is open")


def _assign(draft: Draft, assignments: tuple[Assignment, ...], scope: Scope) -> None:
    """Compute all right sides, then keep them together (C7.4)."""
    values: dict[str, Value] = {}
    for assignment in assignments:
        try:
            values[assignment.variable] = assignment.value.value(scope)
        except MaskedRead:
            values[assignment.variable] = MaskedValue()
    draft.set(values, {assignment.variable: assignment.value.line for assignment in assignments})


def _enter(draft: Draft, name: str, say: tuple[Segment, ...] = ()) -> Result:
    """Enter a state; the `say` of the transition counts as its beginning (C14.2)."""
    draft.visit(name)
    draft.outcome = None  # that of a final state whose goodbye failed is not this call's any more
    state = draft.here
    _assign(draft, state.set, draft.scope())
    if state.final:
        draft.outcome = state.outcome or draft.wished_outcome or ("abandoned" if draft.gone else "resolved")
    draft.speak(say)
    return state.action.start(draft.scope())


def _unhandled(draft: Draft, event: str) -> Result:
    draft.path.append(Taken(draft.state, event))
    if event != "hangup":
        draft.outcome = draft.wished_outcome or "failed"
    return Ends()


def _give_up(draft: Draft, error: Raised) -> None:
    draft.fail(error.event, error.why, error.line)
    draft.outcome = "failed"
    draft.end()
