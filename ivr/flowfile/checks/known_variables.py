"""What is known of the variables at each point of a flow: which have a value, and of which type (LANGUAGE C10).

A *fact* is a dotted path that is not `none`: `issue`, or `issue.transcript` after a guard. "Known on every path here"
is a fixed point over states: what is known on entering one is what all paths to it have in common. Following the paths
one by one would take too long: fourteen questions that can be skipped are sixteen thousand paths.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache, reduce
from operator import and_, or_
from typing import TypeAlias

from msgspec import Struct

from ivr.engine.expressions import tree
from ivr.engine.expressions.check import infer
from ivr.engine.expressions.compile import Expression, Template
from ivr.engine.expressions.narrow import narrowed, overlaid, proved
from ivr.engine.expressions.types import TEXT, Type, optional, present
from ivr.engine.naming import is_name, parted, without_user
from ivr.flowfile.actions.base import kept_in
from ivr.flowfile.checks.names import Env, choice_at, facts_of_call, fields_at, fields_of, handled, left_to_flow
from ivr.flowfile.document import Document, Transition
from ivr.flowfile.events import successes
from ivr.flowfile.model import State
from ivr.flowfile.source import Path
from ivr.flowfile.texts import REMEMBERED, Use, compiled, reads, root
from ivr.flowfile.variables import intos_of, item_type, variables

Facts: TypeAlias = int
"A bit for each fact, as `Known` numbers them."
Paths: TypeAlias = frozenset[str]

NOTHING: Facts = 0


class Scene(Struct, frozen=True):
    """What an expression can read where it stands."""

    env: Env
    unset: frozenset[str]
    "Variables it reads that may have no value there; they are not in `env`."


class Change(Struct, frozen=True):
    """What a step does to what is known."""

    forgets: Facts
    "Of variables that get a new value: what was known of the old one means nothing any more."
    learns: Facts

    def applied(self, facts: Facts) -> Facts:
        """Return what is known afterwards."""
        return (facts & ~self.forgets) | self.learns


class _Types(Mapping[str, Type]):
    """The types of all names at one moment, each worked out when it is asked for."""

    def __init__(self, known: "Known", facts: Facts, more: Env) -> None:
        """Take the facts of the moment, and the names beside the variables."""
        self._known = known
        self._facts = facts
        self._more = more

    def __getitem__(self, name: str) -> Type:
        if name in self._more:
            return self._more[name]
        type_ = self._known.type_of(name, self._facts)
        if type_ is None:
            raise KeyError(name)
        return type_

    def __iter__(self) -> Iterator[str]:
        """Go through the names, as a suggestion does that looks for the nearest."""
        names = dict.fromkeys([*self._known.constant, *self._known.variables, *self._more])
        return (name for name in names if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


@lru_cache(maxsize=1)
def known_of(document: Document) -> "Known":
    """Return the knowledge of a document, which several checks ask for one after another."""
    return Known(document)


class Known:
    """The knowledge of one document; all its transitions should be known."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.variables = variables(document)
        self.constant = facts_of_call(document)
        self._moments: dict[tuple[str | None, str, str, str], tuple[Facts, Env]] = {}
        provable = (path for path in _provable(document) if root(path) in self.variables)
        self._bits = _numbered([*self.variables, *provable])
        self._paths: dict[str, list[str]] = {}
        "By variable: what can be known of its fields."
        for path in self._bits:
            if root(path) != path:
                self._paths.setdefault(root(path), []).append(path)
        unnamed = {kept_in(name, None) for name, _ in document.states()}
        self.odd_names = [name for name in self.variables if not is_name(without_user(name)) and name not in unnamed]
        "Variables that no expression can name: their names are invalid, which another check says."
        self.declared: Env = {**self.constant, **{name: variable.type for name, variable in self.variables.items()}}

    # --- what an expression can read ---------------------------------------------------------------------------------

    def scene(self, use: Use) -> Scene:
        """Return what is known where an expression stands."""
        facts, env = self._moment(use)
        proved_here = self._failed.get(use.branch, frozenset()).union(*(proofs(guard, True) for guard in use.guards))
        for name, listed in use.items:
            env = overlaid(env, {name: item_type(listed, env)})
        env = _with(env, proved_here)
        if use.sets:  # what a guard proved of an old value says nothing of the new one
            changed = self._setting(use.sets, env).applied(facts)
            after = {name: self.type_of(name, changed) for name in use.sets if name in self.variables}
            env = overlaid(env, {name: type_ for name, type_ in after.items() if type_ is not None})
        return Scene(env, frozenset(name for name in reads(use) if name in self.variables and name not in env))

    def _moment(self, use: Use) -> tuple[Facts, Env]:
        """Return what is known at a moment, before any guard; a state has few, with many expressions at each."""
        choice = choice_at(self.document, use)
        key = (use.state, use.moment, use.event, choice.name if choice else "")
        if key not in self._moments:
            facts = self._facts(use)
            more = dict(fields_at(self.document, use))
            if choice:
                more["key"] = TEXT if choice.has_key else optional(TEXT)
            if choice and choice.foreach:
                more[choice.event] = item_type(choice.foreach, _Types(self, facts, {}))
            self._moments[key] = (facts, _Types(self, facts, more))
        return self._moments[key]

    def knows(self, name: str, facts: Facts) -> bool:
        """Return whether something is known not to be `none`: a variable, or a field of one."""
        return bool(facts & self._bits[name])

    def type_of(self, name: str, facts: Facts) -> Type | None:
        """Return the type of a name, as far as facts tell; None: it may have no value, or there is no such name."""
        if name not in self.variables:
            return self.constant.get(name)
        type_ = self.variables[name].type
        if not self.knows(name, facts) and not type_.optional:
            return None
        paths = [path for path in self._paths.get(name, ()) if self.knows(path, facts)]
        type_ = present(type_) if self.knows(name, facts) else type_
        return _with({name: type_}, frozenset(paths))[name]

    def bits(self, paths: Iterable[str]) -> Facts:
        """Return these facts; what is known of other names than variables is left out."""
        return reduce(or_, (self._bits.get(path, NOTHING) for path in paths), NOTHING)

    def _about(self, names: Iterable[str]) -> Facts:
        """Return all that can be known of some variables."""
        return self.bits(path for name in names for path in (name, *self._paths.get(name, ())))

    def _facts(self, use: Use) -> Facts:
        """Return what is known before any `set` of a transition."""
        if use.state is not None:
            entry = self.on_entry.get(use.state, self._all)
            if use.moment == "entry":
                return entry
            if use.moment == "confirm":
                return self._at_events(use.state, successes(self.document.model.states[use.state]))
            if use.moment != "transition":
                return self._inside[use.state].applied(entry)
            return self._at_events(use.state, handled(self.document, use.state, use.event))
        if not use.event:
            return self._defaults  # a text of `defaults`, said in any state
        leaving: dict[str, list[str]] = {}
        for state, event in left_to_flow(self.document, use.event):
            leaving.setdefault(state, []).append(event)
        return reduce(and_, (self._at_events(state, events) for state, events in leaving.items()), self._all)

    def _at_events(self, state: str, events: Iterable[str]) -> Facts:
        inside = self._inside[state].applied(self.on_entry.get(state, self._all))
        known = [self._storing(state, event).applied(inside) for event in events]
        return reduce(and_, known) if known else inside

    # --- what is known on every path ---------------------------------------------------------------------------------

    @cached_property
    def on_entry(self) -> Mapping[str, Facts]:
        """Return what is known on entering each state, before its `set`; where no call can come to, nothing is."""
        known: dict[str, Facts] = {}
        if self.document.begins in self.document.model.states:
            known[self.document.begins] = self._defaults
        waiting = deque(known)
        while waiting:
            name = waiting.popleft()
            for target, facts in self.leaving(name, known[name]):
                before = known.get(target)
                now = facts if before is None else before & facts
                if now != before:
                    known[target] = now
                    waiting.append(target)
        return known

    def leaving(self, name: str, facts: Facts) -> Iterator[tuple[str, Facts]]:
        """Return for each transition its target and what is known there, from what is known on entering the state."""
        inside = self._inside[name].applied(facts)
        for transition, changes in self._transitions[name]:
            known = inside
            for change in changes:
                known = change.applied(known)
            yield transition.target, known

    @cached_property
    def _defaults(self) -> Facts:
        return self.bits(name for name, variable in self.variables.items() if variable.default is not None)

    @cached_property
    def _all(self) -> Facts:
        return self.bits(self.variables)

    @cached_property
    def _inside(self) -> Mapping[str, Change]:
        return {name: self._inside_of(name, state.set) for name, state in self.document.states()}

    def _inside_of(self, name: str, written: Mapping[str, str]) -> Change:
        """Return what being in a state does; what stands in a part of it that was cut out may have been set there."""
        change = self._setting(written, self.declared)
        hidden = self.document.hidden.get(name)
        return Change(change.forgets, change.learns | self.bits(hidden)) if hidden else change

    @cached_property
    def _failed(self) -> Mapping[Path, Paths]:
        """Return for each branch what the guards before it prove by being false."""
        known: dict[Path, Paths] = {}
        for handler in self.document.all_handlers():
            facts: Paths = frozenset()
            for number, branch in enumerate(handler.branches):
                known[(*handler.path, number)] = facts
                facts |= proofs(branch.guard, False) if branch.guard else frozenset()
        return known

    @cached_property
    def _transitions(self) -> Mapping[str, list[tuple[Transition, tuple[Change, ...]]]]:
        return {
            name: [(transition, self._changes(transition)) for transition in several]
            for name, several in self.document.transitions.items()
        }

    def _changes(self, transition: Transition) -> tuple[Change, ...]:
        learnt = self._failed[transition.path] | (
            proofs(transition.branch.guard, True) if transition.branch.guard else frozenset()
        )
        env = (
            _with(
                overlaid(self.declared, fields_of(self.document.model.states[transition.state], transition.event)),
                learnt,
            )
            if transition.branch.set
            else {}
        )
        storing = self._storing(transition.state, transition.event)
        return storing, Change(NOTHING, self.bits(learnt)), self._setting(transition.branch.set, env)

    def _storing(self, state: str, event: str) -> Change:
        """Return what `into` does on an event."""
        written = self.document.model.states[state]
        kept = tuple(into.variable for into in intos_of(state, written) if into.stores_on(event))
        certain = (variable for variable in kept if not self._may_be_left_out(written, variable))
        return Change(self._about(kept), self.bits(certain))

    def _may_be_left_out(self, state: State, variable: str) -> bool:
        """Return whether the terminator alone is an answer here, and makes the variable `none`."""
        kept = self.variables[variable]
        is_plain_text = kept.type.name == "text" and not kept.values  # an empty text is a text
        return bool(state.keyed and state.keyed.min_digits == 0 and kept.type.optional and not is_plain_text)

    def _setting(self, written: Mapping[str, str], env: Env) -> Change:
        """Return what `set` does."""
        names = [name for name in written if name in self.variables]
        # Only who may be none can become none; else what stores it is the mistake, not what reads it.
        kept = (
            name for name in names if not self.variables[name].type.optional or not _may_be_none(written[name], env)
        )
        return Change(self._about(names), self.bits(kept))


