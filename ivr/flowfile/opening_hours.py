"""Calendars: how they are written, and what the engine gets of them (LANGUAGE C15).

Days stand in keys: `mon`, `mon-thu` of a week; `2026-12-24`, `12-24` of every year, `2026-07-27/2026-08-07`. What is
wrong with a key is told by a check, so that one bad day hides no other.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from ivr.engine.calendars import Calendar, Hours, Notice
from ivr.engine.expressions.convert import Misfit, iso_date
from ivr.flowfile.containers import Fields, OneOrMany
from ivr.flowfile.fields import Json, ScalarField, Text, Words, refused
from ivr.flowfile.model_base import Model

T = TypeVar("T")

YEARS = range(2015, 2061)
"For which holidays are known, and days of every year are written out."
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*[-\u2013]\s*(\d{1,2}):(\d{2})", re.ASCII)
_MIDNIGHT = 24 * 60
_WEEK = 7 * _MIDNIGHT
_LONGEST = 366
"Days in a row that one key can stand for."
_LEAP_YEAR = 2000


class HoursField(ScalarField):
    """From one time of day to another: `09:00-17:00`; over midnight `22:00-06:00`; to its end `18:00-24:00`."""

    def read(self, text: str) -> Hours:
        """Read the two times."""
        found = _HOURS.fullmatch(text.strip())
        if found is None:
            raise refused("value", f'"{text}" is not a range of hours.', _as_written(text))
        opens, closes = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
        if int(found[2]) > 59 or int(found[4]) > 59 or opens >= _MIDNIGHT or closes > _MIDNIGHT:
            raise refused("value", f'"{text}" is not a range of hours.', "Times are 00:00 to 23:59, an end also 24:00.")
        meant = f"{int(found[1]):02}:{found[2]}-{int(found[3]):02}:{found[4]}"
        if text != meant:
            raise refused("value", f'"{text}" is not a range of hours.', f'Write "{meant}".', meant=meant)
        if opens == closes:
            raise refused("value", f'"{text}" is no time at all.', "For the whole day, write 00:00-24:00.")
        return Hours(opens, closes if closes > opens else closes + _MIDNIGHT)

    def schema(self) -> Json:
        """Describe it to an editor."""
        return {"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$"}


def _as_written(text: str) -> str:
    """Return how to write hours that cannot be read: several of them are a list."""
    several = [part.strip() for part in re.split("[,;&]", text)]
    if len(several) > 1 and all(map(_HOURS.fullmatch, several)):
        return "Write " + json.dumps(several) + "."
    return "Write hours such as 09:00-17:00."


class NoticeField:
    """A text for all languages, or a mapping from languages to texts."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._by_language, handler(source))

    def _by_language(self, value: object) -> object:
        return {"": value} if isinstance(value, str) else value

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        return {"anyOf": [Words().schema(), handler(core)]}


SeveralHours = Annotated[list[Annotated[Hours, HoursField()]], OneOrMany()]


class Holidays(Model):
    """The public holidays of a country, on which it is closed."""

    country: Text = Field(description="Two letters, such as AT (ISO 3166).")
    region: Text | None = Field(None, description="A part of the country, as ISO 3166-2 calls it; some have more days.")


class CalendarWritten(Model):
    """When somebody is there."""

    time_zone: Text | None = Field(None, description="Of its hours, such as Europe/Vienna; default: the flow's.")
    weekly: Annotated[dict[str, SeveralHours], Fields("weekdays with their hours")] = Field(
        {}, description="Hours by weekday: mon, mon-thu. 09:00-17:00, or a list; over midnight 22:00-06:00."
    )
    holidays: Holidays | None = Field(None, description="Public holidays, on which it is closed: country, region.")
    closed: Annotated[dict[str, Annotated[dict[str, Text], NoticeField()]], Fields("dates with their reasons")] = Field(
        {}, description="Days on which it is closed, each with what is said about it: 2026-12-24: Christmas Eve."
    )
    open: Annotated[dict[str, SeveralHours], Fields("dates with their hours")] = Field(
        {}, description="Days with other hours; wins over everything: 2026-12-31: 09:00-12:00."
    )


def weekdays_of(key: str) -> tuple[int, ...]:
    """Return the weekdays that a key stands for, Monday is 0; raise Misfit."""
    first, dash, last = key.lower().partition("-")
    if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
        raise Misfit("not a weekday")
    begin = WEEKDAYS.index(first)
    end = WEEKDAYS.index(last) if dash else begin
    return tuple((begin + by) % 7 for by in range((end - begin) % 7 + 1))


def dates_of(key: str) -> tuple[date, ...]:
    """Return the dates that a key stands for; raise Misfit."""
    first, slash, last = key.partition("/")
    if slash:
        begin, end = iso_date(first), iso_date(last)
        if not 0 <= (end - begin).days < _LONGEST:
            raise Misfit("not some days in a row")
        return tuple(begin + timedelta(by) for by in range((end - begin).days + 1))
    if len(key) == len("12-24"):
        day = iso_date(f"{_LEAP_YEAR}-{key}")
        return tuple(_in_each_year(day))
    return (iso_date(key),)


def _in_each_year(day: date) -> Iterator[date]:
    for year in YEARS:
        if (day.month, day.day) != (2, 29) or year % 4 == 0:
            yield day.replace(year=year)


def closes_and_opens(written: CalendarWritten) -> bool:
    """Return whether it opens and closes in every week, so that it is known when it does so next."""
    minutes: set[int] = set()
    try:
        for key, hours in written.weekly.items():
            for weekday in weekdays_of(key):
                for each in hours:
                    minutes.update((weekday * _MIDNIGHT + minute) % _WEEK for minute in range(each.opens, each.closes))
    except Misfit:
        return True  # a check tells it; nothing follows from it
    return 0 < len(minutes) < _WEEK


def calendar(written: CalendarWritten, zone: ZoneInfo, holidays: Mapping[str, Mapping[str, str]]) -> Calendar:
    """Build a calendar; `holidays` has the names of its holidays by date (ISO 8601) and language."""
    weekly: list[tuple[Hours, ...]] = [()] * 7
    for key, hours in written.weekly.items():
        for weekday in weekdays_of(key):
            weekly[weekday] = tuple(hours)
    return Calendar(
        zone,
        tuple(weekly),
        open={day: tuple(hours) for day, hours in _dated(written.open)},
        closed=dict[date, Notice](_dated(written.closed)),
        holidays={date.fromisoformat(day): names for day, names in holidays.items()},
    )


def _dated(written: Mapping[str, T]) -> Iterator[tuple[date, T]]:
    """Go through what is written for dates; what is written for fewer of them comes later, and so counts."""
    dates = {key: dates_of(key) for key in written}
    for key in sorted(written, key=lambda key: len(dates[key]), reverse=True):
        yield from ((day, written[key]) for day in dates[key])
