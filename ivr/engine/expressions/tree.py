"""The nodes of an expression: all that the language has, and nothing of the library that read them."""

from collections.abc import Hashable, Iterator, Mapping
from decimal import Decimal
from typing import Literal, TypeAlias

from msgspec import Struct, structs

Comparator: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">=", "in", "not in"]
Operator: TypeAlias = Literal["+", "-", "*", "/", "//", "%"]
Argument: TypeAlias = int | str | tuple[str, str]
"Of a filter; a text by name is a pair."
Unit: TypeAlias = Literal["weeks", "days", "hours", "minutes"]
UNITS: Mapping[str, Unit] = {
    "week": "weeks",
    "weeks": "weeks",
    "day": "days",
    "days": "days",
    "hour": "hours",
    "hours": "hours",
    "minute": "minutes",
    "minutes": "minutes",
}
"How a unit of time may be written."


class Node(Struct, frozen=True):
    """A part of an expression."""

    start: int
    "Where it begins in the source, in characters."
    end: int
    "Where it ends, not included."


class Constant(Node, frozen=True):
    """A text, a number, `true`, `false` or `none`, written out."""

    value: str | int | Decimal | bool | None


class Name(Node, frozen=True):
    """A variable, a field of the event or a fact."""

    name: str


class Field(Node, frozen=True):
    """`of.name`, or `of['name']`."""

    of: Node
    name: str


class Index(Node, frozen=True):
    """`of[key]`."""

    of: Node
    key: Node


class Negative(Node, frozen=True):
    """`-of`."""

    of: Node


class Negation(Node, frozen=True):
    """`not of`."""

    of: Node


class Both(Node, frozen=True):
    """`left and right`: the left value if it is false, else the right one."""

    left: Node
    right: Node


class Either(Node, frozen=True):
    """`left or right`: the left value unless it is false, else the right one."""

    left: Node
    right: Node


class Comparison(Node, frozen=True):
    """`first < a <= b`: each value with its neighbour, and all must hold."""

    first: Node
    rest: "tuple[Compared, ...]"


class Compared(Node, frozen=True):
    """One further value of a comparison."""

    comparator: Comparator
    value: Node


class Arithmetic(Node, frozen=True):
    """Two numbers become one."""

    operator: Operator
    left: Node
    right: Node


class Moved(Node, frozen=True):
    """`of + count unit` or `of - count unit`: a day or a moment, so much later or earlier."""

    of: Node
    sign: Literal[1, -1]
    count: Node
    unit: Unit


class Listed(Node, frozen=True):
    """`[a, b]`, which stands after `in` alone."""

    items: tuple[Node, ...]


class Joined(Node, frozen=True):
    """`a ~ b`: the texts of all parts, one after another."""

    parts: tuple[Node, ...]


class Conditional(Node, frozen=True):
    """`then if test else otherwise`."""

    then: Node
    test: Node
    otherwise: Node


class IsNone(Node, frozen=True):
    """`of is none`."""

    of: Node


class OpenDays(Node, frozen=True):
    """`of.days(count)`: the next open days of a calendar."""

    of: Node
    count: Node


class Filtered(Node, frozen=True):
    """`of | filter(arguments)`."""

    of: Node
    filter: str
    at: int
    "Where the filter's name begins in the source."
    arguments: tuple[Argument, ...] = ()


def path(node: Node) -> str | None:
    """Return the dotted path that a name or a field of a name stands for; None: it is neither."""
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Field) and "." not in node.name:  # x['a.b'] is not x.a.b
        of = path(node.of)
        return of and f"{of}.{node.name}"
    return None


def paths(node: Node) -> Iterator[str]:
    """Return the path of everything that an expression can read, as long as it is written out."""
    here = path(node)
    if here is not None:
        yield here
        return
    for child in children(node):
        yield from paths(child)


def meaning(node: Node) -> Hashable:
    """Return what a node says, wherever it stands: equal for two nodes that say the same."""
    said: list[Hashable] = [type(node).__name__]
    for field in node.__struct_fields__:
        value = getattr(node, field)
        if isinstance(value, Node):
            said.append(meaning(value))
        elif isinstance(value, tuple):
            said.append(tuple(meaning(item) if isinstance(item, Node) else item for item in value))
        elif field not in {"start", "end", "at"}:
            said.append((type(value).__name__, value))  # 1 is not true, and 1.0 not 1
    return tuple(said)


def replaced(node: Node, new: Mapping[Hashable, Node]) -> Node:
    """Put other nodes for those of a meaning, as far up as there is one."""
    if (other := new.get(meaning(node))) is not None:
        return other
    changed: dict[str, object] = {}
    for field in node.__struct_fields__:
        value = getattr(node, field)
        if isinstance(value, Node):
            changed[field] = replaced(value, new)
        elif isinstance(value, tuple):
            changed[field] = tuple(replaced(item, new) if isinstance(item, Node) else item for item in value)
    return structs.replace(node, **changed)


def walk(node: Node) -> Iterator[Node]:
    """Go through a node and all below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def conditions(node: Node, *, asked: bool) -> Iterator[Node]:
    """Go through all that is asked whether it is true: the node itself, if it is `asked`, and what is in it."""
    match node:
        case Both(left=left, right=right) | Either(left=left, right=right):
            yield from conditions(left, asked=True)
            yield from conditions(right, asked=asked)
        case Negation(of=of):
            yield from conditions(of, asked=True)
        case Conditional(then=then, test=test, otherwise=otherwise):
            yield from conditions(test, asked=True)
            yield from conditions(then, asked=asked)
            yield from conditions(otherwise, asked=asked)
        case _:
            if asked:
                yield node
            for child in children(node):
                yield from conditions(child, asked=False)


def constants(node: Node) -> Iterator[str | int | Decimal | bool | None]:
    """Return every value that is written out in an expression."""
    if isinstance(node, Constant):
        yield node.value
    for child in children(node):
        yield from constants(child)


def children(node: Node) -> Iterator[Node]:
    """Go through the parts of a node."""
    for value in structs.astuple(node):
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from (item for item in value if isinstance(item, Node))
