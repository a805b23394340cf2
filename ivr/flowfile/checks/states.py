"""Checks of states: one action each, names with one meaning, an end that says what it is (LANGUAGE C1-C3)."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ivr.engine.flow import OUTCOMES, SELF
from ivr.engine.handlers import FAILURES
from ivr.engine.naming import is_name
from ivr.flowfile.actions import ACTIONS
from ivr.flowfile.checks.declaration import CHECKS, Check
from ivr.flowfile.checks.file_format import VALUE
from ivr.flowfile.checks.names import EVENT_FIELDS, FACTS
from ivr.flowfile.document import Document
from ivr.flowfile.events import RESERVED, asking, ends
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.model import State
from ivr.flowfile.reachability import reached
from ivr.flowfile.source import Path
from ivr.flowfile.texts import uses
from ivr.flowfile.variables import intos
from ivr.flowfile.yaml.mistakes import QUOTES
from ivr.nearest import did_you_mean

ONE_ACTION = Check(
    "one-action",
    "error",
    "A state has no action, or several.",
    group="Shape",
    bad="""
start:
  say: Hello.
  digits: {prompt: Key your number.}
  next: bye
""",
    good="""
start: {say: Hello., next: ask}
ask:
  digits: {prompt: Key your number.}
  next: bye
""",
)

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

FINAL = Check(
    "final",
    "error",
    "A final state has a transition, or another state has a key that is only for final states.",
    group="Shape",
    bad="""
start:
  say: Hello.
  final: true
  next: bye
""",
    good="""
start:
  say: Hello.
  next: bye
""",
)

OUTCOME_TYPO = Check(
    "outcome-typo",
    "warning",
    "Two outcomes, milestones or shares differ by one letter.",
    group="Shape",
    bad="""
start: {say: Hello., next: done_here}
done_here: {say: Until next time., final: true, outcome: resolvd}
""",
    good="""
start: {say: Hello., next: done_here}
done_here: {say: Until next time., final: true, outcome: resolved}
""",
)

DEFAULT_OUTCOME = Check(
    "default-outcome",
    "warning",
    "Only failures lead to an end that counts as resolved.",
    group="Shape",
    bad="""
start: {say: Hello., next: thanks}
thanks: {say: Thank you., final: true}
bye: {say: Something went wrong., final: true}
""",
    good="""
