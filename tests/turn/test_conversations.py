"""Calls that follow each other in one conversation: which one a message is for, whatever is repeated or races."""

import asyncio

import pytest

from ivr.call_record import CallRecord
from ivr.conversations import REPEATED, numbered
from ivr.engine.events import CallReceived, ChoiceMade, Event, OperationDone
from ivr.errors import DamagedCall, WebhookError
from ivr.ports import CallKey, Incoming, WebhookReply
from ivr.store.memory.memory_calls import MemoryStore
from tests.flows import flow_of
from tests.turn.house import House
from tests.turn.simulator import KEY

FLOW = flow_of("""
flow: once
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask: {menu: {prompt: ask, choices: {yes: {dtmf: "1"}}}, on: {yes: bye}}
  bye: {say: bye, final: true}
""")
OTHERWISE = WebhookReply(202)


class Talk:
    """A conversation with a server."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.house = House(FLOW, store=store)
        self.calls = 0
        self.house.turns._mint = self._mint

    def _mint(self) -> str:
        self.calls += 1
        return f"{self.calls:032x}"

    async def says(self, message: str, *events: Event, starts: bool = True) -> WebhookReply:
        incoming = Incoming(KEY, message, events, starts=starts, again=True, otherwise=OTHERWISE)
        return await self.house.turns.take(incoming, arrived=self.house.time)

    async def call(self, number: int) -> CallRecord:
        record = await self.house.store.load(numbered(KEY, number))
        assert record is not None
        return record

    async def begins(self, message: str) -> WebhookReply:
        return await self.says(message, CallReceived("anna", "bot"))

    async def ends(self, number: int, message: str) -> WebhookReply:
        op = (await self.call(number)).call.asked[-1].op
        await self.says(f"{message} yes", ChoiceMade(op, "yes", "keys"))
        op = (await self.call(number)).call.asked[-1].op
        return await self.says(message, OperationDone(op))


async def test_after_a_call_is_over_the_next_message_begins_another_one() -> None:
    talk = Talk()
    for number in (1, 2, 3):
        await talk.begins(f"hello {number}")
        await talk.ends(number, f"end {number}")
        assert (await talk.call(number)).call.phase == "over"
    assert talk.calls == 3


async def test_a_message_of_a_call_under_way_begins_none() -> None:
    talk = Talk()
    await talk.begins("hello")
    await talk.begins("hello again")
    assert talk.calls == 1


async def test_a_repeat_gets_its_own_reply_also_when_its_call_is_over_and_another_one_is_under_way() -> None:
    talk = Talk()
    first = await talk.begins("hello")
    last = await talk.ends(1, "end")
    assert await talk.says("end", CallReceived("anna", "bot")) == last
    assert talk.calls == 1
    await talk.begins("hello 2")
    steps = (await talk.call(2)).steps
    assert await talk.begins("hello") == first
    assert await talk.begins("end") == last
    assert ((await talk.call(2)).steps, talk.calls) == (steps, 2)


async def test_nobody_repeats_for_ever() -> None:
    talk = Talk()
    await talk.begins("hello")
    await talk.ends(1, "end")
    await talk.begins("hello 2")
    talk.house.time += REPEATED
    before = (await talk.call(2)).steps
    await talk.begins("hello")
    assert (await talk.call(2)).steps == before + 1


async def test_what_begins_nothing_is_answered_otherwise_and_ends_no_call_that_is_over() -> None:
    talk = Talk()
    assert await talk.says("gone", starts=False) == OTHERWISE
    assert talk.calls == 0
    await talk.begins("hello")
    await talk.ends(1, "end")
    await talk.says("gone", starts=False)
    assert talk.calls == 1


async def test_without_another_answer_it_is_refused() -> None:
    talk = Talk()
    with pytest.raises(WebhookError):
        await talk.house.turns.take(Incoming(KEY, "gone", (), again=True), arrived=1000.0)


async def test_two_first_messages_at_once_are_one_call() -> None:
    talk = Talk()
    await asyncio.gather(talk.begins("hello"), talk.begins("are you there?"))
    assert len(talk.house.store.calls) == 1


class Damaged(MemoryStore):
    """A store of which one call cannot be read."""

    async def load(self, key: CallKey) -> CallRecord | None:
        if key == numbered(KEY, 1):
            raise DamagedCall("it cannot be read")
        return await super().load(key)


async def test_a_damaged_call_is_not_the_end_of_a_conversation() -> None:
    talk = Talk(Damaged())
    with pytest.raises(DamagedCall):
        await talk.call(1)
    await talk.begins("hello")
    await talk.begins("hello 2")
    assert {saved.record.key for saved in talk.house.store.calls.values()} == {numbered(KEY, 1), numbered(KEY, 2)}
