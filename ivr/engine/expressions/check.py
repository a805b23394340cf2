"""Prove what can be proved about an expression before any call: its type, and that it will not fail for types (C11).

`env` gives the type of each name that can be read at that place; a name that is not in it is a mistake. What passes
here without errors never raises `WrongKind` on values of those types.
"""

from collections.abc import Callable, Mapping
from functools import singledispatch

from ivr.engine.calendars import FIELDS, MOST_DAYS
from ivr.engine.expressions import tree
from ivr.engine.expressions.calendar import WHOLE_DAYS
from ivr.engine.expressions.clock import ON_THE_CALENDAR
from ivr.engine.expressions.comparisons import check_comparison
from ivr.engine.expressions.compile import Expression, Template
from ivr.engine.expressions.convert import Misfit
from ivr.engine.expressions.failure import ExpressionError
from ivr.engine.expressions.filters import FILTERS, item_type
from ivr.engine.expressions.operations import kind
from ivr.engine.expressions.proof import Proof
from ivr.engine.expressions.types import (
    ANY,
    BOOLEAN,
    DATE,
    DECIMAL,
    INTEGER,
    NONE,
    NUMBERS,
    RECORDING_FIELDS,
    TEXT,
    Type,
    can_be_spoken,
    field_of,
    join,
    optional,
    present,
)

_OPAQUE = Type("object")
"One of several things that no use has in common: good for a guard, and any of them may be what counts as false."
_CAN_BE_FALSE = frozenset({"text", "boolean", "list", "mixed", "any"})
_OTHER_WORDS = {
    **dict.fromkeys(("null", "nil", "undefined", "nothing"), "none"),
    **dict.fromkeys(("no", "off", "false"), "false"),
    **dict.fromkeys(("yes", "on", "true"), "true"),
}
"What other languages, in small letters, call `none`, `false` and `true`."


def infer(what: Expression | Template, env: Mapping[str, Type]) -> tuple[Type, list[ExpressionError]]:
    """Return the type of the value, and every mistake."""
    if isinstance(what, Template):
        return infer(what.single, env) if what.single else (TEXT, check_text(what, env))
    proof = Proof(env)
    return _type_of(what.node, proof), proof.errors


def check_text(template: Template, env: Mapping[str, Type]) -> list[ExpressionError]:
    """Return every mistake of a text that is to be spoken, or to be text anyhow: no part of it may be `none`."""
    proof = Proof(env)
    for expression in template.expressions:
        _spoken(expression.node, proof)
    return proof.errors


def check_guard(guard: Expression, env: Mapping[str, Type]) -> list[ExpressionError]:
    """Return every mistake of a guard; a number alone is one."""
    proof = Proof(env)
    _condition(guard.node, proof)
    return proof.errors


def _condition(node: tree.Node, proof: Proof) -> Type:
    """Check a value that is asked whether it is true."""
    if isinstance(node, tree.Both | tree.Either):
        return _logic(node, proof, condition=True)
    type_ = _type_of(node, proof)
    if type_.name in NUMBERS or type_.name == "mixed":
        message = "A number alone is neither true nor false."
        return proof.wrong("type", message, node, 'Compare it: "… > 0", or "… is not none".')
    return type_


def _logic(node: tree.Both | tree.Either, proof: Proof, *, condition: bool) -> Type:
    both = isinstance(node, tree.Both)
    # `count or 0` is fine though `count` is a number: each number counts as true, so only none is replaced.
    left = (_condition if both or condition else _type_of)(node.left, proof)
    right = (_condition if condition else _type_of)(node.right, proof.where(node.left, holds=both))
    kept = _false_part(left) if both else _true_part(left)
    if kept is None:
        return right
    joined = join(kept, right)
    if joined is None and not condition:
        return _no_common_type(node, kept, right, proof)
    return joined or _OPAQUE


def _false_part(type_: Type) -> Type | None:
    if type_.name in _CAN_BE_FALSE or _is_opaque(type_):
        return type_
    return NONE if type_.optional else None


def _true_part(type_: Type) -> Type | None:
    return None if type_.name == "none" else present(type_)


