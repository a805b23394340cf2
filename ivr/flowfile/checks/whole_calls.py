"""Proofs about whole calls: each can end, none loops forever, no recording is dropped unnoticed (LANGUAGE C13).

Each follows the transitions between states, never the values of variables: a guard can be true or false, except those
that count visits.
"""

from collections.abc import Iterator, Mapping, Sequence

from ivr.engine.actions.consent import REFUSED
from ivr.engine.expressions import tree
from ivr.engine.expressions.compile import Expression
from ivr.engine.expressions.failure import ExpressionError
from ivr.engine.flow import SELF
from ivr.flowfile.actions.base import kept_in
from ivr.flowfile.actions.record import TRANSCRIPTION_ERRORS
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.document import Document, Transition
from ivr.flowfile.events import asking, demanded, ends, successes
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.model import State
from ivr.flowfile.reachability import Graph, components, reached, shortest
from ivr.flowfile.source import Path
from ivr.flowfile.texts import compiled, reads, uses

NO_END = Check(
    "no-end",
    "error",
    "From some state, no call can end.",
    group="Proofs",
    bad="""
start: {say: We are open from nine to five., next: address}
address: {say: You find us in Harbour Street., next: start}
""",
    good="""
start: {say: We are open from nine to five., next: address}
address: {say: You find us in Harbour Street., next: bye}
""",
)

ENDLESS = Check(
    "endless",
    "error",
    "A caller who never gives a valid answer can loop forever.",
    group="Proofs",
    bad="""
start:
  digits: {prompt: Key your number.}
  next: bye
  on: {exhausted: sorry}
sorry: {say: Let us try that again., next: start}
""",
    good="""
start:
  digits: {prompt: Key your number.}
  next: bye
  on: {exhausted: [{guard: visits.start < 3, target: sorry}, bye]}
sorry: {say: Let us try that again., next: start}
""",
)

DROPPED_RECORDING = Check(
    "dropped-recording",
    "warning",
    "If the caller hangs up after speaking, the recording is never used.",
    group="Proofs",
    bad="""
start:
  record: {prompt: What is the matter?, into: matter}
  next: more
more:
  menu: {prompt: To say it again press 1. To end press 2., choices: {again: {dtmf: "1"}, end: {dtmf: "2"}}}
  on: {again: start, end: bye}
""",
    good="""
start:
  record: {prompt: What is the matter?, into: matter}
  next: more
more:
  menu: {prompt: To say it again press 1. To end press 2., choices: {again: {dtmf: "1"}, end: {dtmf: "2"}}}
  on: {again: start, end: bye, hangup: bye}
""",
)


@NO_END.message
def _no_end(states: Sequence[str]) -> Text:
    listed = ", ".join(f'"{name}"' for name in states)
    return f"No call can end from {listed}.", 'Add a transition to a state with "final: true".'


@ENDLESS.message
def _endless(states: Sequence[str], target: str) -> Text:
    message = f"A caller who never gives a valid answer can loop forever: {' → '.join(states)}."
    return message, only_a_few_times(target)


@DROPPED_RECORDING.message
def _dropped(end: str) -> Text:
    message = f'If the caller hangs up after speaking, the call ends in "{end}" and the recording is never used.'
    return message, f'Handle "hangup" in "{end}".'


def only_a_few_times(state: str) -> str:
    """Return what to do about a transition that can be taken again and again."""
    return f'Allow this transition only while "visits.{state} < 3", and end the call otherwise.'


ROUNDS = 50
"How often transitions that a count of visits ends are taken away; each time some loops fall apart into smaller ones."


@NO_END.finder
def no_end(document: Document) -> Iterator[Finding]:
    """Find states from which no end can be reached except by a failure."""
    found = stuck(document)
    if found:
        yield document.finding(_no_end(found), ("states", found[0]), key=True)


