"""The real thing: server, tokens, turn, machine, store and worker together, called as the platform calls."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from ivr.engine.events import CallEnded, RecordingMade, ServiceAnswered
from tests.fakes.identity import Identity
from tests.server.harness import connected, read_answer, request, texts
from tests.server.world import (
    APP,
    DESK,
    JSON,
    WMA,
    Platform,
    World,
    as_json,
    conversation,
    done,
    kinds,
    last_op,
    pressed,
    spoken,
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    identity = Identity(APP)
    await identity.start()
    yield World(tmp_path, identity)
    await identity.stop()


async def test_a_call_from_answer_to_hangup(world: World) -> None:
    async with world.server() as platform:
        answer = await platform.calls()
        assert kinds(answer) == ["answer", "recognize"]
        answer = await platform.reports(pressed(last_op(answer)))
        assert kinds(answer) == ["record"]
        answer = await platform.records(last_op(answer))
        assert kinds(answer) == ["playPrompt", "hangup"]
        assert "my flight was late" in spoken(answer)
        answer = await platform.reports(done(last_op(answer), "hangup"), state="terminated")
        assert (answer.status, answer.body) == (200, b"")
    (audio,) = world.audio
    assert audio.read_bytes() == WMA
    assert audio.stat().st_mode & 0o777 == 0o600
    record, trace = await world.look()
    assert record.call.phase == "over"
    (recorded,) = [step.event for step in trace if isinstance(step.event, RecordingMade)]
    assert recorded.media == audio.name


async def test_every_message_sent_again_gets_the_same_bytes_and_leaves_nothing(world: World) -> None:
    async with world.server() as platform:
        first = await platform.calls(message="m1")
        assert (await platform.calls(message="m1")).body == first.body
        second = await platform.reports(pressed(last_op(first)), message="m2")
        assert (await platform.reports(pressed(last_op(first)), message="m2")).body == second.body
        third = await platform.records(last_op(second), message="m3")
        for _ in range(3):
            assert (await platform.records(last_op(second), message="m3")).body == third.body
        assert len(world.audio) == 1
        assert (await platform.calls(message="m1")).body == first.body


async def test_repeats_at_the_same_time_get_one_reply_and_leave_one_file(world: World) -> None:
    world.script({"text": "hello", "delay": 0.2})
    async with world.server() as platform:
        second = await platform.reports(pressed(last_op(await platform.calls())))
        op = last_op(second)
        answers = await asyncio.gather(*(platform.records(op, message="m3") for _ in range(8)))
        assert len({answer.body for answer in answers}) == 1
        assert "hello" in spoken(answers[0])
        assert len(world.audio) == 1


async def test_an_upload_for_an_old_operation_is_not_kept_and_the_last_reply_comes_again(world: World) -> None:
    async with world.server() as platform:
        first = await platform.calls()
        answer = await platform.records("stale-op")
        assert answer.body == first.body
        assert not world.audio


async def test_an_upload_for_no_call_is_404_and_not_kept(world: World) -> None:
    async with world.server() as platform:
        answer = await platform.records("1.2")
        assert (answer.status, answer.code) == (404, "unknown-call")
        assert not world.audio


async def test_a_slow_transcript_makes_the_caller_hold_and_is_spoken_later(world: World) -> None:
    world.script({"text": "late", "delay": 0.2})
    async with world.server(reply_budget=0.1) as platform:
        second = await platform.reports(pressed(last_op(await platform.calls())))
        answer = await platform.records(last_op(second))
        assert "One moment please." in spoken(answer)
        while "late" not in spoken(answer):
            assert kinds(answer) == ["playPrompt"]
            answer = await platform.reports(done(last_op(answer), "playPrompt"))
        assert kinds(answer) == ["playPrompt", "hangup"]


async def test_a_restart_between_any_two_messages_changes_nothing(world: World) -> None:
    async with world.server() as platform:
        first = await platform.calls(message="m1")
    (world.flows / "desk.yaml").write_text(DESK.replace("beep", "tone"))  # an edit is for new calls
    async with world.server() as platform:
        assert (await platform.calls(message="m1")).body == first.body
        second = await platform.reports(pressed(last_op(first)), message="m2")
        assert "beep" in spoken(second)
    async with world.server() as platform:
        assert (await platform.reports(pressed(last_op(first)), message="m2")).body == second.body
        third = await platform.records(last_op(second), message="m3")
        assert "my flight was late" in spoken(third)
    async with world.server() as platform:
        assert (await platform.records(last_op(second), message="m3")).body == third.body
        assert (await platform.reports(done(last_op(third), "hangup"), state="terminated")).body == b""
    assert len(world.audio) == 1


async def test_a_voicemail_that_ends_by_hanging_up_is_transcribed_after_a_restart(world: World) -> None:
    world.script({"text": "late", "delay": 3600})
    async with world.server() as platform:
        second = await platform.reports(pressed(last_op(await platform.calls())))
        assert (await platform.records(last_op(second), state="terminated")).body == b""
    world.script({"text": "in the end"})
    async with world.server(), asyncio.timeout(10):
        while not await world.is_over():
            await asyncio.sleep(0.01)
    _, trace = await world.look()
    assert any(isinstance(step.event, CallEnded) for step in trace)
    (heard,) = [step.event for step in trace if isinstance(step.event, ServiceAnswered)]
    assert heard.answer["transcript"] == "in the end"
    assert len(world.audio) == 1


async def test_a_stranger_gets_nothing(world: World) -> None:
    async with world.server() as platform:
        for token in ("garbage", world.identity.token(aud="another-app"), world.identity.token(exp=1)):
            answer = await platform.calls(token=token)
            assert answer.status in {401, 403}
            assert answer.code
        answer = await platform.calls()
        assert answer.status == 200


async def test_without_keys_the_platform_is_asked_to_come_back(world: World) -> None:
    await world.identity.stop()
    async with world.server() as platform:
        answer = await platform.calls()
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        async with connected(platform.port) as (reader, writer):
            writer.write(request("GET", "/readyz"))
            ready = await read_answer(reader)
        assert (ready.status, ready.json) == (503, {"ready": False, "store": True, "flows": True, "keys": False})


async def test_the_keys_of_the_last_run_let_calls_in(world: World) -> None:
    async with world.server() as platform:
        assert (await platform.calls()).status == 200
    await world.identity.stop()
    async with world.server() as platform:
        assert (await platform.calls()).status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"id": ' + b"9" * 5000 + b"}",
        b'{"id": 1e5000}',
        b'{"id": "\\ud800"}',
        b"\xff\xfe",
        b'{"id": "a\\u0000b"}',
        b"null",
    ],
    ids=range(7),
)
async def test_json_that_is_no_message_is_400_and_reaches_no_store(world: World, body: bytes) -> None:
    async with world.server() as platform:
        answer = await platform.post("/callback", body, JSON)
        assert answer.status == 400
        assert answer.code


@pytest.mark.parametrize("call", ["x" * 10_000, "a\u0000b", "a\nb", "\ud800"], ids=range(4))
async def test_a_hostile_call_id_is_400(world: World, call: str) -> None:
    async with world.server() as platform:
        platform.call = call
        answer = await platform.post("/call", as_json(conversation(call)), JSON, message="m1")
        assert answer.status == 400


async def test_the_log_names_calls_and_reasons_and_holds_no_token(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with world.server() as platform:
        second = await platform.reports(pressed(last_op(await platform.calls())))
        await platform.records(last_op(second))
        await platform.calls(token="eyJhbGciOiJSUzI1NiJ9.garbage.garbage")
    log = texts(record for record in caplog.records if record.name.startswith("ivr"))
    assert "call begins" in log
    assert "job done" in log
    assert platform.token not in log
    assert "eyJhbGciOiJSUzI1NiJ9.garbage" not in log
    assert "my flight" not in log


async def test_ten_times_too_much_is_answered_or_turned_away_and_health_still_answers(world: World) -> None:
    async with world.server(max_connections=32) as platform:

        async def caller(number: int) -> int:
            try:
                one = Platform(platform.port, platform.token, f"c{number}")
                return (await one.calls(message="m1")).status
            except (ConnectionError, asyncio.IncompleteReadError):
                return 0  # cut off before it had sent anything

        calls = [asyncio.create_task(caller(number)) for number in range(320)]
        health = []
        while not all(call.done() for call in calls):
            async with connected(platform.port) as (reader, writer), asyncio.timeout(10):
                writer.write(request("GET", "/healthz", token=None))
                with suppress(ConnectionError):
                    health.append((await read_answer(reader)).status)
        statuses = [await call for call in calls]
        assert set(statuses) <= {0, 200, 503}
        assert statuses.count(200) >= 32
        assert 200 in health
