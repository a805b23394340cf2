"""Prove that two values can be compared: both of one kind, or one of them written out as text (LANGUAGE C11)."""

from typing import TypeAlias

from ivr.engine.expressions import tree
from ivr.engine.expressions.clock import ON_THE_CALENDAR, ON_THE_CLOCK, read_as
from ivr.engine.expressions.filters import item_type
from ivr.engine.expressions.proof import Proof
from ivr.engine.expressions.types import NUMBERS, Type
from ivr.engine.expressions.words import words_compared

_ORDERED = frozenset({"text", "number", "date", "time", "datetime"})
_COMPARABLE = _ORDERED | {"boolean"}
_WRITTEN = {
    "time": "a time of day such as '08:00'",
    "date": "a day such as '2026-12-24', or '12-24' for that of any year",
    "datetime": "a time of day such as '08:00', or a day such as '2026-12-24'",
}
"How a text stands opposite a value of a type."

Side: TypeAlias = tuple[tree.Node, Type]


def check_comparison(comparator: tree.Comparator, left: Side, right: Side, span: tree.Node, proof: Proof) -> None:
    """Check a comparison of two values; a mistake is told over the `span`."""
    if (mistake := words_compared(comparator, left[0], right[0])) is not None:
        proof.wrong("type", mistake.message, span, mistake.suggestion)
    elif comparator in {"in", "not in"}:
        _contain(left, right, proof)
    elif comparator in {"==", "!="}:
        mine, other = _readings(left, right)
        if "none" not in {mine.name, other.name} and {mine.name, other.name} != ON_THE_CALENDAR:
            _same_kind(mine, other, _COMPARABLE, span, proof)
    else:
        mine, other = _readings((left[0], proof.needed(*left)), (right[0], proof.needed(*right)))
        if frozenset({mine.name, other.name}) not in {ON_THE_CLOCK, ON_THE_CALENDAR}:
            _same_kind(mine, other, _ORDERED, span, proof)


def _readings(left: Side, right: Side) -> tuple[Type, Type]:
    """Take a text that is written out for what it reads as, opposite a day, a time of day or a moment."""
    (one, mine), (two, other) = left, right
    return read_as(one, other) or mine, read_as(two, mine) or other


def _contain(value: Side, within: Side, proof: Proof) -> None:
    container = proof.needed(*within)
    span = tree.Node(value[0].start, within[0].end)
    if container.name == "text":
        _same_kind(proof.needed(*value), container, frozenset({"text"}), span, proof)
    elif container.name == "list":
        mine, item = value[1], item_type(container)
        if "none" not in {mine.name, item.name}:
            _same_kind(mine, item, _COMPARABLE, span, proof)
    elif container.name != "any":
        proof.wrong("type", f"A value of type {container} cannot contain anything.", within[0])


def _same_kind(left: Type, right: Type, kinds: frozenset[str], span: tree.Node, proof: Proof) -> None:
    groups = {_group(left), _group(right)}
    if "any" in groups or (len(groups) == 1 and groups <= kinds):
        return
    proof.wrong("type", f"A value of type {left} cannot be compared with one of type {right}.", span, _hint(groups))


def _hint(groups: set[str]) -> str:
    if groups == ON_THE_CLOCK:
        return 'Compare only the order: "<", ">=".'
    if groups == {"boolean", "text"}:
        return 'Use the value itself, or "not" before it.'
    moment = next((_WRITTEN[group] for group in groups if group in _WRITTEN), "")
    return f"Write {moment}." if moment and "text" in groups else ""


def _group(type_: Type) -> str:
    return "number" if type_.name in NUMBERS else type_.name
