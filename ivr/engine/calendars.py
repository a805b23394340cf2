"""Opening hours: when a calendar is open, why it is not, and when it opens next (LANGUAGE C15).

Hours are times on the clock on the wall, in the calendar's zone: a calendar is open whenever that clock shows a time
within its hours, however often it shows it in the night when the clocks change. Hours over midnight belong to the day
on which they begin: what closes that day takes all of them, and what closes the next day leaves them.

A change can only come at the edge of some hours or where the clocks change. So time is looked at in *stretches* of one
offset from UTC, in which the clock on the wall runs evenly.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from msgspec import Struct

from ivr.engine.language_choice import in_language
from ivr.engine.values import Value
from ivr.errors import ExpressionFailed

Reason: TypeAlias = Literal["open", "hours", "holiday", "closed"]
Notice: TypeAlias = Mapping[str, str]
"What is said of a closed day, by language tag; the empty tag stands for every language."

FIELDS = ("open", "reason", "notice", "nextOpen", "closes")
REASONS: tuple[Reason, ...] = ("open", "hours", "holiday", "closed")
MOST_DAYS = 100
"Open days that can be asked for: what a list of choices can have."

_MINUTE = 60
_DAY = 86_400
_FIRST_DAY = date(1970, 1, 1).toordinal()
_WEEK = 7
_AHEAD = 15
"Days after the last one that is written by its date: two whole weeks come again and again."


class Hours(Struct, frozen=True, order=True):
    """From one time of day to another, in minutes after midnight; the end is not included."""

    opens: int
    closes: int
    "Up to 1440; over midnight 1440 more than the time on the next day."


class Calendar(Struct, frozen=True, dict=True):
    """When somebody is there. What is written for a date wins over what is written for its weekday."""

    zone: ZoneInfo
    weekly: tuple[tuple[Hours, ...], ...]
    "For each weekday, Monday first."
    open: Mapping[date, tuple[Hours, ...]] = {}
    "Wins over everything else on that date."
    closed: Mapping[date, Notice] = {}
    holidays: Mapping[date, Notice] = {}

    def hours(self, day: date) -> tuple[Hours, ...]:
        """Return the hours that begin on a day."""
        if day in self.open:
            return self.open[day]
        if day in self.closed or day in self.holidays:
            return ()
        return self.weekly[day.weekday()]

    @cached_property
    def last_date(self) -> int:
        """The last date that something is written for, counted in days since 1970; without any, 0."""
        days = (*self.open, *self.closed, *self.holidays)
        return _number(max(days)) if days else 0


class CalendarFacts(Mapping[str, Value]):
    """What an expression can read of a calendar at one moment; nothing is worked out before it is read."""

    def __init__(self, calendar: Calendar, now: float, language: str, shut: str | None = None) -> None:
        """Take the moment in seconds since 1970, UTC. `shut`: an operator has closed it, and says so in these words."""
        self._calendar = calendar
        self._now = int(now // 1)
        self._language = language
        self._shut = shut

    def __getitem__(self, name: str) -> Value:
        match name:
            case "open":
                return self._is_open
            case "reason":
                return self._reason
            case "notice":
                return self._notice()
            case "nextOpen":
                return self._moment(self._next[0])
            case "closes":
                return self._moment(self._next[1])
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        yield from FIELDS

    def __len__(self) -> int:
        return len(FIELDS)

    def days(self, count: int) -> tuple[date, ...]:
        """Return the next so many days on which it opens; today is one of them while it is open or still opens.

        Raises ExpressionFailed for a number below 1 or above `MOST_DAYS`.
        """
        if not 1 <= count <= MOST_DAYS:
            raise ExpressionFailed(f"only 1 to {MOST_DAYS} open days can be asked for")
        first = self._today if self._shut is None else self._today + 1
        until = max(self._calendar.last_date, first) + _WEEK * (count + 1) + _AHEAD
        found: dict[int, None] = {}
        for piece in _pieces(self._calendar, self._now, first, until):
            found[piece.owner] = None
            if len(found) == count:
                break
        return tuple(map(_day, found))

    @cached_property
    def _today(self) -> int:
        """The date in the calendar's zone, in days since 1970."""
        return (self._now + _offset(self._calendar.zone, self._now)) // _DAY

    @cached_property
    def _is_open(self) -> bool:
        return self._shut is None and self._spans[0][0] == self._now

    @cached_property
    def _spans(self) -> tuple[tuple[int | None, int | None], ...]:
        """The two next times from when to when it is open; the first begins now where it is open now."""
        # Hours that began yesterday may last until now; an operator shuts whatever began by today.
        first = self._today - 1 if self._shut is None else self._today + 1
        until = max(self._calendar.last_date, first) + _AHEAD
        found = tuple(islice(_spans(self._calendar, self._now, first, until), 2))
        return (*found, *[(None, None)] * (2 - len(found)))

    @property
    def _next(self) -> tuple[int | None, int | None]:
        """When it opens next, and when it closes next."""
        first, second = self._spans
        return (second[0], first[1]) if self._is_open else first

    @property
    def _reason(self) -> Reason:
        if self._shut is not None:
            return "closed"
        if self._is_open:
            return "open"
        today = _day(self._today)
        if today in self._calendar.open:
            return "hours"
        if today in self._calendar.closed:
            return "closed"
        return "holiday" if today in self._calendar.holidays else "hours"

    def _notice(self) -> str:
        if self._shut is not None:
            return self._shut
        today = _day(self._today)
        match self._reason:
            case "closed":
                return words_of(self._calendar.closed[today], self._language)
            case "holiday":
                return words_of(self._calendar.holidays[today], self._language)
        return ""

    def _moment(self, at: int | None) -> datetime | None:
        return None if at is None else datetime.fromtimestamp(at, self._calendar.zone)


