"""Checks of events: each is handled, and nothing is handled that never happens (LANGUAGE C7, C8)."""

import json
import re
from collections.abc import Container, Iterable, Iterator, Sequence

from ivr.engine.handlers import longest
from ivr.engine.naming import is_name
from ivr.flowfile.actions.transfer import TRANSFER_FAILURES
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.document import Document, action_of
from ivr.flowfile.events import SHARED, demanded, ends, fits, may_fail_by, raised, with_statuses
from ivr.flowfile.finding import Finding, Problem, Text
from ivr.flowfile.model import State
from ivr.nearest import did_you_mean

UNHANDLED = Check(
    "unhandled",
    "error",
    "An event is not handled.",
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
    "A handler for an event that never happens there.",
    group="Shape",
    fixable=True,
    bad="""
start:
  say: Hello.
  next: bye
  on: {hangpu: bye}
""",
    good="""
start:
  say: Hello.
  next: bye
  on: {hangup: bye}
""",
)


@UNHANDLED.message
def _not_handled(events: Sequence[str], first: str) -> Text:
    return f"{_listed(events)} not handled here.", f'Add {first}: <state> to the "on" of this state or of the flow.'


@UNHANDLED.message
def _choice_not_handled(events: Sequence[str], first: str) -> Text:
    return f"{_listed(events)} not handled here.", f'Add {first}: <state> to the "on" of this state, or add "next".'


@UNHANDLED.message
def _not_handled_in_states(events: Sequence[str], states: Sequence[str], has_on: bool) -> Text:
    written = ", ".join(f"{event}: <state>" for event in events)
    advice = f'Add {written} to the "on" of the flow.' if has_on else f"Add to the flow: on: {{{written}}}."
    return f"{_listed(events)} not handled in {len(states)} states: {', '.join(states)}.", advice


def _listed(events: Sequence[str]) -> str:
    listed = ", ".join(f'"{event}"' for event in events)
    return f"{listed} {'is' if len(events) == 1 else 'are'}"


@NEVER.message
def _attempts_never_used_up(state: str) -> Text:
    return f'"exhausted" never happens in "{state}": it handles "noInput" and "noMatch" itself.', ""


@NEVER.message
def _no_wrong_recording() -> Text:
    return '"noMatch" never happens in a recording: it has no wrong answers.', ""


@NEVER.message
def _never_happens(event: str, state: str, events: Sequence[str]) -> Text:
    return f'"{event}" never happens in "{state}".', _event_meant(event, events)


@NEVER.message
def _no_such_choice(event: str, state: str, events: Sequence[str]) -> Text:
    return f'"{event}" is not a choice or an event of "{state}".', _event_meant(event, events)


@NEVER.message
def _not_for_the_flow(event: str, shared: Sequence[str]) -> Text:
    advice = _event_meant(event, shared) or "Handle it in a state."
    return f'The "on" of the flow cannot handle "{event}".', advice


def _event_meant(event: str, events: Sequence[str]) -> str:
    """Suggest the event, or the beginning of several, that was probably meant."""
    status = _STATUS_MEANT.fullmatch(event)
    if status and "error.http.status" in events:
        return f'Did you mean "error.http.status.{status[1]}"?'
    return did_you_mean(event, _and_beginnings(events))


def _and_beginnings(events: Iterable[str]) -> list[str]:
    """Return events, and the beginnings of their names, which handle all that go on so."""
    names = [event.split(".") for event in events if event.startswith(("error.", "failed."))]
    return list(dict.fromkeys([*events, *(".".join(name[:end]) for name in names for end in range(1, len(name)))]))


_STATUS_MEANT = re.compile(r"(?:error\.)?(?:http\.)?(?:st\w*\.?)?([1-5]\d\d)")
"A status of a web service, whose event is mistyped, or shorter than it should be."


@UNHANDLED.finder
def unhandled(document: Document) -> Iterator[Finding]:
    """Find events that neither the state nor the flow handles; what is missing in several states is one finding."""
    lacking = {name: lost for name, _ in document.states() if (lost := _unhandled(document, name))}
    usual = {"exhausted", *document.model.commands}
    common = {name: both for name, lost in lacking.items() if (both := [one for one in lost if _is_common(one, usual)])}
    shared: list[str] = []
    if len(common) > 1:
        shared = _summed_up(list(dict.fromkeys(event for lost in common.values() for event in lost)))
        yield _in_states(document, shared, list(common))
    for name, lost in lacking.items():
        left = [event for event in lost if longest(shared, event) is None]
        if left:
            problem = _here(document.model.states[name], _summed_up(left))
            yield document.finding(problem, ("states", name), key=True)


def _is_common(event: str, usual: Container[str]) -> bool:
    """Return whether an event is nearly always handled by the flow's own `on`."""
    return event in usual or event.startswith("error")


def _unhandled(document: Document, name: str) -> list[str]:
    """List the events of a state that are not handled; one without any transition is the business of `no-target`."""
    state = document.model.states[name]
    if not document.is_known(name) or not document.is_sound("on"):
        return []
    has_way = state.next or state.on or state.decide
    if ends(state) or not (has_way or any(action.may_lack_next for action in state.actions)):
        return []
    handled = (*document.handlers[name], *document.shared)
    return [event for event in demanded(state) if longest(handled, event) is None]


def _in_states(document: Document, events: list[str], states: list[str]) -> Finding:
    """Return one finding for what is missing in several states, with their places."""
    places = [f'"{name}" (line {document.line("states", name)})' for name in states]
    problem = _not_handled_in_states(events, places, has_on=bool(document.model.on))
    return document.finding(problem, ("states", states[0]), key=True)


def _summed_up(events: list[str]) -> list[str]:
    """Return `error` once, where all sorts of it are meant, and so `failed`."""
    if {"error.system", "error.workflow", "error.expression"} <= set(events):
        events = [*(event for event in events if not event.startswith("error")), "error"]
    if set(TRANSFER_FAILURES) <= set(events):
        events = [*(event for event in events if event not in TRANSFER_FAILURES), "failed"]
    return events


def _here(state: State, events: list[str]) -> Problem:
    if state.menu and events[0] in state.menu.choices:
        return _choice_not_handled(events, _as_key(events[0]))
    return _not_handled(events, events[0])


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
            if not fits(event, events) and action_of(state) and document.is_known(name):
                names = [one for one in _and_beginnings(events) if one not in state.on]
                fix = document.source.renaming(path, event, names, key=True)
                yield document.finding(_why(state, name, event), path, key=True, fix=fix)
    shared = (*with_statuses(SHARED, document.model.on), *document.model.commands)
    for event in document.model.on:
        if not fits(event, shared) and document.is_sound("commands"):
            yield document.finding(_not_for_the_flow(event, shared), ("on", event), key=True)


def _why(state: State, name: str, event: str) -> Problem:
    if event == "exhausted":
        return _attempts_never_used_up(name)
    if event == "noMatch" and not may_fail_by(state, event):
        return _no_wrong_recording()
    return (_no_such_choice if state.menu else _never_happens)(event, name, raised(state))