def _is_opaque(type_: Type) -> bool:
    return type_.name == "object" and not type_.fields


def _no_common_type(node: tree.Node, one: Type, other: Type, proof: Proof) -> Type:
    first, second = ("something else" if _is_opaque(type_) else str(type_) for type_ in (one, other))
    return proof.wrong("type", f"This is either {first} or {second}; both results must have the same type.", node)


def _spoken(node: tree.Node, proof: Proof) -> None:
    type_ = proof.needed(node, _type_of(node, proof))
    if not can_be_spoken(type_):
        hint = 'Take its field "transcript".' if type_.name == "recording" else ""
        proof.wrong("type", f"A value of type {type_} cannot be spoken.", node, hint)


# --- the type of each node -------------------------------------------------------------------------------------------


@singledispatch
def _type_of(node: tree.Node, proof: Proof) -> Type:
    raise TypeError(f"no rule for {type(node).__name__}")


@_type_of.register
def _constant(node: tree.Constant, proof: Proof) -> Type:
    name = kind(node.value)
    return NONE if name == "none" else Type(name)  # type: ignore[arg-type]


@_type_of.register
def _name(node: tree.Name, proof: Proof) -> Type:
    if node.name in proof.env:
        return proof.env[node.name]
    ours = _OTHER_WORDS.get(node.name.lower())
    message = f'Unknown name "{node.name}".'
    if ours is not None:
        return proof.wrong("undefined", message, node, f'Write "{ours}".')
    return proof.unknown(message, node, node.name, proof.env)


@_type_of.register
def _field(node: tree.Field, proof: Proof) -> Type:
    of = _type_of(node.of, proof)
    if of.name in {"any", "none"}:
        return of
    if of.name not in {"object", "recording"}:
        return proof.wrong("type", f"A value of type {of} has no fields.", node)
    found = field_of(of, node.name)
    if found is not None:
        return optional(found) if of.optional else found
    known = of.fields or RECORDING_FIELDS
    return proof.unknown(f'Unknown field "{node.name}".', node, node.name, known)


@_type_of.register
def _index(node: tree.Index, proof: Proof) -> Type:
    of = _type_of(node.of, proof)
    key = proof.needed(node.key, _type_of(node.key, proof))
    if key.name not in {"integer", "any"}:
        return proof.wrong("type", f"An index must be an integer, not {key}.", node.key)
    if of.name in {"any", "none"}:
        return of
    if of.name not in {"list", "text"}:
        return proof.wrong("type", f"A value of type {of} has no items.", node)
    return optional(item_type(of))


@_type_of.register
def _negative(node: tree.Negative, proof: Proof) -> Type:
    return _number(node.of, proof)


@_type_of.register
def _negation(node: tree.Negation, proof: Proof) -> Type:
    _condition(node.of, proof)
    return BOOLEAN


@_type_of.register
def _both(node: tree.Both, proof: Proof) -> Type:
    return _logic(node, proof, condition=False)


@_type_of.register
def _either(node: tree.Either, proof: Proof) -> Type:
    return _logic(node, proof, condition=False)


@_type_of.register
def _comparison(node: tree.Comparison, proof: Proof) -> Type:
    left = (node.first, _type_of(node.first, proof))
    for compared in node.rest:
        right = (compared.value, _type_of(compared.value, proof))
        if isinstance(compared.value, tree.Listed):
            for item in compared.value.items:
                check_comparison("==", left, (item, _type_of(item, proof)), item, proof)
        else:
            check_comparison(compared.comparator, left, right, tree.Node(left[0].start, right[0].end), proof)
        left = right
    return BOOLEAN


@_type_of.register
def _arithmetic(node: tree.Arithmetic, proof: Proof) -> Type:
    left, right = _number(node.left, proof, node.operator), _number(node.right, proof, node.operator)
    if node.operator == "//":
        return INTEGER
    if node.operator == "/" or "decimal" in {left.name, right.name}:
        return DECIMAL
    return ANY if "any" in {left.name, right.name} else INTEGER


