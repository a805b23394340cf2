"""The worker: every order gets one answer, and somebody hears of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from ivr.call_record import CallRecord, Commit
from ivr.engine.call import Call, Facts
from ivr.engine.commands import Request
from ivr.engine.events import Event, ServiceAnswered, ServiceFailed, Transcribed
from ivr.errors import StaleCall, StoreUnavailable
from ivr.ports import CallKey
from ivr.server.jobs import Worker
from ivr.services.service import ServiceError
from ivr.storage import Order
from ivr.store.memory.memory_calls import MemoryStore
from tests.waiting import PATIENCE, Clock, begun, logged


@dataclass
class Echo:
    """A service that answers with what it is asked, once it is let."""

    ran: list[str] = field(default_factory=list)
    begun: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    error: Exception | None = None
    let: asyncio.Event = field(default_factory=asyncio.Event)
    most: int = 0
    now: int = 0

    async def run(self, order: Order) -> ServiceAnswered:
        request = order.request
        self.ran.append(request.job)
        self.begun.put_nowait(request.job)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await self.let.wait()
            if self.error:
                raise self.error
            return ServiceAnswered(request.job, Transcribed(str(request.arguments["media"])))
        finally:
            self.now -= 1


class Shaky(MemoryStore):
    """A store whose disk is full for a while, or slow."""

    failures = 0
    slow_for = ""
    "The call whose answers wait for `disk`."

    def __init__(self) -> None:
        super().__init__()
        self.disk, self.failed = asyncio.Event(), asyncio.Event()

    async def finish(self, call: str, job: str, event: Event) -> bool:
        if call == self.slow_for:
            await self.disk.wait()
        self._fail()
        return await super().finish(call, job, event)

    async def claim(
        self, owner: str, *, now: float, lease: float, limit: int, busy: frozenset[str] = frozenset()
    ) -> list[Order]:
        self._fail()
        return list(await super().claim(owner, now=now, lease=lease, limit=limit, busy=busy))

    def _fail(self) -> None:
        if self.failures:
            self.failures -= 1
            self.failed.set()
            raise StoreUnavailable("disk full")


class House:
    def __init__(self, worker: Worker, store: Shaky, echo: Echo) -> None:
        self.worker, self.store, self.echo = worker, store, echo
        self.woken: asyncio.Queue[CallKey] = asyncio.Queue()
        self.wake_error: Exception | None = None

    async def wake(self, key: CallKey) -> None:
        self.woken.put_nowait(key)
        if self.wake_error:
            raise self.wake_error

    async def order(self, call: str, *, service: str = "transcribe", timeout: float = 5.0) -> None:
        request = Request("1.1", service, {"media": f"{call}.wav"}, timeout)
        record = CallRecord(call, CallKey("twin", "account", call), Call("f" * 64, Facts(call)), 1, idle_at=9e9)
        await self.store.commit(Commit(record, jobs=(request,)))
        self.worker.kick()

    async def answer_of(self, call: str) -> Event:
        async with asyncio.timeout(PATIENCE):
            await self.worker.settled(call, 5)
        (event,) = await self.store.inbox(call)
        return event


@asynccontextmanager
async def house(*, at_once: int = 4, held: bool = False) -> AsyncIterator[House]:
    store, echo = Shaky(), Echo()
    if not held:
        echo.let.set()
    one = House(Worker(store, {"transcribe": echo}, at_once=at_once), store, echo)
    one.worker.start(one.wake)
    try:
        yield one
    finally:
        await one.worker.close()


async def test_an_answer_goes_to_the_turn_that_waits_and_nobody_is_woken() -> None:
    async with house(held=True) as one:
        await one.order("c1")
        waiting = await begun(one.worker.settled("c1", 5))
        await one.echo.begun.get()
        one.echo.let.set()
        async with asyncio.timeout(PATIENCE):
            await waiting
        assert await one.store.inbox("c1") == (ServiceAnswered("1.1", Transcribed("c1.wav")),)
        assert one.woken.empty()


async def test_an_answer_that_came_before_anybody_waited_is_there_at_once() -> None:
    async with house() as one:
        await one.order("c1")
        async with asyncio.timeout(PATIENCE):
            await one.woken.get()
            await one.worker.settled("c1", 3600)
        assert await one.store.inbox("c1") == (ServiceAnswered("1.1", Transcribed("c1.wav")),)


async def test_where_nobody_waits_the_call_is_woken_after_the_answer_is_saved() -> None:
    async with house() as one:
        await one.order("c1")
        async with asyncio.timeout(PATIENCE):
            assert await one.woken.get() == CallKey("twin", "account", "c1")
        assert await one.store.inbox("c1")


async def test_waiting_ends_when_the_budget_is_spent() -> None:
    async with house(held=True) as one:
        await one.order("c1")
        async with asyncio.timeout(PATIENCE):
            await one.worker.settled("c1", 0.01)
            await one.worker.settled("c1", 0)
        assert not await one.store.inbox("c1")


async def test_one_call_does_not_hear_of_anothers_answer() -> None:
    async with house() as one:
        await one.order("c2")
        async with asyncio.timeout(PATIENCE):
            await one.woken.get()
            await one.worker.settled("c1", 0.01)
        assert not await one.store.inbox("c1")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ServiceError("recording"), "recording"),
        (ServiceError("failed"), "failed"),
        (TimeoutError(), "timeout"),
        (RuntimeError("a bug in an engine, with a caller's words"), "failed"),
    ],
)
async def test_whatever_a_service_raises_the_call_gets_an_answer(
    error: Exception, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with house() as one:
        one.echo.error = error
        await one.order("c1")
        assert await one.answer_of("c1") == ServiceFailed("1.1", code)
    assert "words" not in " ".join(record.getMessage() for record in caplog.records)


async def test_a_service_that_the_store_left_without_its_recording_runs_again() -> None:
    async with house(held=True) as one:
        one.echo.error = StoreUnavailable("the database is away")
        await one.order("c1")
        await one.echo.begun.get()
        with Clock.of_this_loop() as clock, logged("orders wait for the store") as waits:
            one.echo.let.set()
            await waits.once()
            one.echo.error = None
            clock.turn(1.0)  # the pause before the next try
            assert await one.answer_of("c1") == ServiceAnswered("1.1", Transcribed("c1.wav"))


async def test_a_service_that_does_not_answer_in_time_has_failed() -> None:
    async with house(held=True) as one:
        await one.order("c1", timeout=0.01)
        assert await one.answer_of("c1") == ServiceFailed("1.1", "timeout")


async def test_an_unknown_service_is_a_failure_not_a_hang() -> None:
    async with house() as one:
        await one.order("c1", service="fortune")
        assert await one.answer_of("c1") == ServiceFailed("1.1", "failed")


async def test_no_more_run_at_once_than_allowed_and_all_of_them_run() -> None:
    async with house(at_once=2, held=True) as one:
        for number in range(10):
            await one.order(f"c{number}")
        for _ in range(2):
            await one.echo.begun.get()
        one.echo.let.set()
        for _ in range(10):
            async with asyncio.timeout(PATIENCE):
                await one.woken.get()
        assert one.echo.most == 2
        assert len(one.echo.ran) == 10


async def test_an_answer_on_its_way_to_the_disk_holds_no_place() -> None:
    async with house(at_once=1) as one:
        one.store.slow_for = "c1"
        await one.order("c1")
        await one.order("c2")
        async with asyncio.timeout(PATIENCE):
            assert (await one.woken.get()).id == "c2"
            one.store.disk.set()
            assert (await one.woken.get()).id == "c1"


async def test_orders_left_by_an_earlier_process_are_begun_at_start() -> None:
    store, echo = Shaky(), Echo()
    first = House(Worker(store, {"transcribe": echo}), store, echo)
    first.worker.start(first.wake)
    await first.order("c1")
    await echo.begun.get()
    await first.worker.close()
    store.restart()
    echo.let.set()
    second = House(Worker(store, {"transcribe": echo}), store, echo)
    second.worker.start(second.wake)
    assert await second.answer_of("c1") == ServiceAnswered("1.1", Transcribed("c1.wav"))
    assert echo.ran == ["1.1", "1.1"]
    await second.worker.close()


async def test_an_answer_is_kept_until_the_store_can_take_it() -> None:
    async with house(held=True) as one:
        await one.order("c1")
        await one.echo.begun.get()
        one.store.failures = 1
        with Clock.of_this_loop() as clock:
            one.echo.let.set()
            await one.store.failed.wait()
            clock.turn(1.0)  # the pause before the next try
        assert await one.answer_of("c1") == ServiceAnswered("1.1", Transcribed("c1.wav"))


async def test_orders_that_the_store_could_not_give_out_are_asked_for_again() -> None:
    async with house() as one:
        one.store.failures = 1
        await one.order("c1")
        await one.store.failed.wait()
        one.worker.kick()
        assert await one.answer_of("c1") == ServiceAnswered("1.1", Transcribed("c1.wav"))


async def test_a_wake_that_fails_takes_nothing_down() -> None:
    async with house() as one:
        one.wake_error = StaleCall("somebody was faster")
        for call in ("c1", "c2"):
            await one.order(call)
            async with asyncio.timeout(PATIENCE):
                await one.woken.get()
            assert await one.store.inbox(call) == (ServiceAnswered("1.1", Transcribed(f"{call}.wav")),)


async def test_closing_ends_what_is_under_way() -> None:
    async with house(held=True) as one:
        await one.order("c1")
        await one.echo.begun.get()
    assert one.echo.now == 0
