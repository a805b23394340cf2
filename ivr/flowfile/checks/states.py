"""Checks of states: one action each, an end that says what it is (LANGUAGE C2-C3)."""

from collections import Counter
from collections.abc import Iterator, Sequence

from ivr.engine.flow import OUTCOMES
from ivr.flowfile.actions import ACTIONS
from ivr.flowfile.checks.declaration import CHECKS, Check
from ivr.flowfile.checks.file_format import VALUE
from ivr.flowfile.document import Document
from ivr.flowfile.events import asking, ends
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.reachability import reached
from ivr.flowfile.source import Path
from ivr.flowfile.texts import uses
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


@ONE_ACTION.message
def _no_action(state: str) -> Text:
    return f'"{state}" has no action.', f"Add one of: {', '.join(ACTIONS)}."


@ONE_ACTION.message
def _several_actions(state: str, actions: Sequence[str]) -> Text:
    return f'"{state}" has several actions: {", ".join(actions)}.', "A state has one action; make two states of it."


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


@ONE_ACTION.finder
def one_action(document: Document) -> Iterator[Finding]:
    """Find states with no action, or with several."""
    for name, state in document.states():
        actions = [action.word for action in state.actions]
        if len(actions) > 1:
            yield document.finding(_several_actions(name, actions), ("states", name, actions[1]), key=True)
        elif not actions and document.is_known(name):
            yield document.finding(_no_action(name), ("states", name), key=True)


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
