"""Checks of transitions: each leads somewhere, and each state is led to (LANGUAGE C3, C6, C7)."""

from collections.abc import Iterator

from ivr.engine.flow import SELF
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.document import Document, Handler, action_of
from ivr.flowfile.events import asking, ends, successes
from ivr.flowfile.finding import Finding
from ivr.flowfile.reachability import reached
from ivr.flowfile.source import Path
from ivr.nearest import nearest

NO_TARGET = Check(
    "no-target",
    "error",
    "A state or a branch leads nowhere.",
    group="Shape",
    bad="""
start: {decide: [{guard: call.from, target: known}, bye]}
known: {say: Hello.}
""",
    good="""
start: {decide: [{guard: call.from, target: known}, bye]}
known: {say: Hello., next: bye}
""",
)

UNKNOWN_TARGET = Check(
    "unknown-target",
    "error",
    "A target is no state.",
    group="Shape",
    bad="""
start: {say: Hello., next: by}
""",
    good="""
start: {say: Hello., next: bye}
""",
)

UNREACHABLE = Check(
    "unreachable",
    "error",
    "No call can come to a state.",
    group="Shape",
    bad="""
start: {say: Hello., next: bye}
hours: {say: We are open from nine to five., next: bye}
""",
    good="""
start: {say: Hello., next: hours}
hours: {say: We are open from nine to five., next: bye}
""",
)

UNREACHABLE_BRANCH = Check(
    "unreachable-branch",
    "error",
    "A branch stands behind one that is always taken.",
    group="Shape",
    bad="""
start:
  say: Hello.
  next: [bye, {guard: call.from, target: known}, bye]
known: {say: Good to hear you., next: start_again}
start_again: {decide: [{guard: visits.known < 2, target: known}, bye]}
""",
    good="""
start:
  say: Hello.
  next: [{guard: call.from, target: known}, bye]
known: {say: Good to hear you., next: bye}
""",
)

NO_OTHERWISE = Check(
    "no-otherwise",
    "error",
    "All branches have guards, so there may be no way on.",
    group="Shape",
    bad="""
start:
  say: Hello.
  next: [{guard: call.from, target: bye}]
""",
    good="""
start:
  say: Hello.
  next: [{guard: call.from, target: bye}, withheld]
withheld: {say: Your number is withheld., next: bye}
""",
)

TWO_WAYS = Check(
    "two-ways",
    "error",
    "An event stands in `next` and in `on`.",
    group="Shape",
    bad="""
start:
  say: Hello.
  next: bye
  on: {done: bye}
""",
    good="""
start:
  say: Hello.
  next: bye
""",
)


END_WORDS = frozenset({"end", "exit", "final", "finish", "hangup", "quit", "stop"})
"What authors call a state that they think is there without being written."


@NO_TARGET.finder
def no_target(document: Document) -> Iterator[Finding]:
    """Find states that lead nowhere."""
    for name, state in document.states():
        has_transition = state.next is not None or state.on or state.decide is not None
        if not has_transition and not ends(state) and document.is_known(name):
            message, advice = f'"{name}" leads nowhere.', 'Give it "next", or "final: true".'
            yield document.finding("no-target", ("states", name), message, advice, key=True)


@UNKNOWN_TARGET.finder
def unknown_target(document: Document) -> Iterator[Finding]:
    """Find targets that are no state, and `self` where nothing was asked (C6.8)."""
    if document.model.initial not in document.known_names and document.is_sound("initial"):
        yield _unknown(document, ("initial",), document.model.initial)
    for name, state in document.states():
        for _, handler in document.written(name):
            yield from _targets(document, handler, can_ask=asking(state))
        if state.next is not None and action_of(state) is None:  # whose events nobody knows
            yield from _targets(document, Handler(tuple(state.next), ("states", name, "next")), can_ask=True)
    for event, handler in document.shared.items():
        yield from _targets(document, handler, can_ask=event in {"exhausted", "empty"})


