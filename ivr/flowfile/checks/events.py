"""Checks of events: each is handled by somebody, and nothing is handled that never happens (LANGUAGE C7, C8)."""

from collections.abc import Iterator

from ivr.engine.handlers import longest
from ivr.flowfile.document import Document, action_of
from ivr.flowfile.events import LATER, SHARED, demanded, ends, fits, may_fail_by, raised
from ivr.flowfile.finding import Finding
from ivr.flowfile.model import State
from ivr.flowfile.validate import NOT_YET
from ivr.nearest import did_you_mean


def unhandled(document: Document) -> Iterator[Finding]:
    """Find events that neither the state nor the flow handles."""
    for name, state in document.states():
        if not document.is_known(name) or not document.is_sound("on"):
            continue
        handled = (*document.handlers[name], *document.shared)
        lost = [event for event in demanded(state) if longest(handled, event) is None]
        if not lost or ends(state) or not (state.next or state.on or state.decide):
            continue  # who leads nowhere at all has been told so
        listed = ", ".join(f'"{event}"' for event in _summed_up(lost))
        message = f"Nobody handles {listed} here."
        yield document.finding("unhandled", ("states", name), message, _advice(state, lost), key=True)


def _summed_up(events: list[str]) -> list[str]:
    """Say `error` once, where all sorts of it are meant."""
    if {"error.system", "error.workflow", "error.expression"} <= set(events):
        return [*(event for event in events if not event.startswith("error")), "error"]
    return events


def _advice(state: State, lost: list[str]) -> str:
    event = _summed_up(lost)[0]
    if state.menu and event in state.menu.choices:
        return f'Add {event}: <state> to its "on", or give it "next".'
    return f'Add {event}: <state> to its "on", or to that of the flow.'


def never(document: Document) -> Iterator[Finding]:
    """Find handlers of events that cannot happen there."""
    for name, state in document.states():
        events = raised(state)
        for event in state.on if not ends(state) else ():
            path = ("states", name, "on", event)
            if fits(event, LATER) and not fits(event, events):
                yield document.finding("not-yet", path, f'"{event}" is not there yet.', NOT_YET, key=True)
            elif not fits(event, events) and action_of(state) and document.is_known(name):
                yield document.finding("never", path, _why(state, name, event), did_you_mean(event, events), key=True)
    for event in document.model.on:
        if fits(event, LATER) and not fits(event, SHARED):
            yield document.finding("not-yet", ("on", event), f'"{event}" is not there yet.', NOT_YET, key=True)
        elif not fits(event, SHARED):
            message = f'The flow\'s "on" cannot handle "{event}".'
            advice = did_you_mean(event, SHARED) or "It belongs to a state."
            yield document.finding("never", ("on", event), message, advice, key=True)


def _why(state: State, name: str, event: str) -> str:
    if event == "exhausted":
        return f'"{name}" never runs out of attempts: it leaves on "noInput" and "noMatch".'
    if event == "noMatch" and not may_fail_by(state, event):
        return "A recording has no wrong answer."
    if state.menu:
        return f'"{name}" has no choice and no event "{event}".'
    return f'"{event}" never happens in "{name}".'


CHECKS = (unhandled, never)
