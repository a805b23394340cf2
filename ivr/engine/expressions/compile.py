"""Compile expressions and templates of a flow to something that can be evaluated (LANGUAGE C11).

Each node becomes a function of the names that calls the functions of its parts: made once, when the flow is loaded.
"""

from collections.abc import Callable, Mapping
from functools import cached_property, singledispatch
from typing import TypeAlias

from ivr.engine.expressions import operations, tree
from ivr.engine.expressions.calendar import moved
from ivr.engine.expressions.clock import comparing
from ivr.engine.expressions.filters import FILTERS
from ivr.engine.expressions.forms import spoken_here
from ivr.engine.expressions.forms.english import ENGLISH
from ivr.engine.expressions.operations import admitted, limited, spoken, truth, written
from ivr.engine.expressions.parse import parse_expression, parse_template
from ivr.engine.naming import parted
from ivr.engine.values import Value
from ivr.errors import ExpressionFailed

MAX_SPOKEN = 2_000
"Characters of a single value in a spoken text; the rest is cut off (LANGUAGE C9)."

Run: TypeAlias = Callable[[Mapping[str, Value]], Value]


class Expression:
    """A compiled expression."""

    def __init__(self, source: str, node: tree.Node, offset: int = 0) -> None:
        self.source = source
        "All of the text in which it stands."
        self.node = node
        self.offset = offset
        "Where it stands in `source`, its `{{` included."
        self.line = 0
        "Where it stands in the flow's file, counted from 1; 0: not known."
        self._run = runner(node)

    def __repr__(self) -> str:
        return f"Expression({self.source[self.node.start : self.node.end]!r})"

    def value(self, names: Mapping[str, Value]) -> Value:
        """Evaluate; raise ExpressionFailed. A name that `names` lacks is `none`."""
        try:
            return self._run(names)
        except ExpressionFailed as failure:
            failure.line = self.line
            raise

    def test(self, names: Mapping[str, Value]) -> bool:
        """Evaluate as a guard: false are `false`, `none`, empty text, empty list."""
        return truth(self.value(names))

    @cached_property
    def names(self) -> frozenset[str]:
        """What it can read, as dotted paths: `call.from`, `visits.main`, `tries`."""
        return frozenset(tree.paths(self.node))

    @cached_property
    def roots(self) -> frozenset[str]:
        """What it can read, without fields: `call`, `visits`, `tries`."""
        return frozenset(parted(name)[0] for name in self.names)


class Template:
    """Text with expressions in `{{ }}`; exactly one expression keeps the type of its value (C1)."""

    def __init__(self, source: str, parts: tuple[str | Expression, ...]) -> None:
        self.source = source
        self.parts = parts
        self.expressions = tuple(part for part in parts if isinstance(part, Expression))
        self.literal = not self.expressions
        "True: there is no expression in it."
        self.single = self.expressions[0] if len(parts) == len(self.expressions) == 1 else None
        "The expression, if there is nothing else at all."
        self._folded = _folded(source)

    def __repr__(self) -> str:
        return f"Template({self.source!r})"

    def value(self, names: Mapping[str, Value]) -> Value:
        """Evaluate, keeping the type where the template is one expression; other text keeps its white space."""
        if self.literal:
            return self.source
        if self.single is not None:
            return self.single.value(names)
        try:
            pieces = [part if isinstance(part, str) else written(part.value(names), names) for part in self.parts]
            return limited("".join(pieces))
        except ExpressionFailed as failure:
            failure.line = failure.line or self.line
            raise

    def text(self, names: Mapping[str, Value]) -> str:
        """Evaluate to text as it is spoken, white space folded; raise ExpressionFailed. `none` is empty."""
        if self.literal:
            return self._folded
        try:
            pieces = [
                part if isinstance(part, str) else spoken(part.value(names), names)[:MAX_SPOKEN] for part in self.parts
            ]
            return limited(_folded("".join(pieces)))
        except ExpressionFailed as failure:
            failure.line = failure.line or self.line
            raise

    def marked(self, names: Mapping[str, Value], put: Callable[[str], str]) -> str:
        """Evaluate to text in which `put` has changed all that was put in; the author's own keeps its white space."""
        try:
            pieces = [
                part if isinstance(part, str) else put(spoken(part.value(names), names)[:MAX_SPOKEN])
                for part in self.parts
            ]
            return limited("".join(pieces).strip())
        except ExpressionFailed as failure:
            failure.line = failure.line or self.line
            raise

    def written(self, names: Mapping[str, Value]) -> str:
        """Evaluate to text as it is written, white space and all; raise ExpressionFailed. `none` is empty."""
        try:
            return operations.written(self.value(names), names)
        except ExpressionFailed as failure:
            failure.line = failure.line or self.line
            raise

    @property
    def line(self) -> int:
        """The line of its first expression in the flow's file, counted from 1; 0: not known."""
        return self.expressions[0].line if self.expressions else 0

    @property
    def padded(self) -> Expression | None:
        """The only expression, if nothing but white space around it makes text of its value: probably a mistake."""
        lone = len(self.expressions) == 1 < len(self.parts)
        blank = not any(part.strip() for part in self.parts if isinstance(part, str))
        return self.expressions[0] if lone and blank else None

    @cached_property
    def names(self) -> frozenset[str]:
        """What it can read, as dotted paths."""
        return frozenset[str]().union(*(expression.names for expression in self.expressions))