def _targets(document: Document, handler: Handler, *, can_ask: bool) -> Iterator[Finding]:
    for number, branch in enumerate(handler.branches):
        path = (*handler.path, number, "target")
        if branch.target == SELF and not can_ask:
            message = '"self" asks the question again, and here none was asked.'
            yield document.finding("unknown-target", path, message, "Name a state.")
        elif branch.target != SELF and branch.target not in document.known_names:
            yield _unknown(document, path, branch.target)


def _unknown(document: Document, path: Path, target: str) -> Finding:
    meant = nearest(target, document.names)
    advice = f'Did you mean "{meant}" (line {document.line("states", meant)})?' if meant else ""
    if not meant and target.lower() in END_WORDS:
        advice = 'To end the call, give the state "final: true".'
    return document.finding("unknown-target", path, f'No state is called "{target}".', advice)


@UNREACHABLE.finder
def unreachable(document: Document) -> Iterator[Finding]:
    """Find states that no call can come to."""
    found = reached([document.begins], lambda word: _targets_of(document, word))
    lost = [word for word, _ in document.states() if word not in found]
    told: frozenset[str] = frozenset()
    led_to = {target for word in lost for target in document.leads[word] if target != word}
    for word in sorted(lost, key=lambda word: word in led_to):  # those first that are not led to from others
        if word not in told:
            message = f'No call can come to "{word}".'
            yield document.finding("unreachable", ("states", word), message, "Lead to it, or delete it.", key=True)
            told |= reached([word], lambda word: _targets_of(document, word))  # which is only what follows


def _targets_of(document: Document, word: str) -> Iterator[str]:
    yield from document.leads.get(word, ())
    # Ways out of a final state are a mistake that has been told; where they lead, a call was meant to come.
    state = document.model.states.get(word)
    for _, handler in document.written(word) if state is not None and ends(state) else ():
        yield from (branch.target for branch in handler.branches if branch.target in document.model.states)


@UNREACHABLE_BRANCH.finder
def unreachable_branch(document: Document) -> Iterator[Finding]:
    """Find branches behind one that is always taken."""
    for handler in document.all_handlers():
        for number, branch in enumerate(handler.branches[:-1]):
            if branch.guard is None:
                message = "This branch is never tried: the one before it has no guard."
                advice = "Give that one a guard, or put it last."
                yield document.finding("unreachable-branch", (*handler.path, number + 1), message, advice)
                break


@NO_OTHERWISE.finder
def no_otherwise(document: Document) -> Iterator[Finding]:
    """Find handlers whose last branch has a guard, so that there may be no way at all (C7)."""
    for handler in document.all_handlers():
        if handler.branches[-1].guard is not None and document.is_sound(*handler.path):
            path = (*handler.path, len(handler.branches) - 1, "guard")
            message = "If this guard is false, there is no way on."
            yield document.finding("no-otherwise", path, message, "End with a branch without a guard.")


@TWO_WAYS.finder
def two_transitions(document: Document) -> Iterator[Finding]:
    """Find events that both `next` and `on` name (C3)."""
    for word, state in document.states():
        if state.decide is not None and state.next is not None:
            message, advice = '"decide" names its ways itself, so "next" is never used.', "Delete it."
            yield document.finding("two-ways", ("states", word, "next"), message, advice, key=True)
        twice = [event for event in successes(state) if event in state.on]
        if state.next is None or not twice or (state.menu and len(twice) < len(state.menu.choices)):
            continue
        if state.menu:
            message, advice = 'Every choice is in "on", so "next" is never used.', "Delete it."
            yield document.finding("two-ways", ("states", word, "next"), message, advice, key=True)
        else:
            message = f'"{twice[0]}" has two ways: here and in "next".'
            yield document.finding("two-ways", ("states", word, "on", twice[0]), message, "Keep one of them.", key=True)
