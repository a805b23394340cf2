"""Opening hours: moments compared with times of day, and words that were meant as values (LANGUAGE C11)."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ivr.engine.expressions.check import check_guard
from ivr.engine.expressions.compile import compile_expression
from ivr.engine.expressions.failure import WrongKind
from ivr.engine.expressions.narrow import narrowed
from ivr.engine.expressions.types import DATE, DATETIME, INTEGER, TEXT, TIME, Type, optional
from ivr.engine.values import MaskedValue
from ivr.errors import MaskedRead

VIENNA = ZoneInfo("Europe/Vienna")
ENV = {
    "now": DATETIME,
    "opens": TIME,
    "later": optional(TIME),
    "clock": Type("list", item=TIME),
    "day": DATE,
    "name": TEXT,
    "tries": INTEGER,
}


def vienna(day: str, at: str) -> datetime:
    """Make a moment as the engine does: from seconds since the epoch, in the flow's zone."""
    seconds = datetime.fromisoformat(f"{day}T{at}").replace(tzinfo=VIENNA).timestamp()
    return datetime.fromtimestamp(seconds, VIENNA)


def holds(guard: str, **names: Any) -> bool:
    return compile_expression(guard).test(names)


def said(guard: str) -> list[str]:
    return [str(error) for error in check_guard(compile_expression(guard), ENV)]


@pytest.mark.parametrize(
    ("at", "is_open"),
    [("00:00", False), ("07:59:59", False), ("08:00", True), ("12:30", True), ("16:59:59", True), ("17:00", False)],
)
@pytest.mark.parametrize(
    "guard",
    [
        "now >= opens and now < closes",
        "now >= '08:00' and now < '17:00'",
        "'08:00' <= now < '17:00'",
        "opens <= now < closes",
        "not (now < opens or now >= closes)",
    ],
)
def test_opening_hours_however_they_are_written(guard: str, at: str, is_open: bool) -> None:
    names = {"now": vienna("2026-11-20", at), "opens": time(8), "closes": time(17)}
    assert holds(guard, **names) is is_open


def test_a_time_is_compared_with_one_that_is_written_out() -> None:
    assert holds("opens == '08:00' and opens < '08:00:01' and '07:59' != opens", opens=time(8))


def test_text_stays_text_opposite_text() -> None:
    assert holds("name == '08:00' and '08:00' < name ~ '!'", name="08:00")


@pytest.mark.parametrize(
    ("now", "is_night"),
    [
        (vienna("2026-03-29", "01:59:59"), True),
        (vienna("2026-03-29", "03:00"), False),  # one second later: there is no 02:00 that day
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC).astimezone(VIENNA), True),  # 02:30, the first time
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC).astimezone(VIENNA), True),  # 02:30, the second time
        (datetime(2026, 10, 25, 2, 0, tzinfo=UTC).astimezone(VIENNA), False),
    ],
)
def test_on_the_nights_when_the_clocks_change_the_clock_on_the_wall_counts(now: datetime, is_night: bool) -> None:
    assert holds("now < '03:00'", now=now) is is_night


def test_midnight_is_the_first_moment_of_a_day() -> None:
    assert holds("now >= '00:00' and now < '00:01'", now=vienna("2026-11-20", "00:00"))
    assert not holds("now < '00:00'", now=vienna("2026-11-20", "00:00"))


def test_a_moment_of_another_offset_is_read_on_the_flows_clock() -> None:
    now, booked = vienna("2026-07-01", "12:00"), datetime(2026, 7, 1, 7, 30, tzinfo=UTC)
    assert holds("booked >= '09:30' and booked < '09:31'", now=now, booked=booked)
    assert holds("'09:30' <= booked", now=now, booked=booked.astimezone(timezone(timedelta(hours=-8))))
    assert holds("naive < '08:00'", now=now, naive=datetime(2026, 7, 1, 7, 30))  # noqa: DTZ001 - of a service, perhaps
    assert holds("booked < '08:00'", booked=booked), "where nobody knows the zone, its own offset"


def test_a_private_time_stays_private() -> None:
    with pytest.raises(MaskedRead):
        holds("wakes <= '08:00'", wakes=MaskedValue())


