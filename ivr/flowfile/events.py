"""Which events a state raises, and which of them somebody must handle (LANGUAGE C8).

What is of one action, its file in `ivr.flowfile.actions` says; here is what holds for all of them.
"""

from collections.abc import Iterable

from ivr.engine.handlers import longest
from ivr.flowfile.actions.http import HTTP_ERRORS, STATUS_ERROR
from ivr.flowfile.actions.record import TRANSCRIPTION_ERRORS
from ivr.flowfile.actions.sign_in import SIGN_IN_FAILURES, UNDECIDED
from ivr.flowfile.actions.transfer import TRANSFER_FAILURES
from ivr.flowfile.model import State

LINE_ERRORS = ("error.system", "error.workflow")
EVERYWHERE = (*LINE_ERRORS, "error.expression", "error.limit")
"What any state that goes on can meet."
SHARED = (
    *("exhausted", "empty", "hangup", *EVERYWHERE, *TRANSCRIPTION_ERRORS, "error.recording"),
    *(*HTTP_ERRORS, *TRANSFER_FAILURES, *UNDECIDED, *SIGN_IN_FAILURES),
)
"Events that the flow's own `on` can handle (C7)."
RESERVED = (
    *("digits", "recorded", "noInput", "noMatch", "exhausted", "empty", "done", "hangup", "success", "transferred"),
    *("given", "refused", "signedIn", *UNDECIDED),
)
"Names that no choice can have, beside those that begin with `error` or `failed`."


def asking(state: State) -> bool:
    """Return whether a state asks the caller."""
    return bool(state.asking)


def ends(state: State) -> bool:
    """Return whether the call ends in a state."""
    return state.final or any(action.ends_the_call for action in state.actions)


def successes(state: State) -> tuple[str, ...]:
    """Return the events of an action's success: what `next` can stand for (C3)."""
    # Of a state that does too much, the question counts: its events are what the author wrote the ways for.
    events = (action.successes() for action in (*state.asking, *state.actions))
    return next(filter(None, events), ())


def raised(state: State) -> tuple[str, ...]:
    """Return every event that a state can raise, with `noInput` and `noMatch` only where it names them."""
    if ends(state):
        return ()
    events = [*successes(state), *state.understood, *EVERYWHERE]
    if asking(state):
        events += [why for why in ("noInput", "noMatch") if why in state.on and may_fail_by(state, why)]
    if exhausts(state):
        events.append("exhausted")
    for action in state.actions:
        events += action.failures()
    if _is_on_the_line(state):
        events.append("hangup")
    return with_statuses(tuple(events), state.on)


def with_statuses(events: tuple[str, ...], named: Iterable[str]) -> tuple[str, ...]:
    """Return events with those statuses of a web service that handlers name; there are hundreds of others."""
    if "error.http.status" not in events:
        return events
    return (*events, *(name for name in named if STATUS_ERROR.fullmatch(name) and name not in events))


def demanded(state: State) -> tuple[str, ...]:
    """Return the events that somebody must handle: the state, or the flow."""
    optional = {"noInput", "noMatch", "hangup", "transferred", "error.limit"}
    if not _is_on_the_line(state):
        optional |= set(LINE_ERRORS)  # only what a transition says can fail
    return tuple(event for event in raised(state) if event not in optional)


def may_fail_by(state: State, why: str) -> bool:
    """Return whether an attempt in a state can fail so: a recording has no wrong answer."""
    return all(why in action.attempts_fail_by for action in state.asking)


def exhausts(state: State) -> bool:
    """Return whether attempts are counted: not if every way to fail leaves the state (C6.6)."""
    return asking(state) and any(why not in state.on for why in ("noInput", "noMatch") if may_fail_by(state, why))


def fits(name: str, events: tuple[str, ...]) -> bool:
    """Return whether a handler's name fits any of these events (C7)."""
    return any(longest((name,), event) for event in events)


def _is_on_the_line(state: State) -> bool:
    return all(action.is_on_the_line for action in state.actions)
