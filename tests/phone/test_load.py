"""Many calls at once are placed, counted and measured."""

from collections.abc import AsyncIterator, Callable, Mapping

import msgspec
import pytest
from aiohttp import web
from msgspec.structs import replace

from ivr.channels.skype.wire import MESSAGE_ID
from ivr.phone.callers.dialler import LoadPlan
from ivr.phone.callers.load_test import Latency, LoadResult, run_load_test
from ivr.phone.net.guard import Guard
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.net.load_client import LoadClient
from ivr.phone.net.post import NoReply, Post, Reply, WebPost
from ivr.phone.platform import Target, platform
from tests.phone.fake_bot import ANSWER, DIGITS, HANG_UP, MENU, RECORD, FakeBot, flow, listening, nobody


class EndlessBot(FakeBot):
    """A bot that asks each caller everything, in whatever order their messages come."""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        if b'"callState":"incoming"' in body:
            self.answers = [flow(ANSWER, MENU)]
        elif b'"terminated"' in body:
            self.answers = [b""]
        else:
            following = {b"menu": flow(DIGITS), b"digits": flow(RECORD), b"record": flow(HANG_UP)}
            self.answers = [next(answer for op, answer in following.items() if b'"id":"%s"' % op in body)]
        return await super().handle(request)


async def measured(bot: FakeBot, plan: LoadPlan, around: Callable[[Post], Post] = lambda post: post) -> LoadResult:
    guard = Guard()
    otherwise = WebPost(guard)
    lean = LoadClient(guard, otherwise)
    over: list[int] = []
    try:
        async with platform(Target(bot.call, limits=PhoneLimits(retry_after=0.0)), post=around(lean)) as phone:
            found = await run_load_test(phone, plan, progress=over.append)
    finally:
        lean.close()
        await otherwise.close()
    assert over == list(range(1, plan.calls + 1))
    return found


@pytest.fixture
async def endless() -> AsyncIterator[FakeBot]:
    bot = EndlessBot([])
    async with listening(bot.handle) as bot.base:
        yield bot


async def test_every_call_is_held_to_its_end(endless: FakeBot) -> None:
    found = await measured(endless, LoadPlan(calls=60, concurrency=8))
    assert found.calls == 60
    assert sum(found.endings.values()) == 60
    assert set(found.endings) == {"hangup", "left"}
    assert found.errors == {}
    assert found.requests == len(endless.told)
    for reply in (found.reply, found.reply_to_recordings):
        assert reply is not None
        assert 0 < reply.p50 <= reply.p90 <= reply.p99 <= reply.max


class Stopwatch:
    """A network of which the test says how long it takes: half a second for a recording, 10 ms for all else."""

    def __init__(self, post: Post) -> None:
        self.post = post

    async def send(self, url: str, data: bytes, headers: Mapping[str, str], *, answer_time: float, most: int) -> Reply:
        reply = await self.post.send(url, data, headers, answer_time=answer_time, most=most)
        return replace(reply, seconds=0.5 if "multipart" in headers["Content-Type"] else 0.01)


async def test_replies_to_recordings_are_timed_by_themselves(endless: FakeBot) -> None:
    found = await measured(endless, LoadPlan(calls=20, concurrency=20), Stopwatch)
    assert found.reply_to_recordings == Latency(500.0, 500.0, 500.0, 500.0)
    assert found.reply == Latency(10.0, 10.0, 10.0, 10.0)


async def test_callers_differ_and_are_the_same_in_each_run(endless: FakeBot) -> None:
    first = await measured(endless, LoadPlan(calls=40, concurrency=4))
    reasons = {str(told.json.get("operationOutcome", {}).get("failureReason")) for told in endless.told}
    again = await measured(endless, LoadPlan(calls=40, concurrency=20))
    assert (first.requests, first.endings) == (again.requests, again.endings)
    assert {"None", "InitialSilenceTimeout", "CallTerminated"} <= reasons


async def test_errors_are_counted_by_kind() -> None:
    with nobody() as address:
        found = await measured(FakeBot([], base=address), LoadPlan(calls=3))
    assert found.errors == {"connect": 9, "ended.unreachable": 3}
    assert (found.requests, found.reply, found.reply_to_recordings) == (0, None, None)
    assert msgspec.json.decode(msgspec.json.encode(found))["endings"] == {"unreachable": 3}


async def test_a_rate_spreads_the_calls(endless: FakeBot) -> None:
    found = await measured(endless, LoadPlan(calls=10, concurrency=10, rate=100.0))
    assert found.seconds >= 0.09


async def test_callers_think_before_each_thing_that_they_do(endless: FakeBot) -> None:
    found = await measured(endless, LoadPlan(calls=10, concurrency=10, think=0.1))
    assert found.seconds >= 0.05, "no caller answers before half of that time"
    assert sum(found.endings.values()) == 10


class FirstTryLost:
    """A network that loses each message until it is sent again."""

    def __init__(self, post: Post) -> None:
        self.post = post
        self.seen: set[str] = set()

    async def send(self, url: str, data: bytes, headers: Mapping[str, str], *, answer_time: float, most: int) -> Reply:
        message = headers[MESSAGE_ID]
        if message not in self.seen:
            self.seen.add(message)
            raise NoReply("broken")
        return await self.post.send(url, data, headers, answer_time=answer_time, most=most)


async def test_what_is_sent_again_is_counted_and_its_caller_waits(endless: FakeBot) -> None:
    found = await measured(endless, LoadPlan(calls=5), FirstTryLost)
    assert found.repeats == found.requests == len(endless.told) == found.errors["broken"]
    assert found.reply is not None
    assert found.longest_wait >= found.reply.max
    assert set(found.endings) <= {"hangup", "left"}