@_type_of.register
def _moved(node: tree.Moved, proof: Proof) -> Type:
    of = proof.needed(node.of, _type_of(node.of, proof))
    count = proof.needed(node.count, _type_of(node.count, proof))
    if count.name not in {"integer", "any"}:
        return proof.wrong("type", f"A number of {node.unit} must be an integer, not {count}.", node.count)
    if of.name in {"datetime", "any"} or (of.name == "date" and node.unit in WHOLE_DAYS):
        return of
    hint = "" if of.name in ON_THE_CALENDAR else 'Dates and times can be moved, such as "today" and "now".'
    return proof.wrong("type", f"A value of type {of} cannot be moved by {node.unit}.", node.of, hint)


@_type_of.register
def _listed(node: tree.Listed, proof: Proof) -> Type:
    return Type("list")  # its items are checked by who compares with them


@_type_of.register
def _joined(node: tree.Joined, proof: Proof) -> Type:
    for part in node.parts:
        _spoken(part, proof)
    return TEXT


@_type_of.register
def _conditional(node: tree.Conditional, proof: Proof) -> Type:
    _condition(node.test, proof)
    then = _type_of(node.then, proof.where(node.test, holds=True))
    otherwise = _type_of(node.otherwise, proof.where(node.test, holds=False))
    return join(then, otherwise) or _no_common_type(node, then, otherwise, proof)


@_type_of.register
def _is_none(node: tree.IsNone, proof: Proof) -> Type:
    _type_of(node.of, proof)
    return BOOLEAN


@_type_of.register
def _open_days(node: tree.OpenDays, proof: Proof) -> Type:
    of = _type_of(node.of, proof)
    count = proof.needed(node.count, _type_of(node.count, proof))
    if of.name != "any" and not (of.name == "object" and set(FIELDS) <= of.fields.keys()):
        return proof.wrong("type", 'Only a calendar has "days".', node.of, 'Write "calendar.<name>.days(5)".')
    if count.name not in {"integer", "any"}:
        return proof.wrong("type", f"A number of days must be an integer, not {count}.", node.count)
    if isinstance(node.count, tree.Constant) and not 1 <= int(str(node.count.value)) <= MOST_DAYS:
        return proof.wrong("type", f'"days" takes a number from 1 to {MOST_DAYS}.', node.count)
    return Type("list", item=DATE)


@_type_of.register
def _filtered(node: tree.Filtered, proof: Proof) -> Type:
    filter_ = FILTERS[node.filter]
    given = proof.needed(node.of, _type_of(node.of, proof))
    if given.name == "text" and filter_.reads is not None:
        _read(filter_.reads, node, proof)
    elif given.name != "any" and given.name not in filter_.takes:
        takes = " or ".join(sorted(filter_.takes))
        return proof.wrong("type", f'"{filter_.name}" takes {takes}, not {given}.', node, start=node.at)
    elif filter_.name == "list" and not can_be_spoken(given):
        return proof.wrong("type", f"A value of type {given} cannot be spoken.", node.of)
    return filter_.gives(given, node.arguments)


def _read(read: Callable[[str], object], node: tree.Filtered, proof: Proof) -> None:
    """Check text that a filter reads: it must be written out, so that it can be read now."""
    if not isinstance(node.of, tree.Constant):
        hint = "Store it in a variable of that type."
        proof.wrong("type", f'It is not certain that "{node.filter}" can read this text.', node.of, hint)
        return
    try:
        read(str(node.of.value))
    except Misfit as misfit:
        proof.wrong("type", f'"{node.filter}" cannot read this: {misfit}.', node.of)


def _number(node: tree.Node, proof: Proof, sign: str = "-") -> Type:
    type_ = proof.needed(node, _type_of(node, proof))
    if type_.name in NUMBERS or type_.name == "any":
        return type_
    hint = 'To join texts, write "~".' if sign == "+" and type_.name == "text" else ""
    hint = (
        f'State the amount, such as "{sign} 30 days".' if sign in {"+", "-"} and type_.name in ON_THE_CALENDAR else hint
    )
    return proof.wrong("type", f"A value of type {type_} cannot be used in a calculation.", node, hint)