def words_of(notice: Notice, language: str) -> str:
    """Return the words for a language: its own, those of its first part, those of all languages, or the first."""
    words = in_language(notice, language)
    return next(iter(notice.values()), "") if words is None else words


# --- looking along time ----------------------------------------------------------------------------------------------


class _Piece(Struct, frozen=True):
    """A part of some hours that passes while the clocks are not changed."""

    start: int
    "Seconds since 1970, UTC; so is `end`, which is not included."
    end: int
    owner: int
    "The day on which the hours begin, in days since 1970."


def _spans(calendar: Calendar, now: int, first: int, until: int) -> Iterator[tuple[int | None, int | None]]:
    """Go through the times from when to when it is open; an end that comes after the day `until` is none."""
    start, end = None, now - 1
    for piece in _pieces(calendar, now, first, until):
        if piece.start <= end:
            end = max(end, piece.end)
            continue
        if start is not None:
            yield start, end
        start, end = piece.start, piece.end
    if start is not None:
        yield start, end if end < _stop(calendar, until) else None


def _stop(calendar: Calendar, until: int) -> int:
    """Return an instant on the last day that is looked at."""
    return until * _DAY - _offset(calendar.zone, until * _DAY)


def _pieces(calendar: Calendar, now: int, first: int, until: int) -> Iterator[_Piece]:
    """Go through the pieces of hours from `now` on, in order, that begin on a day from `first` to about `until`."""
    for start, end, offset in _stretches(calendar.zone, now):  # pragma: no branch  # time does not end
        earliest, latest = (start + offset) // _DAY, (end - 1 + offset) // _DAY
        for number in range(earliest, latest + 1):
            for hours, owner in _on_the_wall(calendar, number):
                opens = max(number * _DAY + hours.opens * _MINUTE - offset, start)
                closes = min(number * _DAY + hours.closes * _MINUTE - offset, end)
                if opens < closes and owner >= first:
                    yield _Piece(opens, closes, owner)
        if earliest > until:
            return


def _on_the_wall(calendar: Calendar, number: int) -> list[tuple[Hours, int]]:
    """Return the hours of one day from midnight to midnight, in order, each with the day on which it began."""
    minutes = _DAY // _MINUTE
    before = [
        (Hours(0, hours.closes - minutes), number - 1)
        for hours in calendar.hours(_day(number - 1))
        if hours.closes > minutes
    ]
    own = [(Hours(hours.opens, min(hours.closes, minutes)), number) for hours in calendar.hours(_day(number))]
    return sorted([*before, *own])


def _stretches(zone: ZoneInfo, now: int) -> Iterator[tuple[int, int, int]]:
    """Go through time from `now` on in stretches of at most a day and of one offset: start, end, offset in seconds."""
    start, offset = now, _offset(zone, now)
    while True:
        end = start + _DAY
        after = _offset(zone, end)
        if after != offset:
            end = _change(zone, start, end)
            after = _offset(zone, end)
        yield start, end, offset
        start, offset = end, after


def _change(zone: ZoneInfo, start: int, end: int) -> int:
    """Return when the clocks change between two instants with different offsets: the first second after it."""
    offset = _offset(zone, start)
    while end - start > 1:
        middle = (start + end) // 2
        if _offset(zone, middle) == offset:
            start = middle
        else:
            end = middle
    return end


def _offset(zone: ZoneInfo, at: int) -> int:
    return int((datetime.fromtimestamp(at, zone).utcoffset() or timedelta()).total_seconds())


def _number(day: date) -> int:
    return day.toordinal() - _FIRST_DAY


def _day(number: int) -> date:
    return date.fromordinal(number + _FIRST_DAY)
