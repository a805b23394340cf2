"""Requests to platforms: sent once under their name, tried again, given up; and answers told to the call."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from msgspec.structs import replace

from ivr.call_record import CallRecord, Commit, Stepped
from ivr.engine.call import Call, Facts
from ivr.engine.events import OperationDone
from ivr.errors import StoreUnavailable
from ivr.outbox import DeliveryState, PlatformRequest
from ivr.ports import CallKey, Outbound
from ivr.server.platform_requests import GIVEN_UP, PlatformRequestWorker
from ivr.services.platform_api import Manners, PlatformApi, basic, bearer
from ivr.store.memory.memory_calls import MemoryStore
from ivr.store.memory.memory_outbox import MemoryPlatformRequests
from tests.waiting import PATIENCE, Clock, Gate

CALL = "0" * 32
KEY = CallKey("twilio", "AC1", "CA1")
DELETE = Outbound("1.1", "DELETE", "/Recordings/RE1.json")
FORM = Outbound(
    "1.2", "POST", "/Calls.json?x=1", {"To": "+43 1", "StatusCallbackEvent": ["ringing", "answered"]}, "form"
)
JSON = Outbound("1.3", "POST", "/calls", {"to": "+43"}, answered=True)
FIRST_PAUSE, LONGEST_PAUSE = Manners().first_pause, Manners().longest_pause
SECRET = "a-very-secret-token"


class Watched(MemoryPlatformRequests):
    """Says what became of each try."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self.results: asyncio.Queue[tuple[DeliveryState, float, str]] = asyncio.Queue()

    async def settle(self, delivery: str, state: DeliveryState, *, at: float, reason: str = "") -> None:
        await super().settle(delivery, state, at=at, reason=reason)
        self.results.put_nowait((state, at, reason))