def _may_be_none(text: str, env: Env) -> bool:
    template = compiled(text, bare=False)
    if not isinstance(template, Template) or template.single is None:
        return False
    type_, _ = infer(template, env)
    return type_.optional and type_.name != "any"


@lru_cache(maxsize=REMEMBERED)
def proofs(guard: str, holds: bool) -> Paths:  # a key of the cache
    """Return what a guard proves by being true, or by being false."""
    what = compiled(guard, bare=True)
    return proved(what.node, holds) if isinstance(what, Expression) else frozenset()


def _provable(document: Document) -> Iterator[str]:
    """Go through all that the guards of a flow prove."""
    for handler in document.all_handlers():
        for branch in handler.branches:
            if branch.guard:
                yield from sorted(proofs(branch.guard, True) | proofs(branch.guard, False))


def _numbered(paths: Iterable[str]) -> Mapping[str, Facts]:
    return {path: 1 << number for number, path in enumerate(dict.fromkeys(paths))}


def _with(env: Env, facts: Paths) -> Env:
    """Return the same names, with types that these facts leave."""
    nodes = [_node(fact) for fact in sorted(facts) if root(fact) in env]
    return narrowed(env, _all_of(nodes), holds=True) if nodes else env


def _all_of(nodes: list[tree.Node]) -> tree.Node:
    """Join conditions by `and`, as a tree of little depth."""
    if len(nodes) == 1:
        return nodes[0]
    middle = len(nodes) // 2
    return tree.Both(0, 0, _all_of(nodes[:middle]), _all_of(nodes[middle:]))


def _node(path: str) -> tree.Node:
    root, fields = parted(path)
    node: tree.Node = tree.Name(0, 0, root)
    for field in fields:
        node = tree.Field(0, 0, node, field)
    return node
