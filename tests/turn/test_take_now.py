"""A message that waits for nothing but its commit is taken at once; everything else is left as it is, for `take`."""

import logging
from collections.abc import Callable

import pytest

from ivr.call_record import CallRecord, Commit
from ivr.engine.events import CallEnded, CallReceived, Event, KeysPressed, RecordingMade
from ivr.errors import StoreUnavailable
from ivr.ports import CallKey, Exchange, Incoming, Leg, WebhookReply
from ivr.storage import Absent
from ivr.store.memory.memory_calls import MemoryStore
from tests.flows import flow_of
from tests.turn.house import House
from tests.turn.simulator import KEY, Line

ASKS = flow_of("""
flow: asks
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask: {digits: {prompt: press}, next: note}
  note: {record: {prompt: speak, transcribe: true, into: note}, next: bye, on: {error.transcribe: bye}}
  bye: {say: goodbye, final: true}
""")

Told = list[WebhookReply | None]


def now(house: House, message: str, *events: Event, starts: bool = False) -> tuple[bool, Told]:
    """Try to take a message at once; return whether it was begun, and what was told."""
    told: Told = []
    return house.turns.take_now(Incoming(KEY, message, events, starts=starts), told=told.append), told


def begun(house: House) -> WebhookReply | None:
    taken, told = now(house, "first", CallReceived("29:anna", "28:bot"), starts=True)
    assert taken
    return told[0]


async def test_a_whole_call_is_taken_at_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    house = House(ASKS)
    first = begun(house)
    assert first is not None
    assert b"press" in first.body
    taken, told = now(house, "keys", KeysPressed(await house.op(), "1"))
    assert taken
    assert (await house.record()).last in told
    assert now(house, "end", CallEnded("caller", await house.op()))[0]
    lines = [record.message for record in caplog.records]
    assert lines == ["call begins", "call over"]


async def test_a_repeat_is_left_to_take_and_gets_the_same_bytes() -> None:
    house = House(ASKS)
    first = begun(house)
    assert now(house, "first", CallReceived("29:anna", "28:bot"), starts=True) == (False, [])
    assert await house.told("first", CallReceived("29:anna", "28:bot")) == first
    assert await house.steps() == 1


async def test_what_take_told_is_known_here_and_what_was_told_here_is_known_to_take() -> None:
    house = House(ASKS)
    await house.told("first", CallReceived("29:anna", "28:bot"))
    keys = KeysPressed(await house.op(), "1")
    (_, [reply]) = now(house, "keys", keys)
    assert await house.told("keys", keys) == reply
    assert (await house.record()).version == 2


async def test_a_reply_that_is_owed_is_told_as_none_and_its_order_is_begun() -> None:
    house = House(ASKS)
    begun(house)
    now(house, "keys", KeysPressed(await house.op(), "1"))
    taken, told = now(house, "words", RecordingMade(await house.op(), 2.5, "a.wma"))
    assert (taken, told) == (True, [None])
    assert list((await house.record()).replies.values())[-1] is None
    assert house.kicks.count == 1


async def test_a_message_of_no_call_and_one_of_a_call_that_is_over_are_left_to_take() -> None:
    house = House(ASKS)
    assert now(house, "keys", KeysPressed("1.1", "1")) == (False, [])
    begun(house)
    now(house, "end", CallEnded("caller"))
    assert now(house, "late", CallEnded("caller")) == (False, [])
    assert now(house, "again", CallReceived("29:anna", "28:bot"), starts=True) == (False, [])


async def test_a_call_whose_flow_is_not_in_memory_is_left_to_take() -> None:
    house = House(ASKS)
    begun(house)
    house.flows.here = False
    keys = KeysPressed(await house.op(), "1")
    assert now(house, "keys", keys) == (False, [])
    assert (await house.told("keys", keys)).body
    assert (await house.record()).version == 2


class Deaf(Line):
    """A line with a fault of its own."""

    def hear(self, leg: Leg, incoming: Incoming, *, now: float) -> Exchange:
        raise KeyError("a fault of ours")


async def test_a_fault_is_left_to_take_so_that_one_place_answers_and_logs_it() -> None:
    house = House(ASKS, Deaf())
    assert now(house, "first", CallReceived("29:anna", "28:bot"), starts=True) == (False, [])
    with pytest.raises(KeyError):
        await house.told("first", CallReceived("29:anna", "28:bot"))


class FullStore(MemoryStore):
    """Refuses at once, or later."""

    at_once: Exception | None = StoreUnavailable("full")

    def hand_over(self, commit: Commit, then: Callable[[Exception | None], None]) -> None:
        if self.at_once:
            raise self.at_once
        then(StoreUnavailable("full"))


async def test_what_could_not_be_saved_is_told_as_none_or_was_not_begun(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    store = FullStore()
    house = House(ASKS, store=store)
    assert now(house, "first", CallReceived("29:anna", "28:bot"), starts=True) == (False, [])
    store.at_once = TypeError("a fault of ours")
    assert now(house, "first", CallReceived("29:anna", "28:bot"), starts=True) == (False, [])
    store.at_once = None
    assert now(house, "first", CallReceived("29:anna", "28:bot"), starts=True) == (True, [None])
    assert await store.load(KEY) is None
    assert [record.message for record in caplog.records] == []


class Forgetful(MemoryStore):
    """Knows by a glance of no call, as where a call is over and was forgotten; counts what is looked up."""

    lookups = 0

    def glance(self, key: CallKey) -> CallRecord | Absent:
        return Absent.UNKNOWN

    async def load(self, key: CallKey) -> CallRecord | None:
        self.lookups += 1
        return await super().load(key)


async def test_a_new_call_is_not_looked_up_and_one_that_is_none_is_found_by_its_commit() -> None:
    store = Forgetful()
    house = House(ASKS, store=store)
    first = await house.told("first", CallReceived("29:anna", "28:bot"))
    assert store.lookups == 0
    assert now(house, "first", CallReceived("29:anna", "28:bot"), starts=True) == (False, [])
    assert await house.told("first", CallReceived("29:anna", "28:bot")) == first
    assert store.lookups == 1
    assert await house.steps() == 1
