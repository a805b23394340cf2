"""Checks of transitions: each leads somewhere, and each state is led to (LANGUAGE C3, C6, C7)."""

from collections.abc import Iterator

from ivr.engine.flow import SELF
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.document import Document, Handler, action_of
from ivr.flowfile.events import SHARED, asking, ends, fits, successes, with_statuses
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.reachability import reached
from ivr.flowfile.source import Path
from ivr.nearest import nearest

NO_TARGET = Check(
    "no-target",
    "error",
    "A state has no transition and is not final.",
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
    "A transition leads to a state that does not exist.",
    group="Shape",
    fixable=True,
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
    "No call can reach a state.",
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
    "A branch follows one that is always taken.",
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
    "All branches have guards, so it is possible that none is taken.",
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
    "An event is handled in both `next` and `on`.",
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


@NO_TARGET.message
def _no_transition(state: str) -> Text:
    return f'"{state}" has no transition.', 'Add "next", or "final: true".'


@UNKNOWN_TARGET.message
def _no_such_state(target: str, meant: str | None, line: int, is_end: bool) -> Text:
    advice = 'To end the call, add "final: true" to the state.' if is_end else ""
    return f'No state is called "{target}".', f'Did you mean "{meant}" (line {line})?' if meant else advice


@UNKNOWN_TARGET.message
def _nothing_to_repeat() -> Text:
    return '"self" repeats a question, but none is asked here.', "Write the name of a state."


@UNREACHABLE.message
def _unreachable(state: str) -> Text:
    return f'No call can reach "{state}".', "Add a transition to it, or delete it."


@UNREACHABLE_BRANCH.message
def _after_unguarded() -> Text:
    return "This branch is never tried: the branch before it has no guard.", "Add a guard to that one, or put it last."


@NO_OTHERWISE.message
def _no_last_branch() -> Text:
    return "If this guard is false, no branch is taken.", "Add a last branch without a guard."


@TWO_WAYS.message
def _next_beside_decide() -> Text:
    return '"decide" contains all transitions, so "next" is never used.', 'Delete "next".'


@TWO_WAYS.message
def _every_one_handled(named: str) -> Text:
    return f'"on" handles every {named}, so "next" is never used.', 'Delete "next".'


@TWO_WAYS.message
def _handled_twice(event: str) -> Text:
    return f'"{event}" is handled twice: here and by "next".', "Delete one of them."


_NAMED = {"menu": "choice", "split": "share", "invoke": "name that the flow returns"}
"Actions with several events of success, and what names them."
END_WORDS = frozenset({"end", "exit", "final", "finish", "hangup", "quit", "stop"})
"What authors call a state that they expect to exist without being written."


@NO_TARGET.finder
def no_target(document: Document) -> Iterator[Finding]:
    """Find states without a transition that are not final."""
    for name, state in document.states():
        has_transition = state.next is not None or state.on or state.decide is not None
        may_lack_one = ends(state) or any(action.may_lack_next for action in state.actions)
        if not has_transition and not may_lack_one and document.is_known(name):
            yield document.finding(_no_transition(name), ("states", name), key=True)


@UNKNOWN_TARGET.finder
def unknown_target(document: Document) -> Iterator[Finding]:
    """Find targets that do not exist, and `self` where nothing was asked (C6.8)."""
    if document.model.initial not in document.known_names and document.is_sound("initial"):
        yield _unknown(document, ("initial",), document.model.initial)
    for name, state in document.states():
        for _, handler in document.written(name):
            yield from _targets(document, handler, can_ask=asking(state))
        if state.next is not None and action_of(state) is None:  # its events are not known
            yield from _targets(document, Handler(tuple(state.next), ("states", name, "next")), can_ask=True)
    possible = with_statuses(SHARED, document.shared)
    for event, handler in document.shared.items():
        is_unknown = not fits(event, possible)  # which the check `never` says
        yield from _targets(document, handler, can_ask=is_unknown or event in document.raised_at_questions)


def _targets(document: Document, handler: Handler, *, can_ask: bool) -> Iterator[Finding]:
    for number, branch in enumerate(handler.branches):
        path = (*handler.path, number, "target")
        if branch.target == SELF and not can_ask:
            yield document.finding(_nothing_to_repeat(), path)
        elif branch.target != SELF and branch.target not in document.known_names:
            yield _unknown(document, path, branch.target)


def _unknown(document: Document, path: Path, target: str) -> Finding:
    meant = nearest(target, document.names)
    line = document.line("states", meant) if meant else 0
    fix = document.source.renaming(path, target, document.names)
    return document.finding(_no_such_state(target, meant, line, is_end=target.lower() in END_WORDS), path, fix=fix)


@UNREACHABLE.finder
def unreachable(document: Document) -> Iterator[Finding]:
    """Find states that no call can reach."""
    found = reached([document.begins], lambda word: _targets_of(document, word))
    lost = [word for word, _ in document.states() if word not in found]
    shown: frozenset[str] = frozenset()
    led_to = {target for word in lost for target in document.leads[word] if target != word}
    for word in sorted(lost, key=lambda word: word in led_to):  # those first that are not led to from others
        if word not in shown:
            yield document.finding(_unreachable(word), ("states", word), key=True)
            shown |= reached([word], lambda word: _targets_of(document, word))  # which is only what follows


def _targets_of(document: Document, word: str) -> Iterator[str]:
    yield from document.leads.get(word, ())
    # Transitions of a final state are an error of another check; where they lead, a call was meant to go.
    state = document.model.states.get(word)
    for _, handler in document.written(word) if state is not None and ends(state) else ():
        yield from (branch.target for branch in handler.branches if branch.target in document.model.states)


@UNREACHABLE_BRANCH.finder
def unreachable_branch(document: Document) -> Iterator[Finding]:
    """Find branches that follow one without a guard."""
    for handler in document.all_handlers():
        for number, branch in enumerate(handler.branches[:-1]):
            if branch.guard is None:
                yield document.finding(_after_unguarded(), (*handler.path, number + 1))
                break


@NO_OTHERWISE.finder
def no_otherwise(document: Document) -> Iterator[Finding]:
    """Find handlers whose last branch has a guard, so that none may be taken (C7)."""
    for handler in document.all_handlers():
        if handler.branches[-1].guard is not None and document.is_sound(*handler.path):
            yield document.finding(_no_last_branch(), (*handler.path, len(handler.branches) - 1, "guard"))


@TWO_WAYS.finder
def two_transitions(document: Document) -> Iterator[Finding]:
    """Find events that both `next` and `on` handle (C3)."""
    for word, state in document.states():
        if state.decide is not None and state.next is not None:
            yield document.finding(_next_beside_decide(), ("states", word, "next"), key=True)
        several = successes(state)
        twice = [event for event in several if event in state.on]
        if state.next is None or not twice or len(twice) < len(several):
            continue  # `next` is for those that are not in `on`
        if named := _NAMED.get(action_of(state) or ""):
            yield document.finding(_every_one_handled(named), ("states", word, "next"), key=True)
        else:
            yield document.finding(_handled_twice(twice[0]), ("states", word, "on", twice[0]), key=True)
