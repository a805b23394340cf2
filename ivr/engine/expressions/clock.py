"""Times of day in comparisons: `opens <= now`, `now < '17:00'` (LANGUAGE C11).

Only an order is asked for: that two moments are equal to the microsecond never happens to a caller.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, time
from typing import TypeAlias

from ivr.engine.expressions import tree
from ivr.engine.expressions.convert import Misfit, iso_time
from ivr.engine.expressions.operations import compare
from ivr.engine.values import Value

Compare: TypeAlias = Callable[[Value, Value, Mapping[str, Value]], bool]
"The left value, the right value, and the names, of which `now` knows the flow's time zone."

ON_THE_CLOCK = frozenset({"time", "datetime"})
"The types opposite which a text that is written out can be a time of day."
ORDERS = frozenset({"<", "<=", ">", ">="})
_MOMENTS = frozenset({time, datetime})


def literal(node: tree.Node) -> time | None:
    """Read a text that is written out as a time of day; None: it is none."""
    if not isinstance(node, tree.Constant) or not isinstance(node.value, str):
        return None
    try:
        return iso_time(node.value)
    except Misfit:
        return None


def comparing(comparator: tree.Comparator, left: tree.Node, right: tree.Node) -> Compare:
    """Make the function that compares the values of two nodes."""
    mine, other = literal(left), literal(right)

    def run(one: Value, two: Value, names: Mapping[str, Value]) -> bool:
        if type(one) in _MOMENTS and other is not None:
            two = other
        elif type(two) in _MOMENTS and mine is not None:
            one = mine
        if comparator in ORDERS and {type(one), type(two)} == _MOMENTS:
            one, two = _time_of_day(one, names), _time_of_day(two, names)
        return compare(comparator, one, two)

    return run


def _time_of_day(moment: Value, names: Mapping[str, Value]) -> Value:
    """Give the time that a clock in the flow's zone shows; a moment without an offset is read as it stands."""
    if not isinstance(moment, datetime):
        return moment
    now = names.get("now")
    if moment.tzinfo is not None and isinstance(now, datetime):
        moment = moment.astimezone(now.tzinfo)
    return moment.time()
