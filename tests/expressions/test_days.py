"""Days: what a caller keyed against today, later and earlier, days of any year, lists of them (LANGUAGE C11)."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.engine.expressions.check import check_guard, infer
from ivr.engine.expressions.compile import compile_expression
from ivr.engine.expressions.narrow import narrowed
from ivr.engine.expressions.types import DATE, DATETIME, INTEGER, TEXT, TIME, Type, optional
from ivr.engine.values import Value
from ivr.errors import ExpressionFailed

VIENNA = ZoneInfo("Europe/Vienna")
ENV = {
    "now": DATETIME,
    "today": DATE,
    "wish": DATE,
    "maybe": optional(DATE),
    "booked": DATETIME,
    "opens": TIME,
    "name": TEXT,
    "note": optional(TEXT),
    "n": INTEGER,
    "few": optional(INTEGER),
}


def at(text: str) -> datetime:
    """Make a moment as the engine does: from seconds since the epoch, in the flow's zone."""
    return datetime.fromtimestamp(datetime.fromisoformat(text).replace(tzinfo=VIENNA).timestamp(), VIENNA)


def value(source: str, now: datetime, **names: Any) -> Value:
    return compile_expression(source).value({"now": now, "today": now.date(), **names})


def said(guard: str) -> list[str]:
    return [str(error) for error in check_guard(compile_expression(guard), ENV)]


# --- what a caller keyed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("guard", ["wish < today", "wish < now", "not (wish >= today)", "now > wish", "today > wish"])
@pytest.mark.parametrize(
    ("day", "is_past"), [("2026-11-19", True), ("2026-11-20", False), ("2026-11-21", False), ("2025-12-24", True)]
)
@pytest.mark.parametrize("clock", ["00:00", "09:30", "23:59:59"])
def test_not_in_the_past_is_a_guard_however_it_is_written(guard: str, day: str, is_past: bool, clock: str) -> None:
    assert value(guard, at(f"2026-11-20T{clock}"), wish=date.fromisoformat(day)) is is_past


@pytest.mark.parametrize(
    ("day", "is_near"),
    [("2026-11-19", False), ("2026-11-20", True), ("2026-12-20", True), ("2026-12-21", False)],
)
def test_within_the_next_days_is_a_guard(day: str, is_near: bool) -> None:
    wish = date.fromisoformat(day)
    for guard in ("today <= wish <= today + 30 days", "now <= wish <= now + n days", "today <= wish <= now + 30 days"):
        assert value(guard, at("2026-11-20T23:00"), wish=wish, n=30) is is_near


def test_a_day_is_compared_with_one_that_is_written_out() -> None:
    now = at("2026-12-24T18:00")
    for guard in (
        "today == '2026-12-24'",
        "now == '2026-12-24'",
        "'2026-12-24' == now",
        "now != '2026-12-25'",
        "'2026-12-23' < now < '2026-12-25'",
        "now <= '2026-12-24' <= now",
        "today in ['2026-12-24', '2026-12-31']",
        "now not in ['2026-12-25', '12-31']",
    ):
        assert value(guard, now) is True, guard


@pytest.mark.parametrize("year", [2024, 2026, 2031])
def test_a_day_of_any_year_is_written_without_one(year: int) -> None:
    for guard in ("today == '12-24'", "now == '12-24'", "today in ['12-24', '12-31']", "'12-20' <= today < '12-25'"):
        assert value(guard, at(f"{year}-12-24T09:00")) is True, guard
        assert value(guard, at(f"{year}-12-27T09:00")) is False, guard


def test_the_last_day_of_february_is_a_day_of_any_year() -> None:
    assert value("today == '02-29'", at("2028-02-29T09:00"))
    assert not value("today == '02-29'", at("2026-02-28T09:00"))
    assert value("'02-28' < today < '03-01'", at("2028-02-29T09:00"))


def test_what_day_it_is_is_said_by_the_flows_zone() -> None:
    late = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)  # half past midnight in Vienna
    now = late.astimezone(VIENNA)
    assert value("booked == '2027-01-01' and booked == '01-01' and booked == today", now, booked=late)
    assert value("booked < '00:31'", now, booked=late.astimezone(timezone(timedelta(hours=-8))))
    assert value("booked == '2026-12-31'", late, booked=late)


def test_a_moment_is_compared_with_one_that_is_written_out() -> None:
    now = at("2026-12-24T18:00:01")
    assert value("now > '2026-12-24 18:00' and now < '2026-12-24T18:01'", now), "without an offset: on the flow's clock"
    assert value("now > '2026-12-24T17:00Z' and '2026-12-24T12:00:02-05:00' > now", now)
    assert value("booked == '2026-12-24T17:00+00:00'", now, booked=at("2026-12-24T18:00"))


