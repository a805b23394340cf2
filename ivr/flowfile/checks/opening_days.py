"""Checks of calendars: days that exist, hours that lie apart, holidays that are known (LANGUAGE C15)."""

from collections.abc import Iterator, Mapping, Sequence

from ivr.engine.calendars import Hours
from ivr.engine.expressions.convert import Misfit
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.checks.file_format import VALUE
from ivr.flowfile.checks.variable_types import zone_findings
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.holidays_data import country_meant, is_country, is_region, region_meant
from ivr.flowfile.opening_hours import WEEKDAYS, YEARS, CalendarWritten, Holidays, dates_of, weekdays_of
from ivr.flowfile.source import Path
from ivr.nearest import did_you_mean

CALENDAR = Check(
    "calendar",
    "both",
    "A calendar never opens, or has days that mean nothing.",
    group="Values",
    bad="""
calendars:
  office: {closed: {12-24: Christmas Eve}}
states:
  start: {say: "{{ 'We are here.' if calendar.office.open else 'We are closed.' }}", next: bye}
""",
    good="""
calendars:
  office: {weekly: {mon-fri: "09:00-17:00"}, closed: {12-24: Christmas Eve}}
states:
  start: {say: "{{ 'We are here.' if calendar.office.open else 'We are closed.' }}", next: bye}
""",
)


@CALENDAR.error
def _never_opens(name: str) -> Text:
    return f'"{name}" never opens.', 'Add "weekly" with its hours.'


@CALENDAR.error
def _twice(weekday: str, other: str) -> Text:
    return f'The hours of "{weekday}" are given twice: here and by "{other}".', "Delete one of them."


@CALENDAR.warning
def _overlapping() -> Text:
    return "These hours overlap with others of the same day.", "Write them as one."


@CALENDAR.warning
def _unknown_year(year: int) -> Text:
    years = f"{YEARS[0]} to {YEARS[-1]}"
    return f"No holidays are known for {year}.", f'They are known for {years}; write those of {year} under "closed".'


@VALUE.message
def _not_a_weekday(key: str) -> Text:
    meant = _weekday_meant(key)
    return f'"{key}" is not a weekday.', meant or f"Possible: {', '.join(WEEKDAYS)}, or several such as mon-thu."


@VALUE.message
def _not_a_date(key: str) -> Text:
    ways = "Write 2026-12-24, 12-24 for that day of every year, or 2026-07-27/2026-08-07 for days in a row."
    return f'"{key}" is not a date.', ways


@VALUE.message
def _no_such_country(code: str, advice: str) -> Text:
    return f'No holidays are known for the country "{code}".', advice


@VALUE.message
def _no_such_region(country: str, region: str, advice: str) -> Text:
    return f'No region of {country} is called "{region}".', advice


def _weekday_meant(key: str) -> str:
    """Suggest weekdays for those that are written in full, in capitals, or in two letters."""
    words = [word.strip()[:3].lower() for word in key.replace("\u2013", "-").split("-")]
    meant = "-".join(next((day for day in WEEKDAYS if len(word) > 1 and day.startswith(word)), word) for word in words)
    try:
        weekdays_of(meant)
    except Misfit:
        return did_you_mean(key.lower(), WEEKDAYS)
    return f'Did you mean "{meant}"?'


@CALENDAR.finder
def calendars(document: Document) -> Iterator[Finding]:
    """Find mistakes in the calendars of a flow."""
    for name, written in document.model.calendars.items():
        here = ("calendars", name)
        yield from zone_findings(document, written.time_zone, (*here, "timeZone"))
        yield from _weekdays(document, written, (*here, "weekly"))
        yield from _dates(document, written, here)
        if written.holidays is not None:
            yield from _holidays(document, written.holidays, (*here, "holidays"))
        if not written.weekly and not written.open and document.is_sound(*here):
            yield document.finding(_never_opens(name), here, key=True)


def _weekdays(document: Document, written: CalendarWritten, here: Path) -> Iterator[Finding]:
    given: dict[int, str] = {}
    for key in written.weekly:
        try:
            weekdays = weekdays_of(key)
        except Misfit:
            yield document.finding(_not_a_weekday(key), (*here, key), key=True)
            continue
        again = next((weekday for weekday in weekdays if weekday in given), None)
        if again is not None:
            yield document.finding(_twice(WEEKDAYS[again], given[again]), (*here, key), key=True)
        given.update(dict.fromkeys(weekdays, key))
        yield from _overlaps(document, written.weekly[key], (*here, key))


def _overlaps(document: Document, hours: Sequence[Hours], here: Path) -> Iterator[Finding]:
    """Find hours of a day that overlap with others of it: one of the times is probably mistyped."""
    for number, each in enumerate(hours):
        if any(each.opens < before.closes and before.opens < each.closes for before in hours[:number]):
            yield document.finding(_overlapping(), (*here, number))


def _dates(document: Document, written: CalendarWritten, here: Path) -> Iterator[Finding]:
    dated: Mapping[str, Mapping[str, object]] = {"closed": written.closed, "open": written.open}
    for word, days in dated.items():
        for key in days:
            try:
                dates = dates_of(key)
            except Misfit:
                yield document.finding(_not_a_date(key), (*here, word, key), key=True)
                continue
            unknown = [day.year for day in dates if day.year not in YEARS]
            if unknown and written.holidays:
                yield document.finding(_unknown_year(unknown[0]), (*here, word, key), key=True)


def _holidays(document: Document, written: Holidays, here: Path) -> Iterator[Finding]:
    if not is_country(written.country):
        problem = _no_such_country(written.country, country_meant(written.country))
        yield document.finding(problem, (*here, "country"))
    elif written.region is not None and not is_region(written.country, written.region):
        problem = _no_such_region(written.country, written.region, region_meant(written.country, written.region))
        yield document.finding(problem, (*here, "region"))
