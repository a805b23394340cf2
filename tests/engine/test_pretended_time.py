"""A flow can be tried at any time: what it believes moves, what it waits for does not."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from ivr.call_record import CallRecord, Stepped
from ivr.engine.call import Facts, new_call
from ivr.engine.events import CallReceived, RecordingMade
from ivr.engine.machine import step
from ivr.engine.pretend import FIRST, LAST, ahead, read_time
from ivr.ports import CallKey
from ivr.trace.files import dumps, loads
from ivr.trace.recorded import case_of
from ivr.trace.replay import replay
from tests.caller import STARTED
from tests.flows import flow_of

NEW_YORK = ZoneInfo("America/New_York")
HOURS = """
flow: hours
initial: door
timeZone: Europe/Berlin
on: {error: shut, exhausted: shut}
states:
  door: {decide: [{guard: "now >= '09:00' and now < '17:00'", target: open}, shut]}
  open:
    record: {prompt: "You called at {{ call.startedAt | time }}.", transcribe: true, into: words}
    next: shut
  shut: {say: "It is {{ now | time }} on {{ now | date }}.", final: true}
"""


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("10:00", time(10)),
        ("22:05:30", time(22, 5, 30)),
        ("2026-12-24", datetime(2026, 12, 24)),  # noqa: DTZ001
        ("2026-12-24 18:00", datetime(2026, 12, 24, 18)),  # noqa: DTZ001
        ("2026-12-24T18:00:01", datetime(2026, 12, 24, 18, 0, 1)),  # noqa: DTZ001
    ],
)
def test_a_time_a_day_or_both_can_be_written(text: str, moment: datetime | time) -> None:
    assert read_time(text) == moment


@pytest.mark.parametrize(
    "text", ["", "ten", "25:00", "1000", "10:00+01:00", "2026-02-30", "0001-01-01", "9999-12-31", "2026-12-24T18:00Z"]
)
def test_anything_else_is_told_with_how_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        read_time(text)


@example(datetime(2288, 11, 4, 1, fold=1), 0.0)  # noqa: DTZ001
@given(st.datetimes(datetime.combine(FIRST, time()), datetime.combine(LAST, time())), st.floats(0, 4e9))
def test_the_clock_shows_the_time_that_was_wanted(wanted: datetime, now: float) -> None:
    wanted = wanted.replace(microsecond=0, fold=0)  # of an hour that comes twice the first: a text cannot say which
    shown = now + ahead(str(wanted), NEW_YORK, now=now)
    # An hour that daylight saving leaves out is the one after it.
    assert shown == pytest.approx(wanted.replace(tzinfo=NEW_YORK).timestamp(), abs=1e-3)


@given(st.times(), st.floats(0, 4e9))
def test_a_time_of_day_is_today_where_the_flow_is(wanted: time, now: float) -> None:
    wanted = wanted.replace(microsecond=0)
    shown = datetime.fromtimestamp(round(now + ahead(str(wanted), NEW_YORK, now=now)), NEW_YORK)
    today = datetime.fromtimestamp(now, NEW_YORK).date()
    assert shown == datetime.combine(today, wanted, NEW_YORK) or shown.dst() != datetime.combine(today, time()).dst()


def test_a_flow_believes_it_and_its_deadlines_do_not() -> None:
    flow = flow_of(HOURS)
    call = new_call(flow.hash, Facts(id="1", channel="test"))
    taken = step(flow, call, CallReceived("29:a", "28:b", at="2026-12-24 10:30"), now=STARTED)
    assert taken.call.state == "open"
    assert "10:30 AM" in str(taken.commands)
    assert taken.call.facts.started == STARTED
    recorded = step(flow, taken.call, RecordingMade(taken.call.asked[-1].op, 2.0, "a.wma"), now=STARTED + 60)
    assert recorded.call.deadline == STARTED + 60 + 30


def test_a_call_at_a_pretended_time_replays_the_same_on_any_day() -> None:
    flow = flow_of(HOURS)
    call = new_call(flow.hash, Facts(id="1" * 32, channel="test"))
    event = CallReceived("29:a", "28:b", at="2026-12-24 18:30")
    taken = step(flow, call, event, now=STARTED)
    record = CallRecord("1" * 32, CallKey("test", "a", "1"), replace(taken.call))
    case = case_of(record, [Stepped(event, STARTED, taken.commands, taken.path)], flow, {})
    assert case.header.started.isoformat() == "2026-12-24T17:30:00+00:00"
    assert "It is 6:30 PM on Thursday, December 24." in str(case.lines[0].heard)
    assert replay(loads(dumps(case), "case"), flow).verdict == "same"