@pytest.mark.parametrize(
    "guard", ["now == '08:00'", "now == opens", "now in '08:00'", "now < 'eight'", "day < '08:00'"]
)
def test_what_cannot_be_compared_has_no_value(guard: str) -> None:
    with pytest.raises(WrongKind):
        holds(guard, now=vienna("2026-11-20", "08:00"), opens=time(8), day=date(2026, 11, 20))


@pytest.mark.parametrize(
    "guard",
    [
        "now >= opens",
        "opens < now <= '17:00'",
        "'08:00' <= now < '17:00'",
        "opens == '08:00'",
        "later != '08:00'",
        "later is not none and later < now",
        "opens in clock",
        "(now | weekday) == 'Sunday'",
        "now | weekday in 'Saturday, Sunday'",
        "'Sun' in (now | weekday)",
        "(now | weekday | lower) == 'sunday'",
        "(name | lower) < 'm'",
        "(now | weekday) == name",
    ],
)
def test_what_can_be_compared_is_no_mistake(guard: str) -> None:
    assert said(guard) == []


TIME_OF_DAY = "Write a time of day such as '08:00'."
TIME_OR_DAY = "Write a time of day such as '08:00', or a day such as '2026-12-24'."
DAY = "Write a day such as '2026-12-24', or '12-24' for that of any year."
ONLY_ORDER = 'Compare only the order: "<", ">=".'
NO_ORDER = "returns words to be spoken, which have no order."
DAYS = "It returns Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday."


@pytest.mark.parametrize(
    ("guard", "messages"),
    [
        ("now | time >= '08:00'", [f'"time" {NO_ORDER} Write "now >= \'08:00\'".']),
        ("'17:00' > now | time", [f'"time" {NO_ORDER} Write "\'17:00\' > now".']),
        ("(now | time) < (opens | time)", [f'"time" {NO_ORDER} Write "now < opens".']),
        ("now | time < name ~ '!'", [f'"time" {NO_ORDER} Compare the value itself, without "| time".']),
        ("now | date < '2026-12-24'", [f'"date" {NO_ORDER} Compare the value itself, without "| date".']),
        ("tries | number > '3'", [f'"number" {NO_ORDER} Compare the value itself, without "| number".']),
        ("name | digits > '3'", [f'"digits" {NO_ORDER} Compare the value itself, without "| digits".']),
        (
            "now | weekday < 'Saturday'",
            [f"\"weekday\" {NO_ORDER} Write which are meant: \"(… | weekday) in ['Monday', 'Tuesday']\"."],
        ),
        ("(now | weekday) == 'sunday'", ['"weekday" never returns "sunday". Did you mean "Sunday"?']),
        ("'Sonday' != (now | weekday)", ['"weekday" never returns "Sonday". Did you mean "Sunday"?']),
        ("(now | weekday) == 'x'", [f'"weekday" never returns "x". {DAYS}']),
        ("(now | weekday) in 'sat'", [f'No result of "weekday" is in "sat". {DAYS}']),
        ("now == '08:00'", [f"A value of type datetime cannot be compared with one of type time. {ONLY_ORDER}"]),
        ("now != opens", [f"A value of type datetime cannot be compared with one of type time. {ONLY_ORDER}"]),
        ("now >= '8:00'", [f"A value of type datetime cannot be compared with one of type text. {TIME_OR_DAY}"]),
        ("name < opens", [f"A value of type text cannot be compared with one of type time. {TIME_OF_DAY}"]),
        ("now < '24:00'", [f"A value of type datetime cannot be compared with one of type text. {TIME_OR_DAY}"]),
        ("day < '08:00'", [f"A value of type date cannot be compared with one of type text. {DAY}"]),
        ("later < now", ['"later" may have no value here. Guard it, or write "later or …".']),
    ],
)
def test_a_comparison_that_was_not_meant_so(guard: str, messages: list[str]) -> None:
    assert said(guard) == messages


def test_a_time_that_was_compared_is_there() -> None:
    assert narrowed(ENV, compile_expression("later == '08:00'").node, holds=True)["later"] == TIME