def compile_expression(source: str) -> Expression:
    """Compile a bare expression, as in `guard`; raise ExpressionError."""
    return Expression(source, parse_expression(source))


def compile_template(source: str) -> Template:
    """Compile a text with expressions in `{{ }}`; raise ExpressionError."""
    parts = (
        part if isinstance(part, str) else Expression(source, part, offset) for offset, part in parse_template(source)
    )
    return Template(source, tuple(parts))


def _folded(text: str) -> str:
    return " ".join(text.split())


# --- one function for each node --------------------------------------------------------------------------------------


@singledispatch
def runner(node: tree.Node) -> Run:
    """Make the function that evaluates a node."""
    raise TypeError(f"no rule for {type(node).__name__}")


@runner.register(tree.Constant)
def _constant(node: tree.Constant) -> Run:
    value = node.value
    return lambda _: value


@runner.register(tree.Name)
def _name(node: tree.Name) -> Run:
    name = node.name

    def run(names: Mapping[str, Value]) -> Value:
        try:
            value = names[name]
        except KeyError:
            return None
        return value if type(value) is str else admitted(value)

    return run


@runner.register(tree.Field)
def _field(node: tree.Field) -> Run:
    of, name, field = runner(node.of), node.name, operations.field
    return lambda names: field(of(names), name)


@runner.register(tree.Index)
def _index(node: tree.Index) -> Run:
    of, key = runner(node.of), runner(node.key)
    return lambda names: operations.item(of(names), key(names))


@runner.register(tree.Negative)
def _negative(node: tree.Negative) -> Run:
    of = runner(node.of)
    return lambda names: operations.negative(of(names))


@runner.register(tree.Negation)
def _negation(node: tree.Negation) -> Run:
    of = runner(node.of)
    return lambda names: not truth(of(names))


@runner.register(tree.Both)
def _both(node: tree.Both) -> Run:
    left, right = runner(node.left), runner(node.right)

    def run(names: Mapping[str, Value]) -> Value:
        value = left(names)
        return right(names) if truth(value) else value

    return run


@runner.register(tree.Either)
def _either(node: tree.Either) -> Run:
    left, right = runner(node.left), runner(node.right)

    def run(names: Mapping[str, Value]) -> Value:
        value = left(names)
        return value if truth(value) else right(names)

    return run


@runner.register(tree.Comparison)
def _comparison(node: tree.Comparison) -> Run:
    sides = (node.first, *(compared.value for compared in node.rest))
    first = _compared(node.first)
    rest = tuple(
        (comparing(compared.comparator, left, compared.value), _compared(compared.value))
        for left, compared in zip(sides, node.rest, strict=False)
    )
    if len(rest) == 1:
        [(compare, second)] = rest
        return lambda names: compare(first(names), second(names), names)

    def run(names: Mapping[str, Value]) -> Value:
        left = first(names)
        for compare, value in rest:
            right = value(names)
            if not compare(left, right, names):
                return False
            left = right
        return True

    return run


def _compared(node: tree.Node) -> Run:
    """Make the function of one side: what gives a handful of words gives the English ones, whoever is calling."""
    if isinstance(node, tree.Filtered) and FILTERS[node.filter].yields:
        of, say, arguments = runner(node.of), FILTERS[node.filter].say, node.arguments
        return lambda names: say(ENGLISH, of(names), arguments)
    return runner(node)


@runner.register(tree.Arithmetic)
def _arithmetic(node: tree.Arithmetic) -> Run:
    left, right, sign, calculate = runner(node.left), runner(node.right), node.operator, operations.calculate
    return lambda names: calculate(sign, left(names), right(names))


@runner.register(tree.Moved)
def _moved(node: tree.Moved) -> Run:
    of, count, sign, unit = runner(node.of), runner(node.count), node.sign, node.unit
    return lambda names: moved(of(names), sign, count(names), unit, names)


@runner.register(tree.Listed)
def _listed(node: tree.Listed) -> Run:
    items = tuple(runner(item) for item in node.items)
    return lambda names: tuple(item(names) for item in items)


@runner.register(tree.Joined)
def _joined(node: tree.Joined) -> Run:
    parts = tuple(runner(part) for part in node.parts)
    return lambda names: limited("".join([written(part(names), names) for part in parts]))


@runner.register(tree.Conditional)
def _conditional(node: tree.Conditional) -> Run:
    then, test, otherwise = runner(node.then), runner(node.test), runner(node.otherwise)
    return lambda names: then(names) if truth(test(names)) else otherwise(names)


@runner.register(tree.IsNone)
def _is_none(node: tree.IsNone) -> Run:
    of = runner(node.of)
    return lambda names: of(names) is None


@runner.register(tree.OpenDays)
def _open_days(node: tree.OpenDays) -> Run:
    of, count, days = runner(node.of), runner(node.count), operations.open_days
    return lambda names: days(of(names), count(names))


@runner.register(tree.Filtered)
def _filtered(node: tree.Filtered) -> Run:
    filter_, of, arguments = FILTERS[node.filter], runner(node.of), node.arguments
    if filter_.speaks:
        say = filter_.say
        return lambda names: say(spoken_here(names), of(names), arguments)
    apply = filter_.apply
    return lambda names: apply(of(names), arguments)
