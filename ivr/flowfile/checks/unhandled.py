"""Checks of events: each is handled, and nothing is handled that never happens (LANGUAGE C7, C8)."""

import json
from collections.abc import Iterator

from ivr.engine.handlers import longest
from ivr.engine.naming import is_name
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.document import Document, action_of
from ivr.flowfile.events import LATER, SHARED, demanded, ends, fits, may_fail_by, raised
from ivr.flowfile.finding import Finding
from ivr.flowfile.model import State
from ivr.flowfile.validate import NOT_YET
from ivr.nearest import did_you_mean

UNHANDLED = Check(
    "unhandled",
    "error",
    "Nobody handles an event.",
    group="Shape",
    bad="""
start:
  menu:
    prompt: For sales press 1. For service press 2.
    choices: {sales: {dtmf: "1"}, service: {dtmf: "2"}}
  on: {sales: bye}
""",
    good="""
start:
  menu:
    prompt: For sales press 1. For service press 2.
    choices: {sales: {dtmf: "1"}, service: {dtmf: "2"}}
  on: {sales: bye, service: bye}
""",
)

NEVER = Check(
    "never",
    "error",
    "An event is handled that never happens there.",
    group="Shape",
    bad="""
start:
  say: Hello.
  next: bye
  on: {noInput: bye}
""",
    good="""
start:
  say: Hello.
  next: bye
  on: {hangup: bye}
""",
)


@UNHANDLED.finder
def unhandled(document: Document) -> Iterator[Finding]:
    """Find events that neither the state nor the flow handles; what several states lack, the flow lacks."""
    lacking = {name: lost for name, _ in document.states() if (lost := _unhandled(document, name))}
    common = {name: both for name, lost in lacking.items() if (both := [event for event in lost if _is_common(event)])}
    shared: list[str] = []
    if len(common) > 1:
        shared = _summed_up(list(dict.fromkeys(event for lost in common.values() for event in lost)))
        yield _by_nobody(document, shared, list(common))
    for name, lost in lacking.items():
        left = [event for event in lost if longest(shared, event) is None]
        if left:
            listed = ", ".join(f'"{event}"' for event in _summed_up(left))
            message, advice = f"Nobody handles {listed} here.", _advice(document.model.states[name], left)
            yield document.finding("unhandled", ("states", name), message, advice, key=True)


def _is_common(event: str) -> bool:
    """Return whether the flow's own `on` is where an event is handled nearly always."""
    return event == "exhausted" or event.startswith("error")


def _unhandled(document: Document, name: str) -> list[str]:
    """List the events of a state that are lost; of one that leads nowhere at all, which has been told, nothing."""
    state = document.model.states[name]
    if not document.is_known(name) or not document.is_sound("on"):
        return []
    if ends(state) or not (state.next or state.on or state.decide):
        return []
    handled = (*document.handlers[name], *document.shared)
    return [event for event in demanded(state) if longest(handled, event) is None]


def _by_nobody(document: Document, events: list[str], states: list[str]) -> Finding:
    """Return one finding for what several states lack, with their places."""
    listed = ", ".join(f'"{event}"' for event in events)
    places = ", ".join(f'"{name}" (line {document.line("states", name)})' for name in states)
    written = ", ".join(f"{event}: <state>" for event in events)
    advice = f'Add {written} to the flow\'s "on".' if document.model.on else f"Give the flow on: {{{written}}}."
    message = f"Nobody handles {listed} in {len(states)} states: {places}."
    return document.finding("unhandled", ("states", states[0]), message, advice, key=True)


def _summed_up(events: list[str]) -> list[str]:
    """Return `error` once, where all sorts of it are meant."""
    if {"error.system", "error.workflow", "error.expression"} <= set(events):
        return [*(event for event in events if not event.startswith("error")), "error"]
    return events


def _advice(state: State, lost: list[str]) -> str:
    event = _summed_up(lost)[0]
    if state.menu and event in state.menu.choices:
        return f'Add {_as_key(event)}: <state> to its "on", or give it "next".'
    return f'Add {event}: <state> to its "on", or to that of the flow.'


def _as_key(event: str) -> str:
    """Write the name of a choice as a key."""
    return event if is_name(event) else json.dumps(event, ensure_ascii=False)


@NEVER.finder
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
