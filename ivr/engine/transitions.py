"""Where an event leads: take transitions and enter states until the call has settled.

An action answers with a `Result`, and each result leads to the next one within the same step. The call has settled when
only the line, a service or the caller can bring it further, or when it is over. Two things bound the chain, since an
author can write a circle, and an expression can fail in the very transition that deals with failed expressions.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, final

from msgspec import Struct
from msgspec.structs import replace

from ivr.engine.actions.base import (
    Again,
    Asks,
    Awaits,
    Confirms,
    Denied,
    Ends,
    Invokes,
    Needs,
    Notifies,
    Raised,
    Result,
    Returns,
    Says,
    Takes,
    Transfers,
    Turned,
    Why,
    failed,
)
from ivr.engine.call import Taken
from ivr.engine.commands import Segment
from ivr.engine.draft import Draft
from ivr.engine.expressions.compile import Template
from ivr.engine.flow import SELF, Assignment, Branches
from ivr.engine.handlers import LIMIT, handler
from ivr.engine.scope import PART, Scope
from ivr.engine.values import MaskedValue, Value
from ivr.errors import ExpressionFailed, MaskedRead

CHAIN = 1000
"States that one step may pass through before it counts as a circle."
NO_VALUE = "error.expression"

INVOKED = "invoked"
"The event by which a call comes into an invoked flow, in its path; authors never see or write it."

_TOO_LONG = failed(LIMIT, f"more than {CHAIN} states in one step")

P = ParamSpec("P")
T = TypeVar("T")


@final
class Settled(Struct, frozen=True):
    """Nothing more follows in this step: the call waits for the line or for a service, or it is over."""


SETTLED = Settled()
_DONE = Raised("done")
_HANGUP = Raised("hangup")
_UNSUPPORTED = Raised("failed.unsupported", {"reason": "unsupported"}, why="this line does not transfer calls")
_LEAVING = frozenset({"hangup", "transferred"})
"""What ends a call where no state handles it, and is no failure: the caller has gone."""
_ENDS = Ends()
# Results are told apart by `type(…) is`: `isinstance`, and so `match`, take five times as long to say no of a Struct,
# and a step asks it of each result.


def run(draft: Draft, result: Result | Settled) -> None:
    """Follow a result, and what follows from it, until the call has settled."""
    rest = _chain(draft, result)
    if type(rest) is not Settled and not draft.limited:
        draft.limited = True  # `error.limit` is raised once in a call: the author's way out can be a circle, too
        rest = _chain(draft, _TOO_LONG)
    if type(rest) is not Settled:
        give_up(draft, _TOO_LONG)


def _chain(draft: Draft, result: Result | Settled) -> Result | Settled:
    """Follow a result through at most `CHAIN` results; return the one that was not followed any more."""
    for _ in range(CHAIN):
        if type(result) is Settled:
            break
        try:
            result = _follow(draft, result)
        except ExpressionFailed as failure:
            following = _no_value(failure)
            if type(result) is Raised and result.event == NO_VALUE:
                # The transition for the first failure failed as well; raising the second would take the same one again.
                give_up(draft, following)
                return SETTLED
            result = following
    return result


def evaluated(reads: Callable[P, T], *args: P.args, **named: P.kwargs) -> T | Raised:
    """Call what reads expressions; one without a value raises `error.expression` (C8)."""
    try:
        return reads(*args, **named)
    except ExpressionFailed as failure:
        return _no_value(failure)


def _no_value(failure: ExpressionFailed) -> Raised:
    if isinstance(failure, MaskedRead):
        raise failure  # only in a replay, which cannot know the value; the replay says so
    return replace(failed(NO_VALUE, str(failure)), line=failure.line)


def _follow(draft: Draft, result: Result) -> Result | Settled:
    if type(result) is Raised:
        return _transition(draft, result)
    if type(result) is Asks or type(result) is Transfers:
        return _with_caller(draft, result)
    if type(result) is Says:
        draft.speak(result.prompt)
        return _ENDS if draft.here.final else _DONE
    if type(result) is Again:
        return _attempt_failed(draft, result.why)
    if type(result) is Needs:
        draft.store(result.stores)  # before the answer: the recording is kept whatever the service makes of it
        draft.need(result)
        return SETTLED
    if type(result) is Notifies:
        draft.notify(result)
        return _DONE
    if type(result) is Takes:
        return SETTLED if draft.take() else _DONE
    return _within_question(draft, result)


def _within_question(draft: Draft, result: Result) -> Result | Settled:
    """Go on with a question that is not answered yet (wait for it, have it confirmed, ask anew, offer more); or end."""
    if type(result) is Awaits:
        draft.store(result.stores)
        draft.wait(result)
        return SETTLED
    if type(result) is Confirms:
        draft.store(result.stores)
        draft.confirm(result)
        # Who leaves before it was asked whether that is right has said all that will be said.
        return hung_up(draft) if draft.gone else draft.here.action.start(draft.scope())
    if type(result) is Denied:
        return _denied(draft)
    if type(result) is Turned:
        draft.progress = replace(draft.progress, page=result.page)
        return result.asks
    return _elsewhere(draft, result)


def _elsewhere(draft: Draft, result: Result) -> Result | Settled:
    """Go into another flow or back, or end the call."""
    if type(result) is Invokes:
        return _invoked(draft, result)
    if type(result) is Returns and draft.here.within:
        return _returned(draft, result)
    if draft.outcome is None:  # what is left is `Ends`, and `return` in a flow that was called itself
        draft.outcome = draft.wished_outcome or draft.left_as
    draft.end()
    return SETTLED


def _with_caller(draft: Draft, result: Asks | Transfers) -> Result | Settled:
    """Order what needs somebody on the line."""
    if draft.gone:
        # The silent rest ends here (C13.2). `hangup` is still to be raised if the caller hung up after speaking: then
        # `recorded` came first (C13.3).
        return _ENDS if draft.hangup_raised else _HANGUP
    if isinstance(result, Transfers):
        if not draft.facts.transfers:
            return _UNSUPPORTED  # at once: what was said before is heard, and the line is not told what it cannot do
        draft.transfer(result.command)
    else:
        draft.ask(result)
    return SETTLED


def _attempt_failed(draft: Draft, why: Why) -> Result:
    """Count a failed attempt and ask again; the last one raises `exhausted` at once (C6)."""
    state = draft.here
    if why in state.on:
        return Raised(why)  # the author takes over, and it is no attempt (C6.6)
    # Silences and wrong answers use up the same attempts, and count apart for their texts: the second silence gets the
    # second text, whatever was keyed in between (C6.5). `Draft.visit` starts both from zero; `self` does not (C6.8).
    if draft.failed_attempts + 1 >= state.action.attempts:
        return Raised("exhausted")  # at once: nothing is said before (C6.3)
    if why == "noInput":
        draft.silent += 1
        return state.action.again(draft.scope(), why, draft.silent)
    draft.wrong += 1
    return state.action.again(draft.scope(), why, draft.wrong)


def _denied(draft: Draft) -> Result:
    """Ask the whole question again, without a text before: the caller knows that nothing was misheard (C6.4)."""
    draft.settle()
    draft.progress = replace(draft.progress, denied=draft.progress.denied + 1)
    if draft.failed_attempts >= draft.here.action.attempts:
        return Raised("exhausted")
    return draft.here.action.start(draft.scope())


def hung_up(draft: Draft) -> Result:
    """Return what a caller's leaving raises in the state that asks: what was said counts before `hangup` (C13)."""
    return draft.here.action.left(draft.scope()) or _HANGUP


