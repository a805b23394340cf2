"""The check `guessing`: a private answer, such as a PIN, that can be tried without end in one call (LANGUAGE C12)."""

from collections.abc import Iterator, Mapping

from ivr.engine.expressions import tree
from ivr.engine.expressions.compile import Expression
from ivr.flowfile.actions.base import kept_in
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.checks.whole_calls import only_a_few_times, rounds
from ivr.flowfile.document import Document, Transition
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.reachability import reached
from ivr.flowfile.source import Path
from ivr.flowfile.texts import compiled, uses
from ivr.flowfile.variables import private, variables

GUESSING = Check(
    "guessing",
    "warning",
    "A wrong answer to a private question can be repeated without limit.",
    group="Proofs",
    bad="""
start:
  digits: {prompt: Key your PIN., minDigits: 4, maxDigits: 4, into: pin, sensitive: true}
  next: [{guard: pin == '2468', target: thanks}, start]
thanks: {say: Thank you., next: bye}
""",
    good="""
start:
  digits: {prompt: Key your PIN., minDigits: 4, maxDigits: 4, into: pin, sensitive: true}
  next: [{guard: pin == '2468', target: thanks}, {guard: visits.start < 3, target: start}, bye]
thanks: {say: Thank you., next: bye}
""",
)


@GUESSING.message
def _unlimited(state: str) -> Text:
    return f'A wrong answer to "{state}" can be repeated without limit.', only_a_few_times(state)


@GUESSING.finder
def guessing(document: Document) -> Iterator[Finding]:
    """Find questions for something private to which a wrong answer leads back, however often it was wrong."""
    marked = private(document)
    for name, state in document.states():
        known = state.keyed is not None and name not in document.loose
        kept = kept_in(name, state.keyed.into) if state.keyed and known else None
        if kept in marked and kept is not None:
            yield from _of_question(document, name, kept, _copies(document, kept))


def _copies(document: Document, kept: str) -> frozenset[str]:
    """Return the names under which an answer is read: its variable, those it is copied to, the event's field."""
    copied: dict[str, set[str]] = {}
    for use in uses(document):
        if use.role == "value":
            for origin in variables(document).keys() & set(_names(use.text, bare=False)):
                copied.setdefault(origin, set()).add(use.variable)
    return reached({kept, "digits"}, lambda name: copied.get(name, ()))


def _names(text: str, *, bare: bool) -> frozenset[str]:
    what = compiled(text, bare=bare)
    return frozenset(what.names) if not isinstance(what, Exception) else frozenset()


def _of_question(document: Document, name: str, kept: str, names: frozenset[str]) -> Iterator[Finding]:
    right, judged = _judged(document, names)
    variable = variables(document).get(kept)
    is_judged_by_itself = bool(variable and variable.values)  # a wrong one is no answer, and the attempts are counted
    failures = {"exhausted", "noMatch"} if is_judged_by_itself else set()
    transitions = [
        transition
        for several in document.transitions.values()
        for transition in several
        if transition.path not in right and not transition.event.startswith(("error", "hangup"))
    ]
    transitions, _, together = rounds(document, transitions)
    for transition in transitions:
        is_wrong = transition.path in judged or (transition.state == name and transition.event in failures)
        if (
            is_wrong
            and together.get(transition.state) == together.get(name)
            and not _counts(document, transition, transitions)
        ):
            yield document.finding(_unlimited(name), (*transition.path, "target"))
            return


def _judged(document: Document, names: frozenset[str]) -> tuple[frozenset[Path], frozenset[Path]]:
    """Return the branches that a right answer takes, and those that a wrong one can take, by their places."""
    right: set[Path] = set()
    wrong: set[Path] = set()
    for several in document.transitions.values():
        is_compared = False
        for transition in several:
            is_compared = is_compared and transition.path[-1] != 0
            holds = _says_right(transition.branch.guard, names)
            if holds is True:
                right.add(transition.path)
            elif holds is False or is_compared:
                wrong.add(transition.path)
            if holds is False and transition.path[-1] == 0:
                right.update(
                    other.path
                    for other in several
                    if other.path[:-1] == transition.path[:-1] and other.path != transition.path
                )
            is_compared = is_compared or holds is not None
    return frozenset(right - wrong), frozenset(wrong)


def _says_right(guard: str | None, names: frozenset[str]) -> bool | None:
    """Return whether a guard holds for the right answer, or for wrong ones; None: it looks at something else."""
    what = compiled(guard, bare=True) if guard else None
    if not isinstance(what, Expression) or not names & frozenset(what.names):
        return None
    return _equals(what.node, names)


def _equals(node: tree.Node, names: frozenset[str]) -> bool | None:
    match node:
        case tree.Negation(of=of):
            inside = _equals(of, names)
            return None if inside is None else not inside
        case tree.Both(left=left, right=right) | tree.Either(left=left, right=right):
            found = _equals(left, names)
            return found if found is not None else _equals(right, names)
        case tree.Comparison(first=first, rest=(tree.Compared(comparator=comparator, value=value), *_)):
            if not {tree.path(first), tree.path(value)} & names:
                return None
            return {"==": True, "in": True, "!=": False, "not in": False}.get(comparator)
    return None


def _counts(document: Document, transition: Transition, transitions: list[Transition]) -> bool:
    """Return whether a variable counts the attempts: a guard in the loop compares what a transition changes."""
    changed: Mapping[str, frozenset[str]] = {
        use.variable: _names(use.text, bare=False)
        for use in uses(document)
        if use.role == "value" and use.variable in _names(use.text, bare=False)
    }
    siblings = [
        other
        for several in document.transitions.values()
        for other in several
        if other.path[:-1] == transition.path[:-1]
    ]
    guards = [other.branch.guard for other in (*siblings, *transitions) if other.branch.guard]
    return any(changed.keys() & _names(guard, bare=True) for guard in guards)
