"""Words for a caller that were meant as values: `now | time >= '08:00'` compares "3:36 PM" (LANGUAGE C11).

Nothing is wrong with the types there, both are texts; and nothing that such a guard says is what its author meant.
"""

from collections.abc import Mapping
from datetime import time

from msgspec import Struct

from ivr.engine.expressions import tree
from ivr.engine.expressions.clock import ORDERS, literal
from ivr.engine.expressions.filters import FILTERS, Filter
from ivr.engine.expressions.forms import french, german, spanish
from ivr.engine.expressions.forms.english import WEEKDAYS
from ivr.nearest import did_you_mean


class ComparisonMistake(Struct, frozen=True):
    """What is wrong with a comparison, and what to write instead."""

    message: str
    suggestion: str


def words_compared(comparator: tree.Comparator, left: tree.Node, right: tree.Node) -> ComparisonMistake | None:
    """Find an order asked of spoken words, and a word that a filter never gives."""
    for one, other in ((left, right), (right, left)):
        filter_ = FILTERS[one.filter] if isinstance(one, tree.Filtered) else None
        if filter_ is None:
            continue
        if comparator in ORDERS and filter_.speaks:
            message = f'"{filter_.name}" returns words to be spoken, which have no order.'
            return ComparisonMistake(message, _instead(filter_, comparator, left, right))
        if filter_.yields and isinstance(other, tree.Constant) and isinstance(other.value, str):
            mistake = _never(filter_, other.value, comparator, is_left=one is left)
            if mistake:
                return mistake
    return None


def _instead(filter_: Filter, comparator: str, left: tree.Node, right: tree.Node) -> str:
    if filter_.yields:
        return f"Write which are meant: \"(… | {filter_.name}) in ['{filter_.yields[0]}', '{filter_.yields[1]}']\"."
    one, other = _written(left), _written(right)
    if filter_.name == "time" and one and other:
        return f'Write "{one} {comparator} {other}".'
    return f'Compare the value itself, without "| {filter_.name}".'


def _written(node: tree.Node) -> str:
    """Write a side without its filter, if it is a name or a time of day; empty: it is neither."""
    node = node.of if isinstance(node, tree.Filtered) else node
    at = literal(node)
    return f"'{at:%H:%M}'" if isinstance(at, time) else tree.path(node) or ""


def _never(filter_: Filter, word: str, comparator: str, *, is_left: bool) -> ComparisonMistake | None:
    """Find a word that the filter never gives; a text in which it looks for words must have one of them."""
    match comparator:
        case "==" | "!=" if word not in filter_.yields:
            message = f'"{filter_.name}" never returns "{word}".'
        case "in" | "not in" if is_left and not any(name in word for name in filter_.yields):
            message = f'No result of "{filter_.name}" is in "{word}".'
        case _:
            return None
    if (english := _IN_ENGLISH.get(word.casefold())) is not None:
        return ComparisonMistake(message, f'Compared, it is English in every language: write "{english}".')
    return ComparisonMistake(message, did_you_mean(word, filter_.yields) or f"It returns {', '.join(filter_.yields)}.")


_IN_ENGLISH: Mapping[str, str] = {
    name.casefold(): english
    for names in (german.WEEKDAYS, french.WEEKDAYS, spanish.WEEKDAYS)
    for name, english in zip(names, WEEKDAYS, strict=True)
}
"The days of the week, by what other languages call them."
