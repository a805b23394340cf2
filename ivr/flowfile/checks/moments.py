"""Days and times of day that stand for all others, as far as a guard can distinguish them."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Literal, TypeAlias, cast

from ivr.engine.expressions import tree
from ivr.engine.expressions.calendar import WHOLE_DAYS
from ivr.engine.expressions.clock import ORDERS, YearDay, literal
from ivr.engine.values import Value

Aspect: TypeAlias = Literal["day", "clock"]

_FIRST, _YEARS = 2024, 28
"After 28 years each day of the year has been each day of the week, 29 February included."
_DAY = 86_400_000_000
"Microseconds."
_ALL_OF: Mapping[str, tuple[Aspect, ...]] = {"date": ("day",), "time": ("clock",), "datetime": ("day", "clock")}
_IN_WORDS: Mapping[str, Aspect] = {"date": "day", "longDate": "day", "weekday": "day", "time": "clock"}
"Filters that look at one side of a moment."


def aspects_of(node: tree.Node, kinds: Mapping[str, str], kept: Mapping[str, str]) -> Iterator[tuple[str, Aspect]]:
    """Return for each moment in a condition whether its day counts, its time of day, or both.

    `kinds` are the types of moments, `kept` those of constants.
    """
    path = tree.path(node)
    if path in kinds and path is not None:
        yield from ((path, aspect) for aspect in _ALL_OF[kinds[path]])
        return
    match node:
        case tree.Filtered(of=of, filter=word) if tree.path(of) in kinds and word in _IN_WORDS:
            yield str(tree.path(of)), _IN_WORDS[word]
        case tree.Comparison(first=first, rest=(tree.Compared(comparator=comparator, value=value),)):
            sides = [first, *(value.items if isinstance(value, tree.Listed) else [value])]
            only = _common([_seen(side, {**kept, **kinds}) for side in sides], is_order=comparator in ORDERS)
            for found, aspect in (each for side in sides for each in aspects_of(side, kinds, kept)):
                if only in {None, aspect}:
                    yield found, aspect
        case _:
            for child in tree.children(node):
                yield from aspects_of(child, kinds, kept)


def _seen(side: tree.Node, kinds: Mapping[str, str]) -> str:
    """Return what a side of a comparison is, as far as that decides which part of a moment counts."""
    if kind := kinds.get(tree.path(side) or ""):
        return kind
    match literal(side):
        case time():
            return "time"
        case YearDay() | date() as day if not isinstance(day, datetime):
            return "date"
    return "other"


def _common(seen: Sequence[str], *, is_order: bool) -> Aspect | None:
    """Return what counts of moments opposite something that says less; None: all of them."""
    less = set(seen) - {"datetime"}
    if less == {"date"}:
        return "day"
    return "clock" if less == {"time"} and is_order else None


class Moments:
    """What stands for all days, and for all times of day."""

    zone: Mapping[str, Value] = {"now": datetime(_FIRST, 1, 1, tzinfo=UTC)}
    "All is tried in one zone: which one it is makes no difference to what the clock on its wall can show."

    def __init__(self, parts: Sequence[tree.Node], kept: Iterable[Value]) -> None:
        written = [literal(part) for part in parts]
        self._written = [moment for moment in (*written, *kept) if isinstance(moment, date | time | YearDay)]
        self._filters = {part.filter for part in parts if isinstance(part, tree.Filtered)}
        self._words = [part.value for part in parts if isinstance(part, tree.Constant) and isinstance(part.value, str)]
        moved = [part for part in parts if isinstance(part, tree.Moved)]
        self._shifts = {shift for part in moved if (shift := _shift(part)) is not None}
        self.is_clear = len(self._shifts) <= 6 and all(_shift(part) is not None for part in moved)
        "Whether it is known by how much everything is moved."
        self._made: dict[Aspect, Sequence[Value]] = {}

    def of(self, aspect: Aspect) -> Sequence[Value]:
        """Return the values of an aspect; none, where it is not known which are needed."""
        if aspect not in self._made:
            made = self._days() if aspect == "day" else self._clocks()
            self._made[aspect] = made if self.is_clear else ()
        return self._made[aspect]

    @staticmethod
    def made(kind: str, root: str, given: Mapping[Hashable, Value]) -> Value:
        """Make a moment of what is given for its day and its time of day."""
        day, clock = given.get((root, "day"), _SOME_DAY), given.get((root, "clock"), time(12))
        if day is None or clock is None or kind != "datetime":
            return day if kind == "date" else clock if kind == "time" else None
        return datetime.combine(cast("date", day), cast("time", clock), UTC)

    # --- times of day ---

    def _clocks(self) -> list[Value]:
        at = {0, _DAY - 1}
        for moment in self._written:
            if isinstance(moment, datetime | time):
                at.add(_micros(moment.astimezone(UTC) if isinstance(moment, datetime) and moment.tzinfo else moment))
        if self._filters & {"time", "datetime"}:
            at.update(range(0, _DAY, 60_000_000))
        moved = {shift // timedelta(microseconds=1) for shift in self._shifts}
        at |= {(one + sign * shift) % _DAY for one in at for shift in moved for sign in (1, -1)}
        ordered = sorted(at)
        between = [one + (two - one) * part // 3 for one, two in pairwise(ordered) for part in (1, 2)]
        return [_clock(one) for one in sorted({*ordered, *between})]

    # --- days ---

    def _days(self) -> list[Value]:
        fixed = {
            moment.date() if isinstance(moment, datetime) else moment
            for moment in self._written
            if isinstance(moment, date)
        }
        fixed |= {day for word in self._words if (day := _long_date(word)) is not None}
        of_year = [moment.day for moment in self._written if isinstance(moment, YearDay)]
        has_words = bool(self._filters & {"date", "longDate", "datetime"})
        is_weekly = "weekday" in self._filters or has_words
        years = _years(fixed, cycle=_YEARS if is_weekly else 2)
        turning = {*fixed, *(day for year in years for one in of_year if (day := _in_year(one, year)) is not None)}
        reach = 7 if is_weekly and fixed else 1
        moved = {0, *(round(sign * shift / timedelta(days=1)) for shift in self._shifts for sign in (1, -1))}
        found = {day for one in turning for by in moved for day in _around(one, by, reach)}
        week = [_SOME_DAY + timedelta(days=number) for number in range(7)]
        found |= {day for one in week for by in moved for day in _around(one, by, 1)}
        return [*sorted(found | (_all_words(years) if has_words else set()))]


_SOME_DAY = date(_FIRST, 1, 1)


def _micros(at: datetime | time) -> int:
    return ((at.hour * 60 + at.minute) * 60 + at.second) * 1_000_000 + at.microsecond


def _clock(micros: int) -> time:
    return (datetime(_FIRST, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).time()


def _years(fixed: set[date], cycle: int) -> range:
    first = min((day.year for day in fixed), default=_FIRST)
    last = max((day.year for day in fixed), default=_FIRST)
    return range(max(2, first - 1), min(9990, last + cycle + 1))


def _in_year(day: date, year: int) -> date | None:
    try:
        return day.replace(year=year)
    except ValueError:  # 29 February
        return None


def _around(day: date, by: int, reach: int) -> list[date]:
    middle = day.toordinal() + by
    return [date.fromordinal(at) for at in range(middle - reach, middle + reach + 1) if 1 <= at <= date.max.toordinal()]


def _all_words(years: range) -> set[date]:
    """Return a day for everything that the filter `date` can say: each day of the year on each day of the week."""
    first, last = date(years[0], 1, 1).toordinal(), date(years[-1], 12, 31).toordinal()
    days = map(date.fromordinal, range(first, last + 1))
    return set({(day.month, day.day, day.weekday()): day for day in days}.values())


def _long_date(word: str) -> date | None:
    """Read `November 24, 2026`, as the filter `longDate` says it."""
    try:
        return datetime.strptime(word, "%B %d, %Y").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None


def _shift(part: tree.Moved) -> timedelta | None:
    """Return by how much something is moved, if that is written out."""
    if not isinstance(part.count, tree.Constant) or type(part.count.value) is not int or part.count.value > 100_000:
        return None
    by = timedelta(**{part.unit: part.count.value})
    return by if part.unit in WHOLE_DAYS or by < timedelta(days=400) else None
