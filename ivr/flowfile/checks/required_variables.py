"""The proof behind `requires`: on every way to a state, its variables are true (LANGUAGE C3).

True means what it means in a guard. A number, a date or a recording is true if there is one, which the knowledge of
`known_variables` says. A truth or a text may be there and be false, so what guards, `set` and `into` make of them is
followed here, in the same way: a fixed point over states, of what all ways to one have in common.
"""

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from ivr.engine.expressions import tree
from ivr.engine.expressions.compile import Expression, Template
from ivr.engine.flow import Variable
from ivr.engine.naming import is_of_user
from ivr.engine.values import Value
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.checks.known_variables import Known, known_of
from ivr.flowfile.document import Document, Transition, once
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.texts import compiled
from ivr.flowfile.variables import intos_of, variables
from ivr.nearest import did_you_mean

REQUIRES = Check(
    "requires",
    "error",
    "A variable that a state requires is not proved to be true on every way there.",
    group="Proofs",
    bad="""
variables: {known: false}
states:
  start: {decide: [{guard: call.from, set: {known: true}, target: account}, account]}
  account: {say: Your account is in credit., requires: [known], next: bye}
""",
    good="""
variables: {known: false}
states:
  start: {decide: [{guard: call.from, set: {known: true}, target: account}, bye]}
  account: {say: Your account is in credit., requires: [known], next: bye}
""",
)


@REQUIRES.message
def _no_such_variable(name: str, known: Sequence[str]) -> Text:
    return f'No variable is called "{name}".', did_you_mean(name, known)


@REQUIRES.message
def _not_proved(name: str, states: Sequence[str]) -> Text:
    found = f"It may be false or none on the path {' → '.join(states)}. " if states else ""
    return f'"{name}" is not proved to be true here.', f"{found}Guard the way, or set it before."


_WORD = re.compile(r"\w+")
True_: TypeAlias = frozenset[str]
"Variables that are true at some point."


@REQUIRES.finder
def required(document: Document) -> Iterator[Finding]:
    """Find what a state requires and not every way to it proves."""
    known = variables(document)
    for name, state in document.states():
        for number, variable in enumerate(state.requires):
            path = ("states", name, "requires", number)
            if variable not in known:
                yield document.finding(_no_such_variable(variable, [*known]), path)
            elif variable not in document.hidden_words and not _holds(document, name, variable):
                yield document.finding(_not_proved(variable, _way(document, name, variable)), path)


def _holds(document: Document, state: str, variable: str) -> bool:
    """Return whether a variable is true wherever a call comes to a state; no call comes to one that is not led to."""
    truths, known = _truths(document), known_of(document)
    return state not in truths or variable in truths[state] or _is_there(known, state, variable)


def _is_there(known: Known, state: str, variable: str) -> bool:
    """Return whether a variable whose values all count as true has one."""
    can_be_false = known.variables[variable].type.name in {"boolean", "text", "list", "mixed", "any"}
    return not can_be_false and known.knows(variable, known.on_entry[state])


@once
def _truths(document: Document) -> Mapping[str, True_]:
    """Return what is true on entering each state that a call can come to."""
    begins = ((name, one.default) for name, one in variables(document).items() if not is_of_user(name))
    begin = frozenset(name for name, default in begins if _is_true(default))
    found = {document.begins: begin}
    waiting = deque(found)
    while waiting:
        name = waiting.popleft()
        for transition in document.transitions.get(name, ()):
            before = found.get(transition.target)
            after = _after(document, transition, found[name])
            after = after if before is None else before & after
            if after != before:
                found[transition.target] = after
                waiting.append(transition.target)
    return found