start: {say: Hello., next: thanks}
thanks: {say: Thank you., final: true}
bye: {say: Something went wrong., final: true, outcome: failed}
""",
)


_GOOD_NAME = "ask"
"An action that says what happens in a state, and how many call one: it is younger than their flows."


@ONE_ACTION.message
def _no_action(state: str) -> Text:
    return f'"{state}" has no action.', f"Add one of: {', '.join(ACTIONS)}."


@ONE_ACTION.message
def _several_actions(state: str, actions: Sequence[str]) -> Text:
    return f'"{state}" has several actions: {", ".join(actions)}.', "A state has one action; make two states of it."


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


@FINAL.message
def _after_end(state: str, key: str) -> Text:
    return f'The call ends in "{state}", so "{key}" is never used.', f'Delete "{key}".'


@FINAL.message
def _cannot_be_final(action: str) -> Text:
    return f'A state with "{action}" cannot be final.', "Add a transition to a final state."


@FINAL.message
def _outcome_before_end() -> Text:
    return '"outcome" is possible only where a call ends, and this state is not final.', 'Add "final: true".'


@FINAL.message
def _goes_on_after_limit(target: str, is_handled: bool) -> Text:
    advice = "Choose a final state." if is_handled else 'Add "error.limit: <final state>".'
    return f'After "error.limit" the call must end, but "{target}" leads to a question.', advice


@OUTCOME_TYPO.message
def one_letter_differs(outcome: str, others: Sequence[str]) -> Text:
    """Return that a word is probably another one."""
    return f'"{outcome}" differs by one letter from "{others[0]}".', did_you_mean(outcome, others)


@DEFAULT_OUTCOME.message
def _resolved_by_failure(state: str) -> Text:
    return f'Only failures lead to "{state}", but these calls count as resolved.', 'Add "outcome".'


@VALUE.message
def _no_such_check(code: str) -> Text:
    return f'No check is called "{code}".', did_you_mean(code, CHECKS)


@VALUE.message
def _error_allowed(code: str) -> Text:
    return f'"{code}" is an error and cannot be allowed.', "Correct the error."


RULE_FOR_NAMES = "Use letters, digits and _, and begin with a letter."
RULE_FOR_FLOWS = "Use letters, digits, _ and -, and begin with a letter."
EXPRESSION_WORDS = ("true", "false", "none", "and", "or", "not", "if", "else", "in", "is")
MAX_CHOICE_NAME = 512
"Characters, as of the other names that go over the wire."
_LINE_ENDS_AND_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@ONE_ACTION.finder
def one_action(document: Document) -> Iterator[Finding]:
    """Find states with no action, or with several."""
    for name, state in document.states():
        actions = [action.word for action in state.actions]
        if len(actions) > 1:
            yield document.finding(_several_actions(name, actions), ("states", name, actions[1]), key=True)
        elif not actions and document.is_known(name):
            yield document.finding(_no_action(name), ("states", name), key=True)


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
        yield from name_findings(document, ("variables", variable), variable, reserved)
    yield from _names_beside_states(document)
    for into in intos(document):
        if into.variable not in document.model.variables and document.source.has(into.path):
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


@FINAL.finder
def final(document: Document) -> Iterator[Finding]:
    """Find final states with a transition, and what only final states have (C3)."""
    for word, state in document.states():
        here = ("states", word)
        for key, written in (("next", state.next), ("on", state.on)):
            if ends(state) and written:
                yield document.finding(_after_end(word, key), (*here, key), key=True)
        if state.final and state.actions and not state.actions[0].may_be_final:
            yield document.finding(_cannot_be_final(state.actions[0].word), (*here, "final"), key=True)
        if state.outcome and not ends(state):
            yield document.finding(_outcome_before_end(), (*here, "outcome"), key=True)
        if document.is_known(word) and document.is_sound("on"):
            yield from _long_calls(document, word)


def _long_calls(document: Document, word: str) -> Iterator[Finding]:
    """Find where a call that became too long goes on: by `error.limit`, or by a shorter name that includes it.

    It may send a mail on its way to the end, say; a question could lead anywhere, and no limit would end the call.
    """
    for transition in document.transitions[word]:
        target = document.model.states.get(transition.target)
        if transition.event != "error.limit" or target is None or _asks_no_more(document, transition.target):
            continue
        problem = _goes_on_after_limit(transition.target, is_handled="error.limit" in transition.path)
        yield document.finding(problem, (*transition.path, "target"))


def _asks_no_more(document: Document, target: str) -> bool:
    """Return whether a call ends from a state without another question."""

    def after(name: str) -> set[str]:
        return set() if is_question(name) else {transition.target for transition in document.transitions.get(name, ())}

    def is_question(name: str) -> bool:
        state = document.model.states.get(name)
        return state is not None and (asking(state) or state.invoke is not None)  # an invoked flow may ask

    return not any(map(is_question, reached([target], after)))


@OUTCOME_TYPO.finder
def outcome_typo(document: Document) -> Iterator[Finding]:
    """Find outcomes that differ by one letter from another."""
    written: list[tuple[Path, str]] = [
        (("states", word, "outcome"), state.outcome) for word, state in document.states() if state.outcome
    ]
    written += [(use.path, use.text) for use in uses(document) if use.variable == "outcome" and "{{" not in use.text]
    counts = Counter(outcome for _, outcome in written)
    for path, outcome in written:
        others = [other for other in (*OUTCOMES, *counts) if other != outcome and one_letter_apart(outcome, other)]
        # Of two own words the rarer one is the mistake; of an own word and one of the language's, the own one.
        suspects = [other for other in others if other in OUTCOMES or counts[other] > counts[outcome]]
        if outcome not in OUTCOMES and suspects:
            yield document.finding(one_letter_differs(outcome, suspects), path)


def one_letter_apart(one: str, other: str) -> bool:
    """Return whether one letter is missing, too many or another."""
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1:
        return False
    at = next((index for index, char in enumerate(short) if long[index] != char), len(short))
    return long[at + 1 :] == short[at + (len(long) == len(short)) :]


@DEFAULT_OUTCOME.finder
def default_outcome(document: Document) -> Iterator[Finding]:
    """Find ends that only failures lead to, but that count as resolved."""
    events: dict[str, set[str]] = {}
    for transitions in document.transitions.values():
        for transition in transitions:
            events.setdefault(transition.target, set()).add(transition.event)
    for word in document.loose:  # who knows on which event
        for target in document.leads[word]:
            events.setdefault(target, set()).add("")
    sets_outcome = any("outcome" in branch.set for handler in document.all_handlers() for branch in handler.branches)
    sets_outcome = sets_outcome or any("outcome" in state.set for _, state in document.states())
    for word, state in document.states():
        into = events.get(word, set())
        only_failures = into and all(event == "exhausted" or event.startswith("error") for event in into)
        is_end = ends(state) and not state.return_  # a flow that returns is not where the call ends
        if is_end and not state.outcome and only_failures and not sets_outcome and word != document.begins:
            yield document.finding(_resolved_by_failure(word), ("states", word), key=True)


@VALUE.finder
def allow(document: Document) -> Iterator[Finding]:
    """Find acknowledgements of unknown checks, and of errors."""
    for name, state in document.states():
        for code in state.allow:
            path = ("states", name, "allow", code)
            if code not in CHECKS:
                yield document.finding(_no_such_check(code), path, key=True)
            elif not CHECKS[code].can_warn:
                yield document.finding(_error_allowed(code), path, key=True)
