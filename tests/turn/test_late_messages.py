"""Messages for a call that is over: each is answered, and they do not fill the disk."""

from typing import Literal

from ivr.advance import NOTHING_FOLLOWS, REMEMBERED
from ivr.engine.events import CallEnded, CallReceived, Event, InputTimedOut
from ivr.engine.flow import Flow
from ivr.ports import Incoming, WebhookReply
from ivr.store.memory import MemoryStore
from ivr.turn import Turns
from tests.flows import flow_of
from tests.turn.simulator import KEY, Line

SHORT = flow_of("""
flow: short
initial: ask
on: {exhausted: bye, error: bye, hangup: bye}
states:
  ask: {digits: {prompt: press}, next: bye}
  bye: {say: goodbye, final: true}
""")


class OneFlow:
    def choose(self, name: str | None, called: str) -> Flow:
        return SHORT

    async def get(self, hash: str) -> Flow:
        return SHORT


class NoJobs:
    def kick(self) -> None:
        raise AssertionError("nothing is asked of a service here")

    async def settled(self, call: str, timeout: float) -> None:
        raise AssertionError("nothing is asked of a service here")


class House:
    """A server's turns, and one call."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.turns = Turns(
            store=self.store,
            channels={"sim": Line()},
            flows=OneFlow(),
            jobs=NoJobs(),
            now=lambda: 1000.0,
            mint=lambda: "0" * 32,
            idle=60.0,
            budget=2.0,
        )

    async def told(self, message: str, *events: Event, wants: Literal["actions", "ack"] = "actions") -> WebhookReply:
        incoming = Incoming(KEY, message, events, wants, starts=message == "first")
        return await self.turns.take(incoming, arrived=1000.0)

    async def steps(self) -> int:
        return len(await self.store.trace("0" * 32))


async def over() -> House:
    """A call that is over."""
    house = House()
    await house.told("first", CallReceived("29:anna", "28:bot"))
    await house.told("last", CallEnded("caller"))
    record = await house.store.load(KEY)
    assert record
    assert record.call.phase == "over"
    return house


async def test_every_late_message_is_answered_alike_and_few_are_kept() -> None:
    house = await over()
    before = await house.steps()
    answers = [await house.told(f"late {number}", InputTimedOut("1.1")) for number in range(1000)]
    assert answers == [NOTHING_FOLLOWS] * 1000
    assert await house.steps() - before == REMEMBERED
    record = await house.store.load(KEY)
    assert record
    assert len(record.replies) == REMEMBERED


async def test_a_late_message_that_comes_again_gets_the_same_answer_kept_or_not() -> None:
    house = await over()
    messages = [f"late {number}" for number in range(40)]
    first = [await house.told(message, InputTimedOut("1.1")) for message in messages]
    kept = await house.steps()
    assert [await house.told(message, InputTimedOut("1.1")) for message in messages] == first
    assert await house.steps() == kept


async def test_a_call_that_goes_on_takes_every_message_however_many_said_nothing() -> None:
    house = House()
    await house.told("first", CallReceived("29:anna", "28:bot"))
    for number in range(2 * REMEMBERED):
        assert await house.told(f"notice {number}", wants="ack") == NOTHING_FOLLOWS
    before = await house.steps()
    await house.told("last", CallEnded("caller"))
    record = await house.store.load(KEY)
    assert record
    assert (record.call.phase, await house.steps()) == ("over", before + 1)
