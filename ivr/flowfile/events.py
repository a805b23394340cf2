"""Which events an action raises, and which of them somebody must handle (LANGUAGE C8)."""

from ivr.engine.handlers import longest
from ivr.flowfile.model import State

LINE_ERRORS = ("error.system", "error.workflow")
TRANSCRIPTION_ERRORS = ("error.transcribe.timeout", "error.transcribe.failed")
EVERYWHERE = (*LINE_ERRORS, "error.expression", "error.limit")
"What any state that goes on can meet."
SHARED = ("exhausted", "empty", "hangup", *EVERYWHERE, *TRANSCRIPTION_ERRORS, "error.recording")
"Events that the flow's own `on` can handle (C7)."
LATER = (
    *("success", "given", "refused", "transferred"),
    *("failed.busy", "failed.noAnswer", "failed.rejected", "failed.unreachable", "failed.unsupported"),
    *("error.http.timeout", "error.http.connect", "error.http.body", "error.http.status"),
)
"Events of actions that are not there yet."
RESERVED = ("digits", "recorded", "noInput", "noMatch", "exhausted", "empty", "done", "hangup", *LATER[:4])
"Names that no choice can have, beside those that begin with `error` or `failed`."


def asking(state: State) -> bool:
    """Return whether a state asks the caller."""
    return bool(state.menu or state.digits or state.record)


def ends(state: State) -> bool:
    """Return whether the call ends in a state."""
    return state.final or state.hangup is not None or state.reject is not None


def successes(state: State) -> tuple[str, ...]:
    """Return the events of an action's success: what `next` can stand for (C3)."""
    if state.menu:
        return tuple(state.menu.choices)
    if state.digits:
        return ("digits",)
    if state.record:
        return ("recorded",)
    return ("done",) if state.say is not None or state.answer else ()


def raised(state: State) -> tuple[str, ...]:
    """Return every event that a state can raise, with `noInput` and `noMatch` only where it names them."""
    if ends(state):
        return ()
    events = [*successes(state), *EVERYWHERE]
    if asking(state):
        events += [why for why in ("noInput", "noMatch") if why in state.on and may_fail_by(state, why)]
    if exhausts(state):
        events.append("exhausted")
    if can_be_empty(state):
        events.append("empty")
    if state.record:
        events.append("error.recording")
        events += TRANSCRIPTION_ERRORS if state.record.transcribe else ()
    if not state.decide:
        events.append("hangup")
    return tuple(events)


def demanded(state: State) -> tuple[str, ...]:
    """Return the events that somebody must handle: the state, or the flow."""
    optional = {"noInput", "noMatch", "hangup", "error.limit"}
    if state.decide:
        optional |= set(LINE_ERRORS)  # nothing of it is on the line, but for what a transition says
    return tuple(event for event in raised(state) if event not in optional)


def may_fail_by(state: State, why: str) -> bool:
    """Return whether an attempt in a state can fail so: who only records has no wrong answer."""
    return why == "noInput" or (why == "noMatch" and not state.record)


def exhausts(state: State) -> bool:
    """Return whether attempts are counted: not if every way to fail leaves the state (C6.6)."""
    return asking(state) and any(why not in state.on for why in ("noInput", "noMatch") if may_fail_by(state, why))


def can_be_empty(state: State) -> bool:
    """Return whether a menu can have no choice left (C5)."""
    return state.menu is not None and all(choice.guard for choice in state.menu.choices.values())


def fits(name: str, events: tuple[str, ...]) -> bool:
    """Return whether a handler's name fits any of these events (C7)."""
    return any(longest((name,), event) for event in events)
