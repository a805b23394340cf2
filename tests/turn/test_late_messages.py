"""The end of a call, told once, and messages after it: each is answered, and they do not fill the disk."""

import logging

import pytest

from ivr.call_record import REMEMBERED
from ivr.engine.events import CallEnded, CallReceived, InputTimedOut, KeysPressed
from tests.flows import flow_of
from tests.turn.house import House, Houses
from tests.turn.simulator import KEY, Line

NOTHING = Line().nothing("commands")

SHORT = flow_of("""
flow: short
initial: ask
on: {exhausted: bye, error: bye, hangup: bye}
states:
  ask: {digits: {prompt: press}, next: bye}
  bye: {say: goodbye, final: true}
""")


COMPUTED = flow_of("""
flow: computed
initial: ask
variables: {keyed: {type: text, default: nothing}}
on: {exhausted: bye, error: bye, hangup: bye}
states:
  ask: {digits: {prompt: press, into: keyed}, next: bye}
  bye: {say: goodbye, set: {outcome: "{{ keyed }}"}, final: true}
""")


async def over(house_of: Houses) -> House:
    """A call that is over."""
    house = house_of(SHORT)
    await house.told("first", CallReceived("29:anna", "28:bot"))
    house.time = 1007.25
    await house.told("last", CallEnded("caller"))
    record = await house.store.load(KEY)
    assert record
    assert record.call.phase == "over"
    return house


async def test_every_late_message_is_answered_alike_and_few_are_kept(house_of: Houses) -> None:
    house = await over(house_of)
    before = await house.steps()
    answers = [await house.told(f"late {number}", InputTimedOut("1.1")) for number in range(1000)]
    assert answers == [NOTHING] * 1000
    assert await house.steps() - before == REMEMBERED
    record = await house.store.load(KEY)
    assert record
    assert len(record.replies) == REMEMBERED


async def test_a_late_message_that_comes_again_gets_the_same_answer_kept_or_not(house_of: Houses) -> None:
    house = await over(house_of)
    messages = [f"late {number}" for number in range(40)]
    first = [await house.told(message, InputTimedOut("1.1")) for message in messages]
    kept = await house.steps()
    assert [await house.told(message, InputTimedOut("1.1")) for message in messages] == first
    assert await house.steps() == kept


async def test_a_call_that_goes_on_takes_every_message_however_many_said_nothing(house_of: Houses) -> None:
    house = house_of(SHORT)
    await house.told("first", CallReceived("29:anna", "28:bot"))
    for number in range(2 * REMEMBERED):
        assert await house.told(f"notice {number}", wants="ack") == NOTHING
    before = await house.steps()
    house.time = 1007.25
    await house.told("last", CallEnded("caller"))
    record = await house.store.load(KEY)
    assert record
    assert (record.call.phase, await house.steps()) == ("over", before + 1)


def ends(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    fields = ("call", "flow", "outcome", "state", "seconds")
    told = [record.__dict__ for record in caplog.records if record.message == "call over"]
    return [{name: record[name] for name in fields if name in record} for record in told]


async def test_the_end_of_a_call_is_logged_once(house_of: Houses, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    house = await over(house_of)
    for number in range(5):
        await house.told(f"late {number}", InputTimedOut("1.1"))
    await house.turns.wake(KEY)
    end = {"call": "0" * 32, "flow": "short", "outcome": "abandoned", "state": "bye", "seconds": 7.2}
    assert ends(caplog) == [end]


async def test_the_end_of_a_call_that_fell_silent_is_logged_once(
    house_of: Houses, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    house = house_of(SHORT)
    await house.told("first", CallReceived("29:anna", "28:bot"))
    await house.turns.wake(KEY)
    assert ends(caplog) == []
    house.time = 1060.0
    await house.turns.wake(KEY)
    await house.turns.wake(KEY)
    (end,) = ends(caplog)
    assert end["seconds"] == 60.0


async def test_an_outcome_that_the_caller_decided_is_not_logged(
    house_of: Houses, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    house = house_of(COMPUTED)
    await house.told("first", CallReceived("29:anna", "28:bot"))
    asked = await house.store.load(KEY)
    assert asked
    await house.told("keys", KeysPressed(asked.call.asked[-1].op, "4711", "terminator"))
    await house.told("last", CallEnded("caller"))
    record = await house.store.load(KEY)
    assert record
    assert (record.call.phase, record.call.outcome) == ("over", "4711")
    assert ends(caplog) == [{"call": "0" * 32, "flow": "computed", "state": "bye", "seconds": 0.0}]