class World:
    """A platform, and the worker that asks it."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.requests = Watched(self.store)
        self.now = 1000.0
        self.got: list[tuple[str, str, bytes, dict[str, str]]] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.holds: Gate | None = None
        self.told: list[tuple[CallKey, Outbound, int, bytes]] = []
        self.refusals: list[StoreUnavailable] = []
        self.base = ""

    async def platform(self, request: web.BaseRequest) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append((request.method, request.path_qs, await request.read(), headers))
        if self.holds is not None:
            await self.holds.wait()
        return web.Response(status=self.status, body=b'{"sid": "CA2"}', headers=self.headers)

    async def answered(self, key: CallKey, request: Outbound, status: int, body: bytes) -> None:
        if self.refusals:
            raise self.refusals.pop()
        self.told.append((key, request, status, body))

    async def ask(self, *asked: Outbound) -> None:
        record = CallRecord(CALL, KEY, Call("f", Facts(CALL)), version=1, steps=1)
        await self.store.commit(Commit(record, (Stepped(OperationDone("1.1"), self.now),), outbound=asked))

    @asynccontextmanager
    async def worker(
        self, *, base: str | None = None, manners: Manners | None = None
    ) -> AsyncIterator[PlatformRequestWorker]:
        api = PlatformApi(base or self.base, basic("AC1", SECRET))
        api.manners = manners or api.manners
        worker = PlatformRequestWorker(self.requests, {"twilio": api}, now=lambda: self.now)
        worker.start(self.answered)
        yield worker
        await worker.close()
        await api.close()

    async def becomes(self, state: DeliveryState) -> tuple[float, str]:
        async with asyncio.timeout(PATIENCE):
            found, at, reason = await self.requests.results.get()
        assert found == state
        return at, reason


@pytest.fixture
async def world() -> AsyncIterator[World]:
    one = World()
    runner = web.ServerRunner(web.Server(one.platform), shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    one.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield one
    await runner.cleanup()


async def test_a_request_is_sent_once_under_its_name_with_the_credential(world: World) -> None:
    await world.ask(DELETE)
    async with world.worker(base=f"{world.base}/2010/"):
        await world.becomes("sent")
    [(method, path, body, headers)] = world.got
    assert (method, path, body) == ("DELETE", "/2010/Recordings/RE1.json", b"")
    assert headers["authorization"] == basic("AC1", SECRET)
    assert headers["idempotency-key"] == f"{CALL}.1.1"
    assert world.store.requests == {}
    assert world.told == []


async def test_a_body_is_a_form_or_json(world: World) -> None:
    await world.ask(FORM, JSON)
    async with world.worker():
        await world.becomes("sent")
        await world.becomes("sent")
    sent = {path: (body, headers["content-type"]) for _, path, body, headers in world.got}
    form = b"To=%2B43+1&StatusCallbackEvent=ringing&StatusCallbackEvent=answered"
    assert sent["/Calls.json?x=1"] == (form, "application/x-www-form-urlencoded")
    assert json.loads(sent["/calls"][0]) == {"to": "+43"}


async def test_the_call_is_told_of_an_answer_before_the_request_counts_as_sent(world: World) -> None:
    world.status, world.refusals = 201, [StoreUnavailable("the disk is full")]
    await world.ask(JSON)
    with Clock.of_this_loop() as clock:
        async with world.worker():
            clock.turn(1.0)
            await world.becomes("sent")
    assert world.told == [(KEY, JSON, 201, b'{"sid": "CA2"}')]
    assert len(world.got) == 1


async def test_what_a_platform_cannot_do_now_is_tried_later_and_later_for_a_day(world: World) -> None:
    world.status = 503
    await world.ask(JSON)
    made, pauses = world.now, []
    async with world.worker() as worker:
        while world.now + LONGEST_PAUSE <= made + GIVEN_UP:
            at, reason = await world.becomes("waiting")
            pauses.append(at - world.now)
            world.now = at
            worker.kick()
        await world.becomes("dead")
    assert reason == "the platform answered 503"
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert max(pauses) == LONGEST_PAUSE
    assert [status for _, _, status, _ in world.told] == [503]


async def test_a_platform_says_when_it_wants_to_be_asked_again(world: World) -> None:
    world.status, world.headers = 429, {"Retry-After": "120"}
    await world.ask(DELETE)
    async with world.worker():
        at, _ = await world.becomes("waiting")
    assert at == world.now + 120


@pytest.mark.parametrize("status", [400, 401, 302])
async def test_what_is_refused_for_good_is_given_up_and_the_call_is_told(world: World, status: int) -> None:
    world.status, world.headers = status, {"Location": "https://other.example/"}
    await world.ask(JSON)
    async with world.worker():
        await world.becomes("dead")
    assert world.told == [(KEY, JSON, status, b"")]
    assert len(world.got) == 1


async def test_a_platform_can_have_manners_of_its_own(world: World) -> None:
    manners = Manners(first_pause=0.5, longest_pause=2.0, spread=True, statuses=frozenset({412}))
    world.status = 412
    await world.ask(replace(JSON, until=world.now + 60.0))
    pauses = []
    async with world.worker(manners=manners) as worker:
        for _ in range(5):
            at, _ = await world.becomes("waiting")
            pauses.append(at - world.now)
            world.now = at
            worker.kick()
        world.status = 500
        await world.becomes("dead")
    assert all(0 <= pause <= most for pause, most in zip(pauses, (0.5, 1.0, 2.0, 2.0, 2.0), strict=True))
    assert len(set(pauses)) > 1


@pytest.mark.parametrize(("status", "told"), [(200, []), (403, [403])])
async def test_some_want_to_know_only_of_what_was_given_up(world: World, status: int, told: list[int]) -> None:
    world.status = status
    await world.ask(replace(JSON, answered=False, refusal=True))
    async with world.worker():
        await world.becomes("dead" if told else "sent")
    assert [one for _, _, one, _ in world.told] == told


async def test_what_is_deleted_already_is_deleted(world: World) -> None:
    world.status = 404
    await world.ask(DELETE)
    async with world.worker():
        await world.becomes("sent")


async def test_a_platform_that_cannot_be_reached_is_tried_again(world: World) -> None:
    await world.ask(replace(JSON, once=True))
    async with world.worker(base="http://127.0.0.1:9"):
        _, reason = await world.becomes("waiting")
    assert reason == "the platform cannot be reached"


async def test_what_is_of_no_use_any_more_is_not_sent(world: World) -> None:
    await world.ask(replace(JSON, until=900.0))
    async with world.worker():
        await world.becomes("dead")
    assert (world.got, [status for _, _, status, _ in world.told]) == ([], [0])


async def test_one_that_was_under_way_when_the_server_stopped_is_sent_again_with_its_name(world: World) -> None:
    world.holds = Gate()
    await world.ask(DELETE)
    async with world.worker():
        await world.holds.reached()
    world.holds.set()
    async with world.worker():
        await world.becomes("sent")
    assert [headers["idempotency-key"] for _, _, _, headers in world.got] == [f"{CALL}.1.1"] * 2


async def test_one_that_must_not_be_done_twice_is_not(world: World) -> None:
    world.holds = Gate()
    await world.ask(replace(JSON, once=True))
    async with world.worker():
        await world.holds.reached()
    world.holds.set()
    async with world.worker():
        await world.becomes("dead")
    assert len(world.got) == 1
    assert world.told == [], "it may have been done, and what becomes of it is told by the platform"


async def test_nor_is_one_whose_answer_says_nothing_of_what_was_done(world: World) -> None:
    world.status = 500
    await world.ask(replace(JSON, once=True))
    async with world.worker():
        await world.becomes("dead")


async def test_a_channel_without_an_api_waits_for_its_settings(world: World) -> None:
    record = CallRecord(CALL, CallKey("telnyx", "a", "b"), Call("f", Facts(CALL)), version=1, steps=1)
    await world.store.commit(Commit(record, (Stepped(OperationDone("1.1"), world.now),), outbound=(DELETE,)))
    async with world.worker():
        _, reason = await world.becomes("waiting")
    assert reason == "the platform's API is not set"


async def test_credentials_are_in_no_row_no_log_and_no_error(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await world.ask(replace(DELETE, path="//other.example/x"), FORM)
    world.status = 500
    async with world.worker():
        await world.becomes("waiting")
        await world.becomes("waiting")
    rows = repr([one for one in world.store.requests.values() if isinstance(one, PlatformRequest)])
    assert SECRET not in rows + caplog.text + repr(PlatformApi("https://api.example", bearer(SECRET)))
    assert basic("AC1", SECRET) not in rows + caplog.text
    assert all(headers["host"] in world.base for _, _, _, headers in world.got)


@pytest.mark.parametrize("base", ["", "api.example.com", "ftp://api.example.com", "http://"])
def test_an_address_that_is_none_is_refused(base: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        PlatformApi(base, None)