def test_in_the_hour_that_comes_twice_the_later_moment_is_later() -> None:
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC).astimezone(VIENNA) for hour in (0, 1))
    assert value("booked < now and not now <= booked and now != booked", second, booked=first)
    assert value("now + 30 minutes > now", second.replace(minute=45, fold=0))


def test_a_moment_without_an_offset_is_one_of_the_flows_clock() -> None:
    naive = datetime(2026, 7, 1, 7, 30)  # noqa: DTZ001 - of a service, perhaps
    assert value("naive < now and naive == '2026-07-01'", at("2026-07-01T08:00"), naive=naive)
    with pytest.raises(ExpressionFailed, match="without an offset cannot be compared"):
        compile_expression("naive < booked").value({"naive": naive, "booked": at("2026-07-01T08:00")})
    assert compile_expression("naive + 2 hours").value({"naive": naive}) == naive + timedelta(hours=2)
    assert compile_expression("naive + 2 days").value({"naive": naive}) == naive + timedelta(days=2)


def test_the_ends_of_the_calendar_are_no_crash() -> None:
    first, zone = datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), at("2026-07-01T08:00")
    for source in ("first < now", "first == today", "first < '08:00'", "first - 1 minute", "today - 99999 weeks * 1"):
        with pytest.raises(ExpressionFailed):
            value(source if "*" not in source else "today - 999999 weeks", zone, first=first)


# --- later and earlier -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("today + 1 day", date(2026, 11, 21)),
        ("today - 3 weeks", date(2026, 10, 30)),
        ("today + n days", date(2026, 11, 23)),
        ("today + (n * 7) days", date(2026, 12, 11)),
        ("today + -n days", date(2026, 11, 17)),
        ("today + n|round days", date(2026, 11, 23)),
        ("today + 1 week - 1 day", date(2026, 11, 26)),
        ("now + 2 hours - 30 minutes", at("2026-11-20T11:00")),
        ("now + 1 week", at("2026-11-27T09:30")),
        ("(today + 34 days) | date", "Thursday, December 24"),
        ("days + day", 7),
    ],
)
def test_days_and_moments_are_moved(source: str, expected: Value) -> None:
    assert value(source, at("2026-11-20T09:30"), n=3, days=3, day=4) == expected


def test_days_keep_the_time_on_the_wall_and_hours_pass() -> None:
    before = at("2026-03-28T12:00")  # the night takes an hour
    assert value("now + 1 day", before) == at("2026-03-29T12:00")
    assert value("now + 24 hours", before) == at("2026-03-29T13:00")
    assert value("now + 1 day", at("2026-03-28T02:30")) == at("2026-03-29T03:30"), "there is no 02:30 that day"
    assert value("now - 1 day", at("2026-10-26T12:00")) == at("2026-10-25T12:00")
    assert value("now - 24 hours", at("2026-10-25T12:00")) == datetime(2026, 10, 24, 11, tzinfo=UTC)


moments = st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda moment: moment.astimezone(VIENNA)
)
counts = st.integers(-4000, 4000)


@given(moments, counts)
def test_so_many_days_later_is_the_day_so_many_later(now: datetime, n: int) -> None:
    later = value("now + n days", now, n=n)
    assert isinstance(later, datetime)
    assert later.date() == value("today + n days", now, n=n) == now.date() + timedelta(days=n)
    assert value("now + n days == today + n days and now + (7 * n) days == now + n weeks", now, n=n)
    shown = datetime.combine(later.date(), now.time())
    gap = later.replace(tzinfo=None) - shown
    assert gap in {timedelta(0), timedelta(hours=1)}, "the time on the wall, or the one that the clocks went on to"


@given(moments, counts, st.sampled_from(["hours", "minutes"]))
def test_so_many_hours_later_so_many_have_passed(now: datetime, n: int, unit: str) -> None:
    later = value(f"now + n {unit}", now, n=n)
    assert isinstance(later, datetime)
    assert later.astimezone(UTC) - now.astimezone(UTC) == timedelta(**{unit: n})
    assert value(f"now + n {unit} - n {unit} == now", now, n=n)
    assert later.utcoffset() == later.astimezone(UTC).astimezone(VIENNA).utcoffset()


