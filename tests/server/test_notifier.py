"""The worker of the outbox: what is due is sent once, tried again for a day, and then kept for the operator."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from ivr.call_record import CallRecord, Commit, Stepped
from ivr.engine.call import Call, Facts
from ivr.engine.commands import Notify
from ivr.engine.events import OperationDone
from ivr.errors import StoreUnavailable
from ivr.outbox import DeliveryState, Notification
from ivr.ports import CallKey
from ivr.server.deliverer import LEASE
from ivr.server.notifier import FIRST_PAUSE, GIVEN_UP, LONGEST_PAUSE, Notifier
from ivr.services.sender import NotSent
from ivr.store.memory.memory_calls import MemoryStore
from ivr.store.memory.memory_outbox import MemoryOutbox
from tests.waiting import PATIENCE, Clock, Gate

MAIL = Notify("1.1", "mail", "desk@example.com", "A call", "Words.")
CALL = "0" * 32


class Post:
    """A `Sender` that does what it is told to."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.fails: list[Exception] = []
        self.holds: Gate | None = None

    async def send(self, notification: Notification) -> None:
        self.sent.append(notification.id)
        if self.holds is not None:
            await self.holds.wait()
        if self.fails:
            raise self.fails.pop(0)


class Watched(MemoryOutbox):
    """An outbox that says what became of each try."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self.results: asyncio.Queue[Notification] = asyncio.Queue()
        self.refusals: list[StoreUnavailable] = []

    async def settle(self, notification: str, state: DeliveryState, *, at: float, reason: str = "") -> None:
        if self.refusals:
            raise self.refusals.pop()
        await super().settle(notification, state, at=at, reason=reason)
        found = await self.get(notification)
        assert found is not None
        self.results.put_nowait(found)


class World:
    def __init__(self) -> None:
        self.store = MemoryStore()
        self.outbox = Watched(self.store)
        self.post = Post()
        self.now = 1000.0

    async def tell(self, *told: Notify) -> None:
        record = CallRecord(CALL, CallKey("test", "a", "b"), Call("f", Facts(CALL)), version=1, steps=1)
        line = Stepped(OperationDone("1.1"), self.now)
        await self.store.commit(Commit(record, (line,), notifications=told))

    @asynccontextmanager
    async def notifier(self) -> AsyncIterator[Notifier]:
        notifier = Notifier(self.outbox, {"mail": self.post}, now=lambda: self.now)
        notifier.start()
        yield notifier
        await notifier.close()

    async def becomes(self, state: DeliveryState, *, tries: int) -> Notification:
        """Wait for the result of the next try."""
        async with asyncio.timeout(PATIENCE):
            one = await self.outbox.results.get()
        assert (one.state, one.tries) == (state, tries)
        return one


@pytest.fixture
def world() -> World:
    return World()


async def test_what_a_turn_tells_is_sent_once(world: World) -> None:
    async with world.notifier() as notifier:
        await world.tell(MAIL)
        notifier.kick()
        one = await world.becomes("sent", tries=1)
    assert world.post.sent == [one.id]
    assert one.notify is None


async def test_what_cannot_be_sent_is_tried_later_and_later_for_a_day(world: World) -> None:
    world.post.fails = [NotSent("timeout", "the mail server is down") for _ in range(99)]
    pauses = []
    await world.tell(MAIL)
    made = world.now
    async with world.notifier() as notifier:
        tries = 1
        while True:
            notifier.kick()
            if world.now + LONGEST_PAUSE > made + GIVEN_UP:
                one = await world.becomes("dead", tries=tries)
                break
            one = await world.becomes("waiting", tries=tries)
            pauses.append(one.due - world.now)
            world.now = one.due
            tries += 1
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert max(pauses) == LONGEST_PAUSE
    assert one.reason == "the mail server is down"
    assert one.notify == MAIL  # an operator can send it again


async def test_what_is_refused_for_good_is_dead_at_once(world: World) -> None:
    world.post.fails = [NotSent("refused", "no such mailbox", for_good=True)]
    await world.tell(MAIL)
    async with world.notifier():
        one = await world.becomes("dead", tries=1)
    assert one.reason == "no such mailbox"


async def test_one_that_an_operator_retries_is_sent(world: World) -> None:
    world.post.fails = [NotSent("refused", "no such mailbox", for_good=True)]
    await world.tell(MAIL)
    async with world.notifier() as notifier:
        one = await world.becomes("dead", tries=1)
        assert await world.outbox.retry(one.id, now=world.now)
        notifier.kick()
        await world.becomes("sent", tries=1)


async def test_a_mistake_of_a_sender_ends_no_worker(world: World) -> None:
    world.post.fails = [ZeroDivisionError()]
    await world.tell(MAIL)
    async with world.notifier():
        one = await world.becomes("waiting", tries=1)
    assert one.reason == "a mistake of this server"


async def test_a_way_without_a_server_waits_for_its_setting(world: World) -> None:
    await world.tell(replace(MAIL, way="webhook"))
    async with world.notifier():
        one = await world.becomes("waiting", tries=1)
    assert "IVR_WEBHOOK_SECRET" in one.reason


async def test_what_was_under_way_when_the_server_stopped_is_sent_by_the_next_one(world: World) -> None:
    world.post.holds = Gate()
    await world.tell(MAIL)
    async with world.notifier():
        await world.post.holds.reached()
    world.post.holds = None
    assert (await world.outbox.claim("another", now=world.now, lease=LEASE, limit=1)) == []
    async with world.notifier():
        await world.becomes("sent", tries=2)
    assert world.post.sent == [f"{CALL}.1.1"] * 2


async def test_a_store_that_is_away_for_a_while_sends_nothing_twice(world: World) -> None:
    world.outbox.refusals = [StoreUnavailable("the disk is full")]
    await world.tell(MAIL)
    with Clock.of_this_loop() as clock:
        async with world.notifier():
            clock.turn(1.0)
            await world.becomes("sent", tries=1)
    assert len(world.post.sent) == 1