def _after(document: Document, transition: Transition, true: True_) -> True_:
    """Return what is true once a transition is taken, from what was true on entering its state."""
    known = variables(document)
    state = document.model.states[transition.state]
    true = _set(state.set, true, known)
    for into in intos_of(transition.state, state):
        if into.stores_on(transition.event):
            # Keys may be none at all, or an empty text; and what an item of a list is is not known.
            is_empty = into.choice is not None or (state.keyed is not None and state.keyed.min_digits == 0)
            true = true - {into.variable} if is_empty else true | {into.variable}
    true |= _failed(document, transition)
    if transition.branch.guard:
        true |= proved_true(transition.branch.guard, True)
    return _set(transition.branch.set, true, known)


def _failed(document: Document, transition: Transition) -> True_:
    """Return what the guards of the branches before one prove by having been false."""
    *path, number = transition.path
    handler = document.handler(transition.state, transition.event)
    before = handler.branches[: int(number)] if handler is not None and handler.path == tuple(path) else ()
    return frozenset[str]().union(*(proved_true(branch.guard, False) for branch in before if branch.guard))


def _set(written: Mapping[str, str], true: True_, known: Mapping[str, Variable]) -> True_:
    """Return what is true after `set`: all right sides are computed first."""
    now = {name for name, text in written.items() if name in known and _makes_true(text, known[name], true)}
    return (true - written.keys()) | now


def _makes_true(text: str, variable: Variable, true: True_) -> bool:
    template = compiled(text, bare=False)
    if not isinstance(template, Template):
        return True  # another check says so
    if template.single is None:
        # A text with something put into it may still be blank.
        return template.literal and (text == "true" if variable.type.name == "boolean" else bool(text))
    node = template.single.node
    if isinstance(node, tree.Constant):
        return _is_true(node.value)
    return tree.path(node) in true


def _is_true(value: Value) -> bool:
    return value is not None and value is not False and value != ""


def proved_true(guard: str, holds: bool) -> True_:
    """Return the variables, and fields of them or of facts, that are true where a guard holds, or where it does not."""
    what = compiled(guard, bare=True)
    # Of one that cannot be read another check says so, and nothing follows from it.
    return _proved(what.node, holds) if isinstance(what, Expression) else frozenset(_WORD.findall(guard))


def _proved(node: tree.Node, holds: bool) -> True_:
    match node:
        case tree.Name() | tree.Field():
            return frozenset(filter(None, [tree.path(node)])) if holds else frozenset()
        case tree.Negation(of=of):
            return _proved(of, not holds)
        case tree.Both(left=left, right=right) | tree.Either(left=left, right=right):
            these, those = _proved(left, holds), _proved(right, holds)
            return these | those if isinstance(node, tree.Both) == holds else these & those
        case tree.Comparison(first=first, rest=(tree.Compared(comparator=comparator, value=value),)):
            return _compared(first, comparator, value, holds)
    return frozenset()


def _compared(first: tree.Node, comparator: str, value: tree.Node, holds: bool) -> True_:
    """Return what a comparison proves: what equals something true is true itself."""
    if isinstance(value, tree.Listed) and holds == (comparator == "in"):
        sides = [first]
        is_true = all(isinstance(item, tree.Constant) and _is_true(item.value) for item in value.items)
    elif comparator in {"==", "!="} and holds == (comparator == "=="):
        sides = [first, value]
        is_true = any(isinstance(side, tree.Constant) and _is_true(side.value) for side in sides)
    else:
        return frozenset()
    return frozenset(path for side in sides if is_true and (path := tree.path(side)))


def _way(document: Document, state: str, variable: str) -> Sequence[str]:
    """Return the states of a shortest way to a state on which a variable is not proved to be true."""
    begin = _truths(document)[document.begins]
    shortest: dict[tuple[str, bool], tuple[str, ...]] = {(document.begins, variable in begin): (document.begins,)}
    waiting = [(document.begins, begin)]
    for name, true in waiting:  # grows while it is gone through
        here = shortest[name, variable in true]
        for transition in document.transitions.get(name, ()):
            after = _after(document, transition, true)
            if (transition.target, variable in after) not in shortest:
                shortest[transition.target, variable in after] = (*here, transition.target)
                waiting.append((transition.target, after))
    return shortest.get((state, False), ())
