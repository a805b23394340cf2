"""Later and earlier: `today + 30 days`, `now - 2 hours` (LANGUAGE C11).

Days and weeks are those of the calendar: the same time on the wall, on a day that may have 23 or 25 hours. Hours and
minutes pass: after two of them two have gone by, whatever was done to the clocks. Months and years are left out, since
nobody agrees on what a month after 31 January is.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from ivr.engine.expressions.clock import local, moved_to
from ivr.engine.expressions.failure import WrongKind
from ivr.engine.expressions.operations import kind
from ivr.engine.expressions.tree import Unit
from ivr.engine.values import Value
from ivr.errors import ExpressionFailed

WHOLE_DAYS = frozenset({"weeks", "days"})


def moved(value: Value, sign: int, count: Value, unit: Unit, names: Mapping[str, Value]) -> date | datetime:
    """Move a day or a moment; a moment comes out in the flow's zone."""
    if type(count) is not int:
        raise WrongKind(f"a number of {unit} is an integer, not {kind(count)}")
    try:
        by = timedelta(**{unit: sign * count})
        if type(value) is date and unit in WHOLE_DAYS:
            return value + by
        if type(value) is not datetime:
            raise WrongKind(f"a value of type {kind(value)} cannot be moved by {unit}")
        at = local(value, names)
        if unit in WHOLE_DAYS:
            at += by
            # There and back: of a time that the clocks leave out, the one comes out that they show instead.
            return at if at.tzinfo is None else moved_to(moved_to(at, UTC), at.tzinfo)
        return at + by if at.tzinfo is None else moved_to(moved_to(at, UTC) + by, at.tzinfo)
    except OverflowError:
        raise ExpressionFailed("a day outside the calendar") from None