@given(moments, moments)
def test_two_moments_are_ordered_as_they_happen(one: datetime, two: datetime) -> None:
    assert value("one < now", two, one=one) is (one.timestamp() < two.timestamp())
    assert value("one == now", two, one=one) is (one.timestamp() == two.timestamp())


@given(moments, st.dates(date(2000, 1, 1), date(2060, 1, 1)))
def test_of_two_days_one_is_first_or_they_are_one(now: datetime, day: date) -> None:
    found = [value(f"day {sign} now", now, day=day) for sign in ("<", "==", ">")]
    assert found == [day < now.date(), day == now.date(), day > now.date()]
    written = f"'{day:%Y-%m-%d}'"
    assert found == [value(f"{written} {sign} now", now) for sign in ("<", "==", ">")]


# --- what is told before any call ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "guard",
    [
        "wish < now and wish != now",
        "wish == '2026-12-01' and '2026-12-01' <= wish",
        "maybe == today or maybe == '12-24'",
        "today in ['12-24', '2026-12-31', wish, now]",
        "maybe in [wish] and maybe not in ['12-24']",
        "now + 30 days > wish - 1 week",
        "now + n hours >= '2026-12-24 18:00'",
        "note in ['a', none] and n in [1, 2.5]",
        "opens in ['08:00', opens]",
    ],
)
def test_what_can_be_compared_is_no_mistake(guard: str) -> None:
    assert said(guard) == []


DAY = "Write a day such as '2026-12-24', or '12-24' for that of any year."


@pytest.mark.parametrize(
    ("guard", "marked", "message"),
    [
        ("wish < '24.12.2026'", "wish < '24.12.2026'", f"A value of type date cannot be compared with one of type text. {DAY}"),  # noqa: E501
        ("wish == '02-30'", "wish == '02-30'", f"A value of type date cannot be compared with one of type text. {DAY}"),
        ("wish < opens", "wish < opens", "A value of type date cannot be compared with one of type time."),
        ("today in ['12-24', '24-12']", "'24-12'", f"A value of type date cannot be compared with one of type text. {DAY}"),  # noqa: E501
        ("name in ['a', 1]", "1", "A value of type text cannot be compared with one of type integer."),
        ("(now | weekday) in ['Sunday', 'Sonday']", "'Sonday'", '"weekday" never returns "Sonday". Did you mean "Sunday"?'),  # noqa: E501
        ("now in ['08:00']", "'08:00'", 'A value of type datetime cannot be compared with one of type time. Compare only the order: "<", ">=".'),  # noqa: E501
        ("name in [nam]", "nam", 'Unknown name "nam". Did you mean "name"?'),
        ("today + 30 > wish", "today", 'A value of type date cannot be used in a calculation. State the amount, such as "+ 30 days".'),  # noqa: E501
        ("today + 2 hours > now", "today", "A value of type date cannot be moved by hours."),
        ("opens - 30 minutes < now", "opens", 'A value of type time cannot be moved by minutes. Dates and times can be moved, such as "today" and "now".'),  # noqa: E501
        ("now + 1.5 hours > wish", "1.5", "A number of hours must be an integer, not decimal."),
        ("now + few days > wish", "few", '"few" may have no value here. Guard it, or write "few or …".'),
        ("maybe + 1 day > wish", "maybe", '"maybe" may have no value here. Guard it, or write "maybe or …".'),
    ],
)  # fmt: skip
def test_a_comparison_that_was_not_meant_so(guard: str, marked: str, message: str) -> None:
    [error] = check_guard(compile_expression(guard), ENV)
    assert str(error) == message
    assert guard[error.offset : error.offset + error.length] == marked


def test_a_moved_value_is_of_the_type_that_was_moved() -> None:
    assert infer(compile_expression("today + 1 day"), ENV) == (DATE, [])
    assert infer(compile_expression("now - 1 minute"), ENV) == (DATETIME, [])


def test_what_is_one_of_a_list_is_there() -> None:
    def type_of_note(guard: str, *, holds: bool) -> Type:
        return narrowed(ENV, compile_expression(guard).node, holds=holds)["note"]

    assert type_of_note("note in ['a', 'b']", holds=True) == TEXT
    assert type_of_note("note not in ['a', 'b']", holds=False) == TEXT
    assert type_of_note("note not in ['a', 'b']", holds=True) == optional(TEXT)
    assert type_of_note("note in ['a', none]", holds=True) == optional(TEXT)
    assert type_of_note("note in ['a', name]", holds=True) == optional(TEXT)
    assert type_of_note("note ~ '' in ['a']", holds=True) == optional(TEXT)