def stuck(document: Document) -> list[str]:
    """Return the states from which no call can end but by a failure of the line."""
    comes_from: dict[str, list[str]] = {}
    for name, transitions in document.transitions.items():
        for transition in transitions:
            if not transition.event.startswith("error"):
                comes_from.setdefault(transition.target, []).append(name)
    stops = [name for name, state in document.states() if ends(state) or _stops(document, name, state)]
    stops += document.loose
    can_end = reached(stops, lambda name: comes_from.get(name, ()))
    return [name for name, _ in document.states() if name not in can_end and document.transitions[name]]


def _stops(document: Document, name: str, state: State) -> bool:
    """Return whether a call can stop in a state: in what it invokes, or by an event that nothing handles."""
    if state.invoke and state.invoke.invoked and state.invoke.invoked.can_end:
        return True
    if any(action.may_lack_next for action in state.actions):
        return any(document.handler(name, event) is None for event in successes(state))
    return any(document.handler(name, event) is None for event in demanded(state) if not event.startswith("error"))


@ENDLESS.finder
def endless(document: Document) -> Iterator[Finding]:
    """Find loops that a caller never leaves without a valid answer: silent, always wrong, or on a failing line."""
    without_end = set(stuck(document))  # another check says so, and it is endless by nature
    transitions = [
        transition
        for several in document.transitions.values()
        for transition in several
        if transition.state not in without_end
        and document.is_known(transition.state)
        and not is_progress(document, transition)
    ]
    transitions, graph, together = rounds(document, transitions)
    for transition in {together[transition.state]: transition for transition in reversed(transitions)}.values():
        back = shortest(graph, transition.target, transition.state) or []
        problem = _endless([transition.state, *back], transition.target)
        yield document.finding(problem, (*transition.path, "target"))


def rounds(document: Document, transitions: list[Transition]) -> tuple[list[Transition], Graph, Mapping[str, int]]:
    """Return those of some transitions that are part of a loop, with their graph and its components.

    What a count of visits ends is taken away, until nothing falls apart any more.
    """
    counted = _counted(document)
    graph, together = _graph(transitions), dict[str, int]()
    for _ in range(ROUNDS):  # pragma: no branch  # each takes a counted transition away: no flow has so many
        graph = _graph(transitions)
        together = components(graph)
        circling = [
            transition for transition in transitions if together[transition.state] == together[transition.target]
        ]
        rest = [
            transition
            for transition in circling
            if not _comes_to_an_end(transition, counted.get(transition.path, frozenset()), graph)
        ]
        if len(rest) == len(transitions):
            break
        transitions = rest
    return transitions, graph, together


def _comes_to_an_end(transition: Transition, counted: frozenset[str], graph: Graph) -> bool:
    """Return whether every loop over a transition enters a state whose visits its guard limits."""
    if transition.branch.target == SELF:
        return False  # which enters nothing
    return any(shortest(graph, transition.target, transition.state, avoiding=state) is None for state in counted)


def is_progress(document: Document, transition: Transition) -> bool:
    """Return whether a transition is taken by a valid answer, or can be taken only once."""
    state = document.model.states[transition.state]
    if transition.event in {"hangup", "error.limit"}:
        return True
    if transition.branch.guard and isinstance(compiled(transition.branch.guard, bare=True), ExpressionError):
        return True  # another check says so; what it was to count is not known
    if transition.event in {*TRANSCRIPTION_ERRORS, "error.recording"}:
        return True  # the caller has spoken
    if state.invoke and state.invoke.invoked:
        return transition.event in successes(state) and transition.event not in state.invoke.invoked.without_answer
    return asking(state) and transition.event in {*successes(state), *state.understood, REFUSED}


def _graph(transitions: list[Transition]) -> Graph:
    graph: dict[str, dict[str, None]] = {}
    for transition in transitions:
        graph.setdefault(transition.state, {})[transition.target] = (
            None  # in their order, so that messages stay the same
        )
        graph.setdefault(transition.target, {})
    return graph