def _transition(draft: Draft, raised: Raised) -> Result:
    """Take the transition for an event, in the order of C7."""
    if raised.settles:
        draft.settle()
    draft.store(raised.stores)
    raised = _within_limits(draft, raised)
    if raised.why:
        draft.fail(raised.event, raised.why, raised.line)
    if raised.event == "hangup":
        draft.hangup_raised = True
    found = handler(draft.flow, draft.here, raised.event)
    if found is None:
        draft.path.append(Taken(draft.state, raised.event))
        if raised.event not in _LEAVING:
            draft.outcome = draft.wished_outcome or "failed"
        return _ENDS
    state, branches = found
    draft.state = state.name  # else in a state that invokes the flow where it was raised (C7)
    index = _chosen(draft, raised, branches)
    branch = branches[index]
    if branch.set:
        _assign(draft, branch.set, draft.scope(raised.fields, private=raised.private))
    # A new scope: it sees what was set.
    say = draft.scope(raised.fields, private=raised.private).prompt(branch.say) if branch.say else ()
    if branch.target == SELF:
        draft.path.append(Taken(draft.state, raised.event, index, draft.state))
        draft.speak(say)
        return draft.here.action.start(draft.scope())
    draft.path.append(Taken(draft.state, raised.event, index, branch.target))
    return enter(draft, branch.target, say)


