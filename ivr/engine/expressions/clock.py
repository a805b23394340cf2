"""Moments, days and times of day in comparisons: `opens <= now`, `wish < today`, `today == '12-24'` (LANGUAGE C11).

A text that is written out is what it reads as, opposite a value that can be compared with it: a time of day, a day, a
day of any year, a moment. Of two values that say more and less, the less counts: opposite a day a moment is the day it
falls on, opposite a time of day it is what the clock on the wall shows, both in the flow's zone.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, tzinfo
from typing import TypeAlias, cast

from msgspec import Struct

from ivr.engine.expressions import tree
from ivr.engine.expressions.convert import Misfit, iso_date, iso_datetime, iso_time
from ivr.engine.expressions.operations import compare
from ivr.engine.expressions.types import DATE, DATETIME, TIME, Type
from ivr.engine.values import Value
from ivr.errors import ExpressionFailed

Compare: TypeAlias = Callable[[Value, Value, Mapping[str, Value]], bool]
"The left value, the right value, and the names, of which `now` knows the flow's time zone."


class YearDay(Struct, frozen=True):
    """A day of any year, written `12-24`: the month comes first, as in a whole date."""

    day: date
    "In a leap year, so that there is a 29 February."


Written: TypeAlias = time | date | datetime | YearDay
Side: TypeAlias = "Value | YearDay"

_LEAP_YEAR = 2000
_YEAR_DAY = re.compile(r"([0-9]{2})-([0-9]{2})")
_TYPES: Mapping[type, Type] = {time: TIME, date: DATE, YearDay: DATE, datetime: DATETIME}
_CLASSES: Mapping[type, str] = {time: "time", date: "date", datetime: "datetime"}
_MEMBERSHIP = frozenset({"in", "not in"})
_OPPOSITE: Mapping[str, frozenset[type]] = {
    "time": frozenset({time}),
    "date": frozenset({date, YearDay}),
    "datetime": frozenset({time, date, YearDay, datetime}),
}
"For the type of a value, the readings of a text that can stand opposite it."
ORDERS = frozenset({"<", "<=", ">", ">="})
ON_THE_CLOCK = frozenset({"time", "datetime"})
"Of these only the order is asked: that two moments are equal to the microsecond never happens to a caller."
ON_THE_CALENDAR = frozenset({"date", "datetime"})
"These are compared as days: any comparison has an answer."


def literal(node: tree.Node) -> Written | None:
    """Read a text that is written out as a time of day, a day, a day of any year or a moment; None: it is none."""
    if not isinstance(node, tree.Constant) or not isinstance(node.value, str):
        return None
    for read in (iso_time, iso_date, _year_day, iso_datetime):
        try:
            return read(node.value)
        except Misfit:
            continue
    return None


def _year_day(text: str) -> YearDay:
    found = _YEAR_DAY.fullmatch(text)
    if not found:
        raise Misfit("not a day of any year")
    return YearDay(iso_date(f"{_LEAP_YEAR}-{text}"))


def read_as(node: tree.Node, opposite: Type) -> Type | None:
    """Return the type that a text which is written out counts as opposite a value of a type; None: it stays text."""
    reading = type(literal(node))
    return _TYPES[reading] if reading in _OPPOSITE.get(opposite.name, frozenset()) else None


def comparing(comparator: tree.Comparator, left: tree.Node, right: tree.Node) -> Compare:
    """Make the function that compares the values of two nodes."""
    if isinstance(right, tree.Listed):
        return _listed(comparator, left, right)
    mine, other = literal(left), literal(right)

    def run(one: Value, two: Value, names: Mapping[str, Value]) -> bool:
        if comparator not in _MEMBERSHIP and (type(one) in _CLASSES or type(two) in _CLASSES):
            return _compare_moments(comparator, _read(one, mine, two), _read(two, other, one), names)
        return compare(comparator, one, two)

    return run


def _listed(comparator: tree.Comparator, left: tree.Node, right: tree.Listed) -> Compare:
    """Make the function that looks for a value in a list that is written out; each item is compared as by `==`."""
    equal = [comparing("==", left, item) for item in right.items]

    def run(one: Value, items: Value, names: Mapping[str, Value]) -> bool:
        found = any(same(one, item, names) for same, item in zip(equal, items, strict=True))  # type: ignore[arg-type]
        return found is (comparator == "in")

    return run


def _read(value: Value, reading: Written | None, opposite: Value) -> Side:
    """Take a text that is written out for what it reads as, if the value opposite can be compared with that."""
    kind = _CLASSES.get(type(opposite))
    return reading if kind and type(reading) in _OPPOSITE[kind] else value


def _compare_moments(comparator: tree.Comparator, one: Side, two: Side, names: Mapping[str, Value]) -> bool:
    classes = {type(one), type(two)}
    if classes == {time, datetime} and comparator in ORDERS:
        return compare(comparator, _time_of_day(one, names), _time_of_day(two, names))
    if YearDay in classes:
        return compare(comparator, _in_any_year(one, names), _in_any_year(two, names))
    if classes == {date, datetime}:
        return compare(comparator, _day(one, names), _day(two, names))
    if classes == {datetime}:
        # In UTC: of two moments in one zone Python compares what the clock on the wall shows, in autumn an hour of it
        # twice.
        return compare(comparator, _instant(one, names), _instant(two, names))
    return compare(comparator, one, two)  # type: ignore[arg-type]  # a year's day has been seen to


def _time_of_day(moment: object, names: Mapping[str, Value]) -> time:
    return local(moment, names).time() if isinstance(moment, datetime) else cast("time", moment)


def _day(moment: object, names: Mapping[str, Value]) -> date:
    return local(moment, names).date() if isinstance(moment, datetime) else cast("date", moment)


def _in_any_year(moment: object, names: Mapping[str, Value]) -> date:
    return moment.day if isinstance(moment, YearDay) else _day(moment, names).replace(year=_LEAP_YEAR)


def _instant(moment: object, names: Mapping[str, Value]) -> datetime:
    at = local(moment, names)
    return at if at.tzinfo is None else moved_to(at, UTC)


def local(moment: object, names: Mapping[str, Value]) -> datetime:
    """Return a moment as a clock in the flow's zone shows it; a moment without an offset is one of that clock."""
    at, now = cast("datetime", moment), names.get("now")
    if not isinstance(now, datetime):
        return at
    return at.replace(tzinfo=now.tzinfo) if at.tzinfo is None else moved_to(at, now.tzinfo)


def moved_to(moment: datetime, zone: tzinfo | None) -> datetime:
    """Return the same moment in another zone; raise ExpressionFailed at the ends of the calendar."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        raise ExpressionFailed("a moment outside the calendar") from None