def _counted(document: Document) -> Mapping[Path, frozenset[str]]:
    """Return for each branch the states that must have been visited fewer than so many times for it to be taken."""
    found: dict[Path, frozenset[str]] = {}
    for transitions in document.transitions.values():
        failed: frozenset[str] = frozenset()
        for transition in transitions:
            if transition.path[-1] == 0:
                failed = frozenset()
            guard = compiled(transition.branch.guard, bare=True) if transition.branch.guard else None
            found[transition.path] = failed
            if isinstance(guard, Expression):
                found[transition.path] |= limited(guard.node, holds=True)
                failed |= limited(guard.node, holds=False)
    return found


def limited(node: tree.Node, *, holds: bool) -> frozenset[str]:
    """Return the states whose visits are under some number wherever a condition holds, or wherever it does not."""
    match node:
        case tree.Negation(of=of):
            return limited(of, holds=not holds)
        case tree.Both(left=left, right=right) | tree.Either(left=left, right=right):
            these, those = limited(left, holds=holds), limited(right, holds=holds)
            return these | those if isinstance(node, tree.Both) == holds else these & those
        case tree.Comparison(first=first, rest=(tree.Compared(comparator=comparator, value=value),)):
            below = _LESS if holds else _NOT_LESS
            for side, other, comparators in ((first, value, below), (value, first, {_TURNED[c] for c in below})):
                visited = tree.path(side) or ""
                if visited.startswith("visits.") and isinstance(other, tree.Constant) and comparator in comparators:
                    return frozenset({visited.removeprefix("visits.")})
    return frozenset()


_LESS: frozenset[tree.Comparator] = frozenset({"<", "<=", "=="})
_NOT_LESS: frozenset[tree.Comparator] = frozenset({">", ">=", "!="})
_TURNED: Mapping[tree.Comparator, tree.Comparator] = {
    "<": ">",
    "<=": ">=",
    "==": "==",
    ">": "<",
    ">=": "<=",
    "!=": "!=",
}


@DROPPED_RECORDING.finder
def dropped_recording(document: Document) -> Iterator[Finding]:
    """Find recordings that are never used if the caller hangs up after speaking (C13.3)."""
    readers = _readers(document)
    for name, state in document.states():
        if state.record is None or name in document.loose:
            continue
        kept = kept_in(name, state.record.into)
        for transition in document.transitions[name]:
            if transition.event not in {"recorded", *TRANSCRIPTION_ERRORS} or kept in readers.get(
                transition.path, frozenset()
            ):
                continue
            end = _end_unseen(document, transition, kept, readers)
            if end is not None:
                yield document.finding(_dropped(end), (*transition.path, "target"))


def _readers(document: Document) -> Mapping[Path, frozenset[str]]:
    """Return which variables each state reads, and each branch, by its place."""
    found: dict[Path, set[str]] = {}
    for use in uses(document):
        found.setdefault(use.branch or ("states", use.state or ""), set()).update(reads(use))
    return {place: frozenset(names) for place, names in found.items()}


def _end_unseen(
    document: Document, transition: Transition, kept: str, readers: Mapping[Path, frozenset[str]]
) -> str | None:
    """Follow a call after the caller has hung up, to the state where it can end before the recording is read.

    A final state counts as something made of it: the author decided that calls end there, and how.
    """
    waiting = [transition.target]
    seen = {transition.target}
    for name in waiting:  # grows while it is gone through
        state = document.model.states[name]
        if ends(state) or name in document.loose or kept in readers.get(("states", name), frozenset()):
            continue
        asks = asking(state)
        on = [other for other in document.transitions[name] if (other.event == "hangup") == asks]
        if asks and not on:
            return name
        for other in on:
            if other.target not in seen and kept not in readers.get(other.path, frozenset()):
                seen.add(other.target)
                waiting.append(other.target)
    return None
