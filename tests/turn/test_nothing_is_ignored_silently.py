"""Each message that is accepted moves the call, is a known repeat, or leaves one line in the log and in the trace."""

import logging

import pytest

from ivr.call_record import REMEMBERED
from ivr.engine.events import CallEnded, CallReceived, Event, InputTimedOut, KeysPressed, OperationDone, RecordingMade
from tests.flows import flow_of
from tests.turn.house import House, Houses
from tests.turn.simulator import KEY

ASKS = flow_of("""
flow: asks
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask: {digits: {prompt: press}, next: bye}
  bye: {say: goodbye, final: true}
""")


@pytest.fixture
async def house(house_of: Houses, caplog: pytest.LogCaptureFixture) -> House:
    caplog.set_level(logging.INFO)
    house = house_of(ASKS)
    await house.told("first", CallReceived("29:anna", "28:bot"))
    return house


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[object, object]]:
    lines = [record.__dict__ for record in caplog.records if record.message == "message ignored"]
    assert all((line["call"], line["flow"]) == ("0" * 32, "asks") for line in lines)
    return [(line["code"], line["reason"]) for line in lines]


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ((CallReceived("29:anna", "28:bot"),), ("CallReceived", "the call has begun")),
        ((KeysPressed("9.9", "1"),), ("KeysPressed", "not the operation awaited")),
        ((RecordingMade("9.9", 1.0, "a.wma"),), ("RecordingMade", "not the operation awaited")),
        ((), ("LineReported", "a report that moves no call")),
        ((OperationDone("9.9"), InputTimedOut("9.9")), ("OperationDone", "not the operation awaited")),
    ],
    ids=["a second beginning", "an answer to nothing", "a recording of nothing", "a notice", "two things at once"],
)
async def test_what_moves_a_running_call_nowhere_says_why(
    house: House, caplog: pytest.LogCaptureFixture, events: tuple[Event, ...], why: tuple[str, str]
) -> None:
    await house.told("odd", *events)
    await house.told("odd", *events)  # a repeat is known
    assert told(caplog) == [why]
    trace = house.store.traces["0" * 32]
    assert [(type(line.event).__name__, line.ignored) for line in trace][1] == why


async def test_so_does_what_comes_for_a_call_that_is_over(house: House, caplog: pytest.LogCaptureFixture) -> None:
    await house.told("end", CallEnded("caller"), wants="ack")
    assert told(caplog) == []
    await house.told("again", CallEnded("caller"), wants="ack")
    await house.told("keys", KeysPressed("1.1", "1"))
    assert told(caplog) == [("CallEnded", "the call is over"), ("KeysPressed", "the call is over")]


async def test_a_recording_is_not_dropped_silently_where_its_message_moves_the_call(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    await house.told("late", RecordingMade("9.9", 1.0, "a.wma"), CallEnded("caller", "9.9"))
    assert (await house.record()).call.phase == "over"
    assert told(caplog) == [("RecordingMade", "not the operation awaited")]


@pytest.mark.parametrize("over", [False, True])
async def test_of_many_in_a_row_the_first_are_told_and_kept_and_the_last_of_them_says_so(
    house: House, caplog: pytest.LogCaptureFixture, over: bool
) -> None:
    if over:
        await house.told("end", CallEnded("caller"), wants="ack")
    before = await house.steps()
    for number in range(3 * REMEMBERED):
        await house.told(f"odd {number}", KeysPressed("9.9", "1"))
    lines = told(caplog)
    assert len(lines) == await house.steps() - before == REMEMBERED
    assert {str(reason).endswith("; further ones are not logged") for _, reason in lines[:-1]} == {False}
    assert str(lines[-1][1]).endswith("; further ones are not logged")


async def test_once_the_call_is_moved_it_is_told_again(house: House, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(3 * REMEMBERED):
        await house.told(f"odd {number}", KeysPressed("9.9", "1"))
    await house.told("keys", KeysPressed(await house.op(), "1"))
    await house.told("odd", KeysPressed("9.9", "1"))
    assert len(told(caplog)) == REMEMBERED + 1
    assert (await house.record()).unmoved == 1


async def test_a_call_begins_once_however_often_its_beginning_is_told(
    house_of: Houses, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    house = house_of(ASKS)
    for message in ("first", "first", "first again"):
        await house.told(message, CallReceived("29:anna", "28:bot"))
    begun = [record.__dict__["platform_call"] for record in caplog.records if record.message == "call begins"]
    assert begun == [KEY.id]
