"""Checks of names: valid, not reserved, and of states those that say what happens there (LANGUAGE C1)."""

import re
from collections.abc import Iterator

from ivr.engine.flow import SELF
from ivr.engine.handlers import FAILURES
from ivr.engine.naming import is_name, is_of_user, without_user
from ivr.flowfile.actions import ACTIONS
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.checks.names import EVENT_FIELDS, FACTS
from ivr.flowfile.document import Document
from ivr.flowfile.events import RESERVED
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.model import State
from ivr.flowfile.source import Path
from ivr.flowfile.variables import intos
from ivr.flowfile.yaml.mistakes import QUOTES

NAME = Check(
    "name",
    "error",
    "Invalid or reserved name. In quotes, a choice can have any name.",
    group="Shape",
    bad="""
start:
  menu: {prompt: To go on press 1., choices: {done: {dtmf: "1"}}}
  next: bye
""",
    good="""
start:
  menu: {prompt: To go on press 1., choices: {ready: {dtmf: "1"}}}
  next: bye
""",
)

STATE_NAME = Check(
    "state-name",
    "warning",
    "A state has the name of an action.",
    group="Shape",
    bad="""
start: {say: Hello., next: digits}
digits:
  digits: {prompt: Key your number.}
  next: bye
""",
    good="""
start: {say: Hello., next: ask_number}
ask_number:
  digits: {prompt: Key your number.}
  next: bye
""",
)

_GOOD_NAME = "ask"
"An action that says what happens in a state, and how many call one: it is younger than their flows."


@NAME.message
def _not_a_name(word: str, rule: str, meant: str | None) -> Text:
    return f'"{word}" is not a valid name.', f'Did you mean "{meant}"? {rule}' if meant else rule


@NAME.message
def _reserved(word: str) -> Text:
    return f'"{word}" is a reserved word.', "Choose another name."


@NAME.message
def _error_event(choice: str) -> Text:
    return f'"{choice}" is reserved for an error event.', "Choose another name."


@NAME.message
def _not_a_choice() -> Text:
    rule = f"Write 1 to {MAX_CHOICE_NAME} characters on one line, at least one of them visible."
    return "This cannot be the name of a choice.", rule


@STATE_NAME.message
def _name_of_action(state: str) -> Text:
    return f'"{state}" is the name of an action.', "Choose a name that says what happens in this state."


RULE_FOR_NAMES = "Use letters, digits and _, and begin with a letter."
RULE_FOR_FLOWS = "Use letters, digits, _ and -, and begin with a letter."
EXPRESSION_WORDS = ("true", "false", "none", "and", "or", "not", "if", "else", "in", "is")
MAX_CHOICE_NAME = 512
"Characters, as of the other names that go over the wire."
_LINE_ENDS_AND_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@NAME.finder
def name(document: Document) -> Iterator[Finding]:
    """Find names that are invalid or reserved (C1)."""
    if not is_name(document.model.flow.replace("-", "_")):
        yield _invalid(document, ("flow",), document.model.flow, RULE_FOR_FLOWS)
    for state_name, state in document.states():
        yield from name_findings(document, ("states", state_name), state_name, (SELF,))
        for path in _names_of_events(state_name, state):
            yield from _choice_name(document, path, path[-1])
        if state.return_:
            yield from _returned_name(document, state_name, state.return_.event)
        if state.outcome:
            yield from name_findings(document, ("states", state_name, "outcome"), state.outcome, (), key=False)
    for command in document.model.commands:
        yield from _choice_name(document, ("commands", command), command)
    reserved = (*FACTS, *EVENT_FIELDS, *EXPRESSION_WORDS)
    for variable in document.model.variables:
        words = () if is_of_user(variable) else reserved
        yield from name_findings(document, ("variables", variable), without_user(variable), words)
    yield from _names_beside_states(document)
    for into in intos(document):
        is_plain = into.variable not in document.model.variables and not is_of_user(into.variable)
        if is_plain and document.source.has(into.path):
            yield from name_findings(document, into.path, into.variable, reserved, key=False)


def _names_of_events(name: str, state: State) -> Iterator[tuple[str, ...]]:
    """Go through the names that an author gives to events: choices and shares."""
    for choice in state.menu.choices if state.menu else ():
        yield "states", name, "menu", "choices", choice
    for share in state.split.shares if state.split else ():
        yield "states", name, "split", "shares", share


def _names_beside_states(document: Document) -> Iterator[Finding]:
    for state_name, state in document.states():
        if state.milestone:
            yield from name_findings(document, ("states", state_name, "milestone"), state.milestone, (), key=False)
    for goal in document.model.goals:
        yield from name_findings(document, ("goals", goal), goal, ())
    for calendar in document.model.calendars:
        yield from name_findings(document, ("calendars", calendar), calendar, EXPRESSION_WORDS)
    for prompt in document.model.prompts:
        yield from name_findings(document, ("prompts", prompt), prompt, ())


def name_findings(
    document: Document,
    path: Path,
    word: str,
    reserved: tuple[str, ...],
    *,
    key: bool = True,
    rule: str = RULE_FOR_NAMES,
) -> Iterator[Finding]:
    """Find a name that is invalid or reserved."""
    if not is_name(word):
        yield _invalid(document, path, word, rule, key=key)
    elif word in reserved:
        yield document.finding(_reserved(word), path, key=key)


def _choice_name(document: Document, path: Path, word: str) -> Iterator[Finding]:
    """Find a choice whose name is reserved, or that the line cannot carry; without quotes it is a plain name."""
    key = document.source.find(path).key
    if word.startswith(FAILURES):
        yield document.finding(_error_event(word), path, key=True)
    elif is_name(word) or key is None or key.style not in QUOTES:
        rule = f'In quotes, a choice can have any name: "{word}".'
        yield from name_findings(document, path, word, RESERVED, rule=rule)
    elif len(word) > MAX_CHOICE_NAME or _LINE_ENDS_AND_CONTROLS.search(word) or not any(map(_is_visible, word)):
        yield document.finding(_not_a_choice(), path, key=True)


def _returned_name(document: Document, state: str, word: str) -> Iterator[Finding]:
    """Find a name to return that is reserved: it is an event of the state that invokes the flow."""
    path = ("states", state, "return", "event")
    if word.startswith(FAILURES):
        yield document.finding(_error_event(word), path)
    else:
        yield from name_findings(document, path, word, RESERVED, key=False)


def _is_visible(char: str) -> bool:
    return char.isprintable() and not char.isspace()


def _invalid(document: Document, path: Path, word: str, rule: str, *, key: bool = False) -> Finding:
    meant = re.sub(r"\W+", "_", word).strip("_")
    return document.finding(_not_a_name(word, rule, meant if is_name(meant) else None), path, key=key)


@STATE_NAME.finder
def state_name(document: Document) -> Iterator[Finding]:
    """Find states that are named after an action, which says nothing about what happens there."""
    for word, _ in document.states():
        if word in ACTIONS and word != _GOOD_NAME:
            yield document.finding(_name_of_action(word), ("states", word), key=True)
