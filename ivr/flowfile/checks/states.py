"""Checks of states: one action each, names with one meaning, an end that says what it is (LANGUAGE C1-C3)."""

import re
from collections import Counter
from collections.abc import Iterator

from ivr.engine.flow import OUTCOMES, SELF
from ivr.engine.handlers import FAILURES
from ivr.engine.naming import is_name
from ivr.flowfile.checks.declaration import CHECKS, Check
from ivr.flowfile.checks.file_format import VALUE
from ivr.flowfile.checks.names import EVENT_FIELDS, FACTS
from ivr.flowfile.document import Document, action_of
from ivr.flowfile.events import RESERVED, ends
from ivr.flowfile.finding import Finding
from ivr.flowfile.model import State
from ivr.flowfile.source import Path
from ivr.flowfile.texts import uses
from ivr.flowfile.variables import intos
from ivr.flowfile.yaml.mistakes import QUOTES
from ivr.nearest import did_you_mean

ONE_ACTION = Check(
    "one-action",
    "error",
    "A state does nothing, or several things.",
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
    "A name that is no name, or that means something else already. In quotes, a choice may have any name.",
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
    "A state is called like an action.",
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
    "A final state with a way on, or something that only final states have.",
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
    "Two outcomes differ by one letter.",
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


EXPRESSION_WORDS = ("true", "false", "none", "and", "or", "not", "if", "else", "in", "is")
MAX_CHOICE_NAME = 512
"Characters, as of the other names that go over the wire."
_LINE_ENDS_AND_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@ONE_ACTION.finder
def one_action(document: Document) -> Iterator[Finding]:
    """Find states with no action, or with several."""
    for name, state in document.states():
        actions = [word for word in State.ACTIONS if getattr(state, word) is not None]
        if len(actions) > 1:
            message = f'"{name}" does several things: {", ".join(actions)}.'
            advice = "A state does one thing; make two of it."
            yield document.finding("one-action", ("states", name, actions[1]), message, advice, key=True)
        elif not actions and document.is_known(name):
            message, advice = f'"{name}" does nothing.', f"Give it one of: {', '.join(State.ACTIONS)}."
            yield document.finding("one-action", ("states", name), message, advice, key=True)


@NAME.finder
def name(document: Document) -> Iterator[Finding]:
    """Find names that are no names, or mean something else already (C1)."""
    if not is_name(document.model.flow.replace("-", "_")):
        yield _no_name(document, ("flow",), document.model.flow, "Use letters, digits, _ and -; begin with a letter.")
    for state_name, state in document.states():
        yield from _name(document, ("states", state_name), state_name, (SELF,))
        for choice in state.menu.choices if state.menu else ():
            yield from _choice_name(document, ("states", state_name, "menu", "choices", choice), choice)
        if state.outcome:
            yield from _name(document, ("states", state_name, "outcome"), state.outcome, (), key=False)
    reserved = (*FACTS, *EVENT_FIELDS, *EXPRESSION_WORDS)
    for variable in document.model.variables:
        yield from _name(document, ("variables", variable), variable, reserved)
    for into in intos(document):
        if into.variable not in document.model.variables and document.source.has(into.path):
            yield from _name(document, into.path, into.variable, reserved, key=False)


def _name(
    document: Document,
    path: Path,
    word: str,
    reserved: tuple[str, ...],
    *,
    key: bool = True,
    advice: str = "Use letters, digits and _; begin with a letter.",
) -> Iterator[Finding]:
    if not is_name(word):
        yield _no_name(document, path, word, advice, key=key)
    elif word in reserved:
        message = f'"{word}" means something else in this language.'
        yield document.finding("name", path, message, "Take another name.", key=key)


def _choice_name(document: Document, path: Path, word: str) -> Iterator[Finding]:
    """Find a choice whose name the line cannot take or would mean something else; without quotes it is a plain name."""
    key = document.source.find(path).key
    if word.startswith(FAILURES):
        yield document.finding("name", path, f'"{word}" would be taken for a failure.', "Take another name.", key=True)
    elif is_name(word) or key is None or key.style not in QUOTES:
        advice = f'The name of a choice may be any text in quotes: "{word}".'
        yield from _name(document, path, word, RESERVED, advice=advice)
    elif len(word) > MAX_CHOICE_NAME or _LINE_ENDS_AND_CONTROLS.search(word) or not any(map(_is_seen, word)):
        message = "This cannot be the name of a choice."
        advice = f"Write 1 to {MAX_CHOICE_NAME} characters in one line, one of them at least to be seen."
        yield document.finding("name", path, message, advice, key=True)


def _is_seen(char: str) -> bool:
    return char.isprintable() and not char.isspace()


def _no_name(document: Document, path: Path, word: str, advice: str, *, key: bool = False) -> Finding:
    meant = re.sub(r"\W+", "_", word).strip("_")
    if is_name(meant):
        advice = f'Did you mean "{meant}"? {advice}'
    return document.finding("name", path, f'"{word}" is no name.', advice, key=key)


@STATE_NAME.finder
def state_name(document: Document) -> Iterator[Finding]:
    """Find states that are called like an action, which says nothing about what goes on there."""
    for word, _ in document.states():
        if word in State.ACTIONS or word in State.LATER:
            message = f'"{word}" is the name of an action.'
            yield document.warning("state-name", ("states", word), message, "Name what goes on there.", key=True)


@FINAL.finder
def final(document: Document) -> Iterator[Finding]:
    """Find final states with a way on, and what only final states have (C3)."""
    for word, state in document.states():
        here = ("states", word)
        for key, written in (("next", state.next), ("on", state.on)):
            if ends(state) and written:
                message = f'The call ends in "{word}", so it has no way on.'
                yield document.finding("final", (*here, key), message, f'Delete "{key}".', key=True)
        action = action_of(state)
        if state.final and action not in {"say", "hangup", "reject", None}:
            message = f'A state with "{action}" cannot be final: something follows it.'
            yield document.finding("final", (*here, "final"), message, "Let it lead to a final state.", key=True)
        if state.outcome and not ends(state):
            message = '"outcome" belongs to the end of a call, and this state is not final.'
            yield document.finding("final", (*here, "outcome"), message, 'Add "final: true".', key=True)
        if document.is_known(word) and document.is_sound("on"):
            yield from _long_calls(document, word)


def _long_calls(document: Document, word: str) -> Iterator[Finding]:
    """Find where a call that has become too long goes on: by `error.limit`, or a shorter name that fits it."""
    for transition in document.transitions[word]:
        target = document.model.states.get(transition.target)
        if transition.event != "error.limit" or target is None or ends(target):
            continue
        message = f'A call that has become too long must end, and "{transition.target}" is not final.'
        advice = "Name a final state." if "error.limit" in transition.path else 'Add "error.limit: <a final state>".'
        yield document.finding("final", (*transition.path, "target"), message, advice)


@OUTCOME_TYPO.finder
def outcome_typo(document: Document) -> Iterator[Finding]:
    """Find outcomes that differ by one letter from another."""
    written: list[tuple[Path, str]] = [
        (("states", word, "outcome"), state.outcome) for word, state in document.states() if state.outcome
    ]
    written += [(use.path, use.text) for use in uses(document) if use.variable == "outcome" and "{{" not in use.text]
    counts = Counter(outcome for _, outcome in written)
    for path, outcome in written:
        others = [other for other in (*OUTCOMES, *counts) if other != outcome and _one_letter_apart(outcome, other)]
        # Of two own words the rarer one is the mistake; of an own word and one of the language's, the own one.
        suspects = [other for other in others if other in OUTCOMES or counts[other] > counts[outcome]]
        if outcome not in OUTCOMES and suspects:
            message = f'"{outcome}" differs by one letter from "{suspects[0]}".'
            yield document.warning("outcome-typo", path, message, did_you_mean(outcome, suspects))


def _one_letter_apart(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1:
        return False
    at = next((index for index, char in enumerate(short) if long[index] != char), len(short))
    return long[at + 1 :] == short[at + (len(long) == len(short)) :]


@DEFAULT_OUTCOME.finder
def default_outcome(document: Document) -> Iterator[Finding]:
    """Find ends that only failures lead to, and that count as resolved all the same."""
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
        if ends(state) and not state.outcome and only_failures and not sets_outcome and word != document.begins:
            message = f'Only failures lead to "{word}", and such calls count as resolved.'
            yield document.warning("default-outcome", ("states", word), message, 'Add an "outcome".', key=True)


@VALUE.finder
def allow(document: Document) -> Iterator[Finding]:
    """Find acknowledgements of what is no check, or of what refuses the flow."""
    for name, state in document.states():
        for code in state.allow:
            path = ("states", name, "allow", code)
            if code not in CHECKS:
                yield document.finding(
                    "value", path, f'No check is called "{code}".', did_you_mean(code, CHECKS), key=True
                )
            elif not CHECKS[code].can_warn:
                message = f'"{code}" is an error, and cannot be allowed.'
                yield document.finding("value", path, message, "Correct what it finds.", key=True)
