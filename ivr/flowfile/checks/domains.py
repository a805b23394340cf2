"""What the atoms of a guard can come to, found by trying values that stand for all others.

A guard sees moments, days and times of day through its own constants: between `'08:00'` and `'17:00'` one time is as
good as another, and seven days are all weekdays. So a handful of values stands for all; what else varies is compared
with constants, and a handful stands for it as well. Whatever is too much for that, or not understood, may be true or
false.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import TypeAlias

from msgspec import Struct

from ivr.engine.expressions import tree
from ivr.engine.expressions.check import infer
from ivr.engine.expressions.clock import ORDERS
from ivr.engine.expressions.compile import Expression, runner
from ivr.engine.expressions.operations import kind, truth
from ivr.engine.expressions.types import Type
from ivr.engine.naming import parted
from ivr.engine.values import Value
from ivr.errors import ExpressionFailed
from ivr.flowfile.checks.moments import Aspect, Moments, aspects_of
from ivr.flowfile.checks.names import Env
from ivr.flowfile.checks.samples import Samples

MOST = 20_000
"Combinations of values that are tried for atoms which belong together."

_MOMENTS = frozenset({"date", "time", "datetime"})
_PLAIN = frozenset({"text", "integer", "decimal", "boolean"})

Signature: TypeAlias = Mapping[Hashable, bool | None]
"By the meaning of an atom whether it holds; None: not known."


class Dimension(Struct, frozen=True):
    """Something that varies from call to call, with values that stand for all."""

    key: Hashable
    values: Sequence[Value]


class Atom(Struct, frozen=True):
    """A condition, and what it depends on."""

    meaning: Hashable
    dimensions: tuple[Dimension, ...] = ()
    holds: Callable[[Mapping[Hashable, Value]], bool] | None = None
    "From a value for each dimension; None: not known."


class Domains:
    """The atoms of guards that are asked at one moment."""

    def __init__(self, nodes: Iterable[tree.Node], env: Env, constants: Mapping[str, Value], samples: Samples) -> None:
        self.nodes = {tree.meaning(node): node for node in nodes}
        self.env = env
        self.constants = constants
        self.samples = samples
        self.parts = [part for node in self.nodes.values() for part in tree.walk(node)]
        # A guard that asks whether something exists may know more than the types, or look twice: not a mistake.
        self.doubted = {tree.meaning(part.of) for part in self.parts if isinstance(part, tree.IsNone)}
        read = {path for node in self.nodes.values() for path in tree.paths(node)}
        kept = sorted(read & constants.keys())
        self.kept = [constants[path] for path in kept]
        self.kept_kinds = {path: kind(constants[path]) for path in kept}
        self.moments = Moments(self.parts, self.kept)

    def signatures(self) -> Iterator[list[Signature]]:
        """Return for each group of atoms that depend on the same things what they can come to together."""
        waiting = [self._atom(meaning, node) for meaning, node in self.nodes.items()]
        while waiting:
            group = [waiting.pop()]
            for atom in group:  # grows while it is gone through
                keys = {dimension.key for dimension in atom.dimensions}
                near = [other for other in waiting if any(each.key in keys for each in other.dimensions)]
                waiting = [other for other in waiting if other not in near]
                group += near
            yield _tried(group)

    # --- one atom ---

    def _atom(self, meaning: Hashable, node: tree.Node) -> Atom:
        reads = set(tree.paths(node))
        varying = reads - self.constants.keys()
        moments = {path for path in varying if self._type(_whole(path)).name in _MOMENTS}
        if reads and not varying:
            return Atom(meaning)  # a switch that is set by hand, in the file
        if moments == varying:
            return self._of_moments(meaning, node, sorted(moments))
        return Atom(meaning) if moments else self._of_values(meaning, node)

    def _type(self, node: tree.Node) -> Type:
        return infer(Expression("", node), self.env)[0]

    def _of_moments(self, meaning: Hashable, node: tree.Node, paths: Sequence[str]) -> Atom:
        """Return the days and times of day that a condition on moments, or on nothing at all, depends on."""
        types = {path: self._type(_whole(path)) for path in paths}
        kinds = {path: type_.name for path, type_ in types.items()}
        needed: dict[tuple[str, Aspect], list[Value]] = {}
        for path, aspect in aspects_of(node, kinds, self.kept_kinds):
            values = needed.setdefault((_root(path), aspect), [*self.moments.of(aspect)])
            if self._may_be_none(_whole(path), types[path]) and None not in values:
                values.append(None)
        run = self._run(node, {tree.meaning(_whole(path)): path for path in paths})

        def holds(given: Mapping[Hashable, Value]) -> bool:
            return run({path: self.moments.made(kinds[path], _root(path), given) for path in paths})

        return Atom(meaning, tuple(Dimension(key, values) for key, values in needed.items()), holds)

    def _of_values(self, meaning: Hashable, node: tree.Node) -> Atom:
        """Return a condition on other things with the values of them that it is to be tried with."""
        subjects = self._subjects(node)
        dimensions = tuple(Dimension(tree.meaning(subject), self._values(subject)) for subject in subjects)
        if not all(dimension.values for dimension in dimensions) or not dimensions:
            return Atom(meaning)
        names = {tree.meaning(subject): f"#{number}" for number, subject in enumerate(subjects)}
        run = self._run(node, names)
        return Atom(meaning, dimensions, lambda given: run({name: given[subject] for subject, name in names.items()}))

    def _values(self, subject: tree.Node) -> list[Value]:
        type_ = self._type(subject)
        values = [*self.samples.of(tree.path(subject) or "", type_, self.parts, self.kept)]
        return [*values, None] if values and self._may_be_none(subject, type_) else values

    def _may_be_none(self, node: tree.Node, type_: Type) -> bool:
        return type_.optional or tree.meaning(node) in self.doubted

    def _subjects(self, node: tree.Node) -> list[tree.Node]:
        """List what varies in a condition, each as a whole; none, if that is not understood."""
        match node:
            case tree.IsNone(of=of):
                return [of]
            case tree.Comparison(first=first, rest=(tree.Compared(comparator=comparator, value=value),)):
                sides = [first, *(value.items if isinstance(value, tree.Listed) else [value])]
                varying = [_inside(side) for side in sides if set(tree.paths(side)) - self.constants.keys()]
                kinds = {self._type(side).name for side in varying}
                # Of a piece of a text it is known whether it can be in it; of what it is looked for in, it must be all.
                is_piece = comparator in {"in", "not in"} and not isinstance(value, tree.Listed)
                is_clear = not (comparator in ORDERS and "text" in kinds) and not (is_piece and len(varying) > 1)
                is_clear = is_clear and not (is_piece and varying == [_inside(first)])
                return varying if is_clear and kinds <= _PLAIN else []
            case _:
                return [_inside(node)]

    def _run(self, node: tree.Node, names: Mapping[Hashable, str]) -> Callable[[Mapping[str, Value]], bool]:
        run = runner(tree.replaced(node, {meaning: _name(name) for meaning, name in names.items()}))
        return lambda given: truth(run({**self.constants, **self.moments.zone, **given}))


def _name(path: str) -> tree.Node:
    return tree.Name(0, 0, path)


def _whole(path: str) -> tree.Node:
    root, fields = parted(path)
    node: tree.Node = tree.Name(0, 0, root)
    for field in fields:
        node = tree.Field(0, 0, node, field)
    return node


def _inside(node: tree.Node) -> tree.Node:
    """Take away what only changes the letters of a text."""
    while isinstance(node, tree.Filtered) and node.filter in {"lower", "upper", "trim"}:
        node = node.of
    return node


def _root(path: str) -> str:
    """Return what a moment depends on: `today` is the day of `now`."""
    return "now" if path == "today" else path


def _tried(group: Sequence[Atom]) -> list[Signature]:
    """Try all combinations of values for some atoms."""
    if group[0].holds is None:
        [atom] = group
        return [{atom.meaning: True}, {atom.meaning: False}]
    dimensions = {each.key: each.values for atom in group for each in atom.dimensions}
    if prod(map(len, dimensions.values())) > MOST:
        return [{atom.meaning: None for atom in group}]
    found = {
        tuple(_holds(atom, dict(zip(dimensions, values, strict=True))) for atom in group)
        for values in product(*dimensions.values())
    }
    return [{atom.meaning: held for atom, held in zip(group, each, strict=True)} for each in found]


def _holds(atom: Atom, given: Mapping[Hashable, Value]) -> bool | None:
    try:
        return atom.holds(given) if atom.holds is not None else None
    except ExpressionFailed:
        return None  # such as none, where another condition is asked first