def _within_limits(draft: Draft, raised: Raised) -> Raised:
    """Replace the event by `error.limit` where the call has become too long; once, so that its way out can be gone."""
    limits = draft.flow.limits
    over = draft.steps > limits.turns or draft.now - draft.facts.began > limits.duration
    if draft.limited or draft.gone or not over:
        return raised
    draft.limited = True
    return failed(LIMIT, f"over {limits.turns} turns or {limits.duration:g} seconds")


def _chosen(draft: Draft, raised: Raised, branches: Branches) -> int:
    """Find the first branch whose guard is true."""
    if branches[0].guard is None:
        return 0  # nearly always
    scope = draft.scope(raised.fields, private=raised.private)
    for index, branch in enumerate(branches):
        if scope.allows(branch.guard):
            return index
    raise ExpressionFailed("no branch is open")


def _assign(draft: Draft, assignments: tuple[Assignment, ...], scope: Scope) -> None:
    """Compute all right sides, then keep them together (C7.4)."""
    values = {assignment.variable: _value(assignment.value, scope) for assignment in assignments}
    draft.set(values, {assignment.variable: assignment.value.line for assignment in assignments})


def _value(template: Template, scope: Scope) -> Value:
    """Compute a value that is kept; what is made of a masked value is masked, too."""
    try:
        return template.value(scope)
    except MaskedRead:
        return MaskedValue()


def _invoked(draft: Draft, result: Invokes) -> Result:
    """Begin the flow that the state invokes, with what it is given (C4)."""
    prefix = draft.state + PART
    scope = draft.scope()
    values = {name: _value(given, scope) for name, given in result.arguments.items()}
    draft.begin(prefix)
    draft.set(values, {name: given.line for name, given in result.arguments.items()})
    first = draft.flow.parts[prefix].initial
    draft.path.append(Taken(draft.state, INVOKED, 0, first))
    return enter(draft, first)


def _returned(draft: Draft, result: Returns) -> Result:
    """Go back to the state that invoked this flow, with what it is given back."""
    value = _value(result.value, draft.scope()) if result.value else None
    draft.state = draft.here.within
    if result.value is None:
        return Raised(result.event)
    if kept := draft.here.action.keeps:
        draft.set({kept: value}, {kept: result.value.line})
    return Raised(result.event, {"value": value}, private=result.private)


def enter(draft: Draft, name: str, say: tuple[Segment, ...] = ()) -> Result:
    """Enter a state; the `say` of the transition counts as its beginning (C14.2)."""
    draft.visit(name)
    draft.outcome = None  # that of a final state whose goodbye failed is not this call's any more
    state = draft.here
    if state.set:
        _assign(draft, state.set, draft.scope())
    if state.final:
        draft.outcome = state.outcome or draft.wished_outcome or (draft.left_as if draft.gone else "resolved")
    draft.speak(say)
    return state.action.start(draft.scope())


def give_up(draft: Draft, error: Raised) -> None:
    """End the call for an error that no transition can deal with any more."""
    draft.fail(error.event, error.why, error.line)
    draft.outcome = "failed"
    draft.end()
