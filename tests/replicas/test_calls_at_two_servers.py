"""Calls whose messages go to one server and then to the other, as a balancer without affinity sends them."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ivr.call_record import CallRecord, Commit
from ivr.engine.call import Call, Facts
from ivr.engine.commands import Request
from ivr.engine.events import RecordingMade
from ivr.news import LocalNews
from ivr.phone.callers.turn_based import Press, Speak
from ivr.phone.phone_events import Ended
from ivr.ports import CallKey
from ivr.server.arrivals import GOOD, TOLD, Arrivals
from ivr.server.jobs import LOOK, Worker
from ivr.store.memory.memory_calls import MemoryStore
from tests.phone.calling import Signer, phone_to
from tests.replicas.replicas import Replicas, replicas
from tests.replicas.shared_store import SharedCoordination
from tests.server.test_jobs import Echo
from tests.server.world import DESK
from tests.waiting import PATIENCE, begun

MESSAGE = (Press("1"), Speak("my flight was late"))


def desk(folder: Path, signer: Signer, **script: Any) -> tuple[list[Path], dict[str, Any]]:
    """Return a flow that records and transcribes, and the settings of its servers."""
    (folder / "desk.yaml").write_text(DESK)
    (folder / "script.json").write_text(json.dumps({"*": {"text": "my flight was late", "confidence": 0.9, **script}}))
    return [folder / "desk.yaml"], {
        **signer.settings,
        "stt": "scripted",
        "stt_script": folder / "script.json",
    }


async def leave_messages(both: Replicas, signer: Signer, *, calls: int) -> list[list[str]]:
    """Return what callers have heard who leave a message, one after the other."""
    heard = []
    async with phone_to(both.balancer.port, signer) as phone:
        for _ in range(calls):
            call = await phone.call(*MESSAGE)
            assert call.ended == Ended("bot", "hangup")
            heard.append(call.heard)
    return heard


async def test_a_call_goes_on_at_whichever_server_its_messages_meet(tmp_path: Path, signer: Signer) -> None:
    flows, settings = desk(tmp_path, signer)
    async with replicas(tmp_path, flows, settings) as both:
        for heard in await leave_messages(both, signer, calls=3):
            assert heard[-1] == "Thank you. We heard my flight was late. Goodbye."
        assert len(both.asked) == 2
        traces = both.store.calls.traces.values()
        made = [[line.event.media for line in trace if isinstance(line.event, RecordingMade)] for trace in traces]
        assert [len(recordings) for recordings in made] == [1, 1, 1]
        assert {saved.record.call.phase for saved in both.store.calls.calls.values()} == {"over"}


async def test_news_of_nothing_makes_no_reply_hurry(tmp_path: Path, signer: Signer) -> None:
    """News comes late and twice, and whoever may connect to the database can forge some."""
    flows, settings = desk(tmp_path, signer, delay=0.3)
    async with replicas(tmp_path, flows, {**settings, "reply_budget": 10.0}) as both:

        async def forge() -> None:
            while True:
                for call in list(both.store.calls.traces):
                    both.store.news.tell("answer", call)
                await asyncio.sleep(0.01)

        forging = asyncio.create_task(forge())
        [heard] = await leave_messages(both, signer, calls=1)
        forging.cancel()
    assert "One moment please." not in heard
    assert heard[-1] == "Thank you. We heard my flight was late. Goodbye."


async def order(store: MemoryStore, call: str) -> None:
    request = Request("1.1", "transcribe", {"media": f"{call}.wav"}, 5.0)
    record = CallRecord(call, CallKey("twin", "account", call), Call("f" * 64, Facts(call)), 1, idle_at=9e9)
    await store.commit(Commit(record, jobs=(request,)))


async def woken(key: CallKey) -> None:
    """Wake nobody: at this server no turn waits for the answer."""


@pytest.mark.parametrize("news", [True, False])
async def test_a_turn_hears_of_the_answer_that_another_server_has_saved_or_finds_it_by_itself(news: bool) -> None:
    store, echo, shared = MemoryStore(), Echo(), LocalNews()
    here = Worker(store, {"transcribe": Echo()}, news=shared)
    there = Worker(store, {"transcribe": echo}, news=shared if news else None)
    there.start(woken)
    try:
        await order(store, "c1")
        waiting = await begun(here.settled("c1", PATIENCE))
        there.kick()
        await echo.begun.get()
        echo.let.set()
        began = asyncio.get_running_loop().time()
        await asyncio.wait_for(waiting, PATIENCE)
        took = asyncio.get_running_loop().time() - began
        assert await store.inbox("c1")
        assert news or took >= LOOK / 2
    finally:
        await there.close()


class Time:
    """Seconds since 1970, as a test says."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


KEY = CallKey("skype", "app", "c1")


async def test_a_deadline_at_one_server_waits_for_an_upload_at_another() -> None:
    time = Time()
    shared = SharedCoordination(time)
    here, there = Arrivals(shared, now=time), Arrivals(shared, now=time)
    until = time.now + 2
    with there.count(time.now) as arrival:
        arrival.calls = frozenset({KEY})
        time.now = until
        assert await here.under_way(KEY, before=until)  # of one that has just begun nobody may have told yet
        await there.tell()
        time.now = until + TOLD
        assert await here.under_way(KEY, before=until)
        assert not await here.under_way(CallKey("skype", "app", "c2"), before=until)
        assert not await here.under_way(KEY, before=until - 2), "one that began later holds nothing up"
    await there.tell()
    assert not await here.under_way(KEY, before=until)


async def test_an_upload_whose_call_is_not_known_yet_may_be_any_calls() -> None:
    time = Time()
    shared = SharedCoordination(time)
    here, there = Arrivals(shared, now=time), Arrivals(shared, now=time)
    with there.count(time.now):
        time.now += TOLD + 1
        await there.tell()
        assert await here.under_way(KEY, before=1001.0)
        assert not await here.under_way(KEY, before=1000.0)


async def test_what_a_server_has_told_is_believed_for_a_while_after_it_was_killed() -> None:
    time = Time()
    shared = SharedCoordination(time)
    here, there = Arrivals(shared, now=time), Arrivals(shared, now=time)
    with there.count(time.now) as arrival:
        arrival.calls = frozenset({KEY})
        time.now += TOLD + 1
        await there.tell()
        time.now += GOOD - 1
        assert await here.under_way(KEY, before=1001.0)
        time.now += 1
        assert not await here.under_way(KEY, before=1001.0)


async def test_uploads_of_a_moment_are_not_told_and_cost_the_store_nothing() -> None:
    time = Time()
    shared = Counted(time)
    there = Arrivals(shared, now=time)
    with there.count(time.now):
        await there.tell()
    await there.tell()
    assert shared.told == 0


class Counted(SharedCoordination):
    """Counts what is told."""

    told = 0

    async def tell_uploads(self, owner: str, uploads: Mapping[str, float], *, lasts: float) -> None:
        self.told += 1
