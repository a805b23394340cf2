"""When a calendar is open, in every time zone, over midnight and through every change of the clocks (LANGUAGE C15)."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.engine.calendars import Calendar, CalendarFacts, Hours, words_of
from ivr.engine.expressions.failure import WrongKind
from ivr.engine.expressions.operations import open_days
from ivr.errors import ExpressionFailed
from ivr.flowfile.zones import zone_names

DAY = 24 * 60
VIENNA = ZoneInfo("Europe/Vienna")
WORKDAYS = ((Hours(9 * 60, 17 * 60),),) * 4 + ((Hours(9 * 60, 12 * 60), Hours(13 * 60, 15 * 60)), (), ())
OFFICE = Calendar(
    VIENNA,
    WORKDAYS,
    open={date(2026, 12, 31): (Hours(9 * 60, 12 * 60),)},
    closed={date(2026, 12, 24): {"en": "Christmas Eve", "de": "Heiligabend"}},
    holidays={date(2026, 12, 25): {"de-AT": "Christtag"}, date(2026, 12, 26): {"de": "Stefanitag"}},
)
BAR = Calendar(VIENNA, ((),) * 4 + ((Hours(22 * 60, DAY + 6 * 60),), (), ()))


def at(calendar: Calendar, moment: str, *, language: str = "en-US", shut: str | None = None) -> CalendarFacts:
    """Look at a calendar at a time on the wall of its own zone."""
    when = datetime.fromisoformat(moment).replace(tzinfo=calendar.zone)
    return CalendarFacts(calendar, when.timestamp(), language, shut)


def shown(value: object) -> str:
    assert isinstance(value, datetime)
    return value.strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("moment", "reason", "opens", "closes"),
    [
        ("2026-11-30 08:59", "hours", "2026-11-30 09:00", "2026-11-30 17:00"),
        ("2026-11-30 09:00", "open", "2026-12-01 09:00", "2026-11-30 17:00"),
        ("2026-11-30 17:00", "hours", "2026-12-01 09:00", "2026-12-01 17:00"),  # the end is not included
        ("2026-12-04 12:30", "hours", "2026-12-04 13:00", "2026-12-04 15:00"),
        ("2026-12-04 15:00", "hours", "2026-12-07 09:00", "2026-12-07 17:00"),
        ("2026-12-24 10:00", "closed", "2026-12-28 09:00", "2026-12-28 17:00"),
        ("2026-12-25 10:00", "holiday", "2026-12-28 09:00", "2026-12-28 17:00"),
        ("2026-12-31 11:59", "open", "2027-01-01 09:00", "2026-12-31 12:00"),  # a Thursday; no holiday is known there
        ("2026-12-31 14:00", "hours", "2027-01-01 09:00", "2027-01-01 12:00"),
    ],
)
def test_an_office_is_open_within_its_hours(moment: str, reason: str, opens: str, closes: str) -> None:
    facts = at(OFFICE, moment)
    assert (facts["reason"], facts["open"]) == (reason, reason == "open")
    assert (shown(facts["nextOpen"]), shown(facts["closes"])) == (opens, closes)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-12-04 21:59", False),
        ("2026-12-04 22:00", True),
        ("2026-12-05 00:00", True),
        ("2026-12-05 05:59", True),
        ("2026-12-05 06:00", False),
        ("2026-12-05 22:00", False),
    ],
)
def test_hours_over_midnight_end_on_the_next_day(moment: str, is_open: bool) -> None:
    assert at(BAR, moment)["open"] is is_open


def test_what_closes_a_day_takes_the_hours_that_begin_on_it_and_leaves_those_of_the_night_before() -> None:
    friday, saturday = date(2026, 12, 4), date(2026, 12, 5)
    both = {"22:00": "2026-12-04 22:00", "02:00": "2026-12-05 02:00"}
    shut_on_friday = Calendar(VIENNA, BAR.weekly, closed={friday: {"": "Renovation"}})
    shut_on_saturday = Calendar(VIENNA, BAR.weekly, closed={saturday: {"": "Renovation"}})
    assert [at(shut_on_friday, moment)["open"] for moment in both.values()] == [False, False]
    assert [at(shut_on_saturday, moment)["open"] for moment in both.values()] == [True, True]


def test_hours_until_24_00_go_on_into_hours_from_00_00() -> None:
    calendar = Calendar(VIENNA, ((Hours(18 * 60, DAY),), (Hours(0, 2 * 60),), *[()] * 5))
    assert shown(at(calendar, "2026-11-30 20:00")["closes"]) == "2026-12-01 02:00"


def test_hours_that_overlap_are_one_time() -> None:
    calendar = Calendar(VIENNA, ((Hours(9 * 60, 12 * 60), Hours(10 * 60, 11 * 60), Hours(11 * 60, 14 * 60)), *[()] * 6))
    assert shown(at(calendar, "2026-11-30 09:30")["closes"]) == "2026-11-30 14:00"


def test_other_hours_on_a_date_win_over_a_holiday_and_a_closing() -> None:
    day = date(2026, 12, 24)
    calendar = Calendar(VIENNA, WORKDAYS, open={day: (Hours(600, 660),)}, closed={day: {}}, holidays={day: {}})
    assert at(calendar, "2026-12-24 10:30")["open"] is True
    assert at(calendar, "2026-12-24 12:00")["reason"] == "hours"


def test_a_closing_wins_over_a_holiday() -> None:
    day = date(2026, 12, 25)
    calendar = Calendar(VIENNA, WORKDAYS, closed={day: {"": "Closed"}}, holidays={day: {"": "Christmas"}})
    assert (at(calendar, "2026-12-25 10:00")["reason"], at(calendar, "2026-12-25 10:00")["notice"]) == (
        "closed",
        "Closed",
    )


@pytest.mark.parametrize(
    ("language", "notice"), [("en-US", "Christmas Eve"), ("de-AT", "Heiligabend"), ("fr-FR", "Christmas Eve")]
)
def test_the_notice_of_a_closed_day_comes_in_the_language_of_the_call(language: str, notice: str) -> None:
    assert at(OFFICE, "2026-12-24 10:00", language=language)["notice"] == notice


@pytest.mark.parametrize(
    ("notice", "language", "words"),
    [
        ({"de-AT": "Jänner", "de": "Januar"}, "de-AT", "Jänner"),
        ({"de-AT": "Jänner", "de": "Januar"}, "de-CH", "Jänner"),
        ({"": "any"}, "de", "any"),
        ({}, "de", ""),
    ],
)
def test_words_are_those_of_the_language_or_of_its_first_part(
    notice: Mapping[str, str], language: str, words: str
) -> None:
    assert words_of(notice, language) == words


def test_there_is_no_notice_while_it_is_open_and_outside_of_the_hours() -> None:
    assert [at(OFFICE, moment)["notice"] for moment in ("2026-11-30 10:00", "2026-11-30 20:00")] == ["", ""]


def test_a_holiday_has_its_name() -> None:
    assert at(OFFICE, "2026-12-25 10:00", language="de-DE")["notice"] == "Christtag"


def test_a_calendar_that_always_opens_has_no_end_and_one_that_opened_for_the_last_time_opens_no_more() -> None:
    always = Calendar(VIENNA, ((Hours(0, DAY),),) * 7)
    fair = Calendar(VIENNA, ((),) * 7, open={date(2026, 5, 1): (Hours(0, DAY),)})
    assert (at(always, "2026-11-30 10:00")["open"], at(always, "2026-11-30 10:00")["closes"]) == (True, None)
    assert at(always, "2026-11-30 10:00")["nextOpen"] is None
    assert shown(at(fair, "2026-04-01 10:00")["nextOpen"]) == "2026-05-01 00:00"
    assert at(fair, "2026-05-02 10:00")["nextOpen"] is None
    assert at(fair, "2026-05-02 10:00").days(3) == ()


# --- the operator ----------------------------------------------------------------------------------------------------


def test_an_operator_shuts_a_calendar_for_the_day() -> None:
    facts = at(OFFICE, "2026-11-30 10:00", shut="A pipe has burst.")
    assert (facts["open"], facts["reason"], facts["notice"]) == (False, "closed", "A pipe has burst.")
    assert (shown(facts["nextOpen"]), shown(facts["closes"])) == ("2026-12-01 09:00", "2026-12-01 17:00")
    assert facts.days(2) == (date(2026, 12, 1), date(2026, 12, 2))


def test_an_operator_shuts_a_night_that_began_today() -> None:
    assert shown(at(BAR, "2026-12-04 23:00", shut="")["nextOpen"]) == "2026-12-11 22:00"


# --- open days -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "days"),
    [
        ("2026-12-23 08:00", ["2026-12-23", "2026-12-28", "2026-12-29"]),  # it still opens today
        ("2026-12-23 12:00", ["2026-12-23", "2026-12-28", "2026-12-29"]),
        ("2026-12-23 17:00", ["2026-12-28", "2026-12-29", "2026-12-30"]),
    ],
)
def test_today_is_an_open_day_while_it_is_open_or_still_opens(moment: str, days: list[str]) -> None:
    assert [day.isoformat() for day in at(OFFICE, moment).days(3)] == days


def test_a_night_is_an_open_day_on_the_day_it_begins() -> None:
    assert at(BAR, "2026-12-05 02:00").days(1) == (date(2026, 12, 11),)


@pytest.mark.parametrize("count", [0, 101, -1])
def test_at_most_a_hundred_open_days_can_be_asked_for(count: int) -> None:
    with pytest.raises(ExpressionFailed):
        at(OFFICE, "2026-12-05 02:00").days(count)
    assert len(at(OFFICE, "2026-12-05 02:00").days(100)) == 100


def test_a_calendar_has_the_facts_of_the_language_and_no_other() -> None:
    facts = at(OFFICE, "2026-11-30 10:00")
    assert (list(facts), len(facts)) == (["open", "reason", "notice", "nextOpen", "closes"], 5)
    with pytest.raises(KeyError):
        facts["shut"]


# --- every zone, every change of the clocks --------------------------------------------------------------------------

ZONES = sorted(zone_names())
HOURS = st.builds(
    lambda opens, length: Hours(opens * 15, opens * 15 + length * 15), st.integers(0, 95), st.integers(1, 95)
)
DATES = st.dates(date(2026, 3, 1), date(2026, 4, 30))
CALENDARS = st.builds(
    lambda zone, weekly, open_, closed: Calendar(
        ZoneInfo(zone), tuple(map(tuple, weekly)), {day: tuple(some) for day, some in open_.items()}, closed
    ),
    st.sampled_from(ZONES),
    st.lists(st.lists(HOURS, max_size=3), min_size=7, max_size=7).filter(any),
    st.dictionaries(DATES, st.lists(HOURS, max_size=2), max_size=3),
    st.dictionaries(DATES, st.just({"": "closed"}), max_size=3),
)
MOMENTS = st.integers(
    int(datetime(2015, 1, 1, tzinfo=UTC).timestamp()) // 60, int(datetime(2060, 12, 1, tzinfo=UTC).timestamp()) // 60
)


def wall_says_open(calendar: Calendar, seconds: float) -> bool:
    """Look at the clock on the wall, and at nothing else: what the whole of the arithmetic must agree with."""
    wall = datetime.fromtimestamp(seconds, calendar.zone)
    minute = wall.hour * 60 + wall.minute
    today, yesterday = wall.date(), wall.date() - timedelta(1)
    return any(hours.opens <= minute < hours.closes for hours in calendar.hours(today)) or any(
        minute + DAY < hours.closes for hours in calendar.hours(yesterday)
    )


def clock_changes(zone: str) -> list[int]:
    """Return some minutes about which the clocks of a zone change in 2026."""
    begin = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    offsets = [
        (at, datetime.fromtimestamp(at, ZoneInfo(zone)).utcoffset())
        for at in range(begin, begin + 365 * 86400, 3 * 3600)
    ]
    return [at // 60 for (at, one), (_, other) in pairwise(offsets) if one != other]


def holds(calendar: Calendar, minute: int) -> None:
    now = minute * 60
    facts = CalendarFacts(calendar, now, "en")
    is_open = wall_says_open(calendar, now)
    assert facts["open"] is is_open
    assert (facts["reason"] == "open") is is_open
    opens, closes = facts["nextOpen"], facts["closes"]
    if is_open:
        last = min(closes.timestamp() if isinstance(closes, datetime) else now + 3 * 86400, now + 3 * 86400)
        assert all(wall_says_open(calendar, each) for each in range(now, int(last), 900))
        if isinstance(closes, datetime):
            assert not wall_says_open(calendar, closes.timestamp())
            assert wall_says_open(calendar, closes.timestamp() - 1)
    elif isinstance(opens, datetime):
        assert opens.timestamp() > now
        assert not any(wall_says_open(calendar, each) for each in range(now, int(opens.timestamp()), 900))
    if isinstance(opens, datetime):
        assert wall_says_open(calendar, opens.timestamp())
        assert not wall_says_open(calendar, opens.timestamp() - 1)
    days = facts.days(3)
    assert all(map(calendar.hours, days))
    assert [*days] == sorted(set(days))
    assert all(day >= datetime.fromtimestamp(now, calendar.zone).date() for day in days)


@given(CALENDARS, MOMENTS)
@settings(deadline=None, max_examples=300)
def test_no_instant_is_open_and_closed_and_nothing_is_open_before_it_opens_next(
    calendar: Calendar, minute: int
) -> None:
    holds(calendar, minute)


@pytest.mark.parametrize("zone", ZONES)
def test_where_the_clocks_change_the_clock_on_the_wall_decides(zone: str) -> None:
    """A quarter of an hour that is left out, or comes twice, in a calendar that is open in every other one."""
    quarters = tuple(Hours(minute, minute + 15) for minute in range(0, DAY, 30))
    night = (Hours(23 * 60 + 45, DAY + 45), Hours(2 * 60, 2 * 60 + 30))
    for weekly in ((quarters,) * 7, (night,) * 7):
        calendar = Calendar(ZoneInfo(zone), weekly)
        for change in clock_changes(zone):
            for minute in range(change - 60, change + 4 * 60, 30):
                holds(calendar, minute)


def test_only_a_calendar_has_open_days_and_their_number_is_an_integer() -> None:
    with pytest.raises(WrongKind, match="only a calendar has open days"):
        open_days("office", 1)
    with pytest.raises(WrongKind, match="a number of days is an integer, not text"):
        open_days(at(OFFICE, "2026-11-24 09:40"), "1")
