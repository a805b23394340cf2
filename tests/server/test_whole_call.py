"""The real thing: server, token check, turn, machine, store and worker together, called by the phone."""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ivr.channels.skype.wire import MESSAGE_ID
from ivr.engine.events import CallEnded, RecordingMade, ServiceAnswered, TimePassed
from ivr.phone.callers.turn_based import Leave, Press, Speak
from ivr.phone.net.identity import Identity
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.net.post import Reply
from ivr.phone.phone_events import Ended
from tests.phone.calling import APP, PUBLIC, Letter, Phone, Signer, Way, phone_to
from tests.phone.fake_bot import Told
from tests.server.harness import Way as RequestWay
from tests.server.harness import connected, read_answer, request, texts
from tests.server.world import DESK, World
from tests.waiting import PATIENCE, logged

MESSAGE = (Press("1"), Speak("my flight was late"))
"What a caller does who leaves a message."
THANKS = "Thank you. We heard my flight was late. Goodbye."


@pytest.fixture
def world(tmp_path: Path, signer: Signer, way: RequestWay) -> World:
    """Both ways are tried."""
    return World(tmp_path, signer, way=way)


# --- one call --------------------------------------------------------------------------------------------------------


async def test_a_call_from_answer_to_hangup(world: World) -> None:
    async with world.server() as phone:
        call = await phone.call(*MESSAGE)
    assert call.ended == Ended("bot", "hangup")
    assert call.heard == ["Press 1 to leave a message.", "Speak after the beep.", THANKS]
    assert call.statuses == [200] * 4
    assert [letter.url for letter in phone.letters] == [f"{PUBLIC}/call", *[f"{PUBLIC}/callback"] * 3]
    assert [letter.actions for letter in phone.letters] == [
        ["answer", "recognize"],
        ["record"],
        ["playPrompt", "hangup"],
        [],
    ]
    last = phone.letters[-1]
    assert (last.json["callState"], last.reply.status, last.reply.body) == ("terminated", 200, b"")
    ((name, audio),) = world.recordings.items()
    assert audio == recording(phone)
    assert not world.audio
    record, trace = await world.look(call.id)
    assert record.call.phase == "over"
    (recorded,) = [step.event for step in trace if isinstance(step.event, RecordingMade)]
    assert recorded.media == name


def recording(phone: Phone) -> bytes:
    """Return the one recording that the phone has sent."""
    (audio,) = [letter.audio for letter in phone.letters if letter.audio is not None]
    return audio


async def test_a_slow_transcript_makes_the_caller_hold_and_is_spoken_later(world: World) -> None:
    world.script({"text": "late", "delay": 0.2})
    async with world.server(reply_budget=0.1) as phone:
        call = await phone.call(*MESSAGE)
    assert call.ended == Ended("bot", "hangup")
    first, *holds, last = call.heard[2:]
    assert all(prompt.startswith("One moment please.") for prompt in (first, *holds))
    assert last == THANKS.replace("my flight was late", "late")
    assert [letter.actions for letter in phone.letters[2:-2]] == [["playPrompt"]] * (1 + len(holds))
    assert phone.letters[-2].actions == ["playPrompt", "hangup"]


async def test_a_voicemail_that_ends_by_hanging_up_is_transcribed_after_a_restart(world: World) -> None:
    world.script({"text": "late", "delay": 3600})
    async with world.server() as phone:
        call = await phone.call(Press("1"), (Speak("my flight was late"), Leave()))
    assert call.ended == Ended("caller", "left")
    assert phone.letters[-1].json["callState"] == "terminated"
    assert phone.letters[-1].audio is not None
    assert phone.letters[-1].reply.body == b""
    world.script({"text": "in the end"})
    with logged("call over") as over:
        async with world.server():
            await over.once()
    _, trace = await world.look(call.id)
    assert any(isinstance(step.event, CallEnded) for step in trace)
    (heard,) = [step.event for step in trace if isinstance(step.event, ServiceAnswered)]
    assert heard.answer.transcript == "in the end"
    assert len(world.recordings) == 1


# --- an end that overtakes the recording it cut off ------------------------------------------------------------------

ENDED: tuple[dict[str, Any], ...] = (
    {"type": "callStateChange", "currentState": "terminated"},
    {
        "participants": [{"identity": "29:caller", "originator": True}, {"identity": "28:bot", "originator": False}],
        "isMultiparty": False,
        "presentedModalityTypes": ["audio"],
        "callState": "terminated",
    },
)


class Overtaking:
    """A `Post` over a line on which the end of a call is told before the recording that it cut off, to another server.

    The recording then comes to the next one.
    """

    def __init__(self, world: World, told: dict[str, Any]) -> None:
        self._world = world
        self._told = told

    async def send(self, url: str, data: bytes, headers: Mapping[str, str], *, answer_time: float, most: int) -> Reply:
        sent = Told(url, headers, data)
        if sent.audio is not None:
            told = json.dumps({"id": sent.json["id"], **self._told}).encode()
            about = {**headers, MESSAGE_ID: "the-end", "Content-Type": "application/json"}
            assert (await self._post(url, told, about, answer_time, most)).body == b""
        return await self._post(url, data, headers, answer_time, most)

    async def _post(self, url: str, data: bytes, headers: Mapping[str, str], answer_time: float, most: int) -> Reply:
        async with self._world.server() as phone:
            reply = await phone.way.send(url, data, headers, answer_time=answer_time, most=most)
        assert reply.status == 200
        return reply


@pytest.mark.parametrize("told", ENDED, ids=["notification", "conversation"])
async def test_a_recording_that_the_end_of_its_call_overtakes_is_kept_and_transcribed(
    world: World, told: dict[str, Any]
) -> None:
    with logged("call over") as over:  # by the server that took the recording, or by the next one
        async with phone_to(0, world.signer) as phone:
            call = await phone.call(Press("1"), (Speak("my flight was late"), Leave()), by=Overtaking(world, told))
        assert call.ended == Ended("caller", "left")
        async with world.server():
            await over.once()
    _, trace = await world.look(call.id)
    counted = [step.event for step in trace if step.ignored is None]
    assert [type(event) for event in counted[-3:]] == [CallEnded, RecordingMade, ServiceAnswered]
    assert isinstance(counted[-2], RecordingMade)
    assert list(world.recordings) == [counted[-2].media]


async def test_where_no_recording_comes_the_call_ends_when_it_was_waited_for_long_enough(world: World) -> None:
    async with world.server(recording_wait=0.05) as phone:
        with logged("call over") as over:
            call = await phone.call(Press("1"), Leave(), by=Cut(phone.way))
            await over.once()
    record, trace = await world.look(call.id)
    assert [type(step.event) for step in trace][-2:] == [CallEnded, TimePassed]
    assert record.call.outcome == "abandoned"


class Cut:
    """A `Post` over a line that tells the end of a call, and nothing of what was cut off."""

    def __init__(self, way: Way) -> None:
        self._way = way

    async def send(self, url: str, data: bytes, headers: Mapping[str, str], *, answer_time: float, most: int) -> Reply:
        message = Told(url, headers, data).json
        if message["callState"] == "terminated":
            data = json.dumps({"id": message["id"], **ENDED[0]}).encode()
            headers = {**headers, "Content-Type": "application/json"}
        return await self._way.send(url, data, headers, answer_time=answer_time, most=most)


# --- messages that come more than once -------------------------------------------------------------------------------


class Repeating:
    """A `Post` over a line that brings each message again, and with each new one all that were before it."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._brought: list[Letter] = []
        self.repeats = 0

    async def send(self, url: str, data: bytes, headers: Mapping[str, str], *, answer_time: float, most: int) -> Reply:
        reply = await self._way.send(url, data, headers, answer_time=answer_time, most=most)
        self._brought.append(self._way.letters[-1])
        for letter in self._brought[::-1]:
            again = await self._way.send(letter.url, letter.data, letter.headers, answer_time=answer_time, most=most)
            assert (again.status, again.body) == (letter.reply.status, letter.reply.body)
            self.repeats += 1
        return reply


async def test_every_message_sent_again_gets_the_same_bytes_and_leaves_nothing(world: World) -> None:
    async with world.server() as phone:
        repeating = Repeating(phone.way)
        call = await phone.call(*MESSAGE, by=repeating)
        assert len(world.recordings) == 1
    assert call.heard[-1] == THANKS
    assert repeating.repeats == 1 + 2 + 3 + 4


class Eightfold:
    """A `Post` over a line that brings each message eight times at once."""

    def __init__(self, way: Way) -> None:
        self._way = way

    async def send(self, url: str, data: bytes, headers: Mapping[str, str], *, answer_time: float, most: int) -> Reply:
        replies = await asyncio.gather(
            *(self._way.send(url, data, headers, answer_time=answer_time, most=most) for _ in range(8))
        )
        assert len({(reply.status, reply.body) for reply in replies}) == 1
        return replies[0]


async def test_repeats_at_the_same_time_get_one_reply_and_leave_one_recording(world: World) -> None:
    world.script({"text": "hello", "delay": 0.2})
    async with world.server() as phone:
        call = await phone.call(*MESSAGE, by=Eightfold(phone.way))
        assert len(world.recordings) == 1
    assert call.heard[-1] == THANKS.replace("my flight was late", "hello")
    assert len(phone.letters) == 4 * 8
    _, trace = await world.look(call.id)
    assert sum(isinstance(step.event, RecordingMade) for step in trace) == 1


class Restarting:
    """A `Post` to a server that lives for one message; the next server gets it again, and the same reply is due."""

    def __init__(self, world: World, between: Callable[[], None]) -> None:
        """`between` is what happens while there is no server."""
        self._world = world
        self._between = between
        self.letters: list[Letter] = []

    async def send(self, url: str, data: bytes, headers: Mapping[str, str], *, answer_time: float, most: int) -> Reply:
        async with self._world.server() as phone:
            reply = await phone.way.send(url, data, headers, answer_time=answer_time, most=most)
            self.letters += phone.letters
        self._between()
        async with self._world.server() as phone:
            again = await phone.way.send(url, data, headers, answer_time=answer_time, most=most)
        assert (again.status, again.body) == (reply.status, reply.body)
        return reply


async def test_a_restart_between_any_two_messages_changes_nothing(world: World) -> None:
    def edit() -> None:  # is for new calls
        (world.flows / "desk.yaml").write_text(DESK.replace("beep", "tone"))

    restarting = Restarting(world, edit)
    async with phone_to(0, world.signer) as phone:
        call = await phone.call(*MESSAGE, by=restarting)
    assert call.ended == Ended("bot", "hangup")
    assert call.heard == ["Press 1 to leave a message.", "Speak after the beep.", THANKS]
    assert len(restarting.letters) == 4
    assert len(world.recordings) == 1


async def test_a_first_message_sent_again_after_a_restart_gets_the_same_bytes_though_its_flow_is_gone(
    world: World,
) -> None:
    async with world.server() as phone:
        await phone.call(*MESSAGE)
        first = phone.letters[0]
    (world.flows / "desk.yaml").rename(world.flows / "other.yaml")
    (world.flows / "other.yaml").write_text(DESK.replace("flow: desk", "flow: other"))
    (world.flows / "another.yaml").write_text(DESK.replace("flow: desk", "flow: another"))  # neither is the default
    async with world.server() as phone:
        again = await phone.way.send(first.url, first.data, first.headers, answer_time=PATIENCE, most=1 << 20)
    assert first.reply is not None
    assert (again.status, again.body) == (first.reply.status, first.reply.body)


# --- who may call ----------------------------------------------------------------------------------------------------


async def test_another_phone_is_a_stranger_and_gets_nothing(world: World) -> None:
    async with world.server() as phone:
        # It could be the platform's new key, and the keys were fetched a moment ago: it is asked to come back.
        limits = PhoneLimits(retries=1, retry_after=0.0)
        stranger = await phone.call(*MESSAGE, identity=Identity(APP), limits=limits)
        assert (stranger.ended.by, stranger.ended.reason) == ("platform", "refused")
        assert stranger.statuses == [503, 503]
        assert set(json.loads(phone.letters[-1].reply.body)) == {"error"}
        assert (await phone.call(*MESSAGE)).ended == Ended("bot", "hangup")


async def test_without_keys_the_platform_is_asked_to_come_back(world: World, signer: Signer) -> None:
    await signer.stop()
    async with world.server() as phone:
        call = await phone.call(*MESSAGE, limits=PhoneLimits(retries=2, retry_after=0.0))
        assert call.statuses == [503, 503, 503]
        assert call.ended.reason == "refused"
        assert call.ended.detail.startswith("The bot answered 503: ")
        async with connected(phone.port) as (reader, writer):
            writer.write(request("GET", "/readyz"))
            ready = await read_answer(reader)
        parts = {"store": True, "disk": True, "flows": True, "keys": False}
        assert (ready.status, ready.json) == (503, {"ready": False, **parts})


async def test_the_keys_of_the_last_run_let_calls_in(world: World, signer: Signer) -> None:
    async with world.server() as phone:
        assert (await phone.call(*MESSAGE)).ended == Ended("bot", "hangup")
    await signer.stop()
    async with world.server() as phone:
        assert (await phone.call(*MESSAGE)).ended == Ended("bot", "hangup")


async def test_the_log_names_calls_and_reasons_and_holds_no_token(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with world.server() as phone:
        await phone.call(*MESSAGE)
        await phone.call(*MESSAGE, identity=Identity(APP))
    log = texts(record for record in caplog.records if record.name.startswith("ivr"))
    assert "call begins" in log
    assert "job done" in log
    assert "refused" in log
    assert "my flight" not in log
    tokens = {letter.headers["Authorization"].removeprefix("Bearer ") for letter in phone.letters}
    assert len(tokens) == 2
    for token in tokens:
        assert token not in log
        assert token.rpartition(".")[0] not in log


# --- more than there is room for -------------------------------------------------------------------------------------


async def test_ten_times_too_much_is_answered_or_turned_away_and_health_still_answers(world: World) -> None:
    async with world.server(max_connections=32) as phone:

        async def caller() -> int:
            async with phone_to(phone.port, world.signer) as own:
                call = await own.call(Leave(), limits=PhoneLimits(retries=0))
            return call.statuses[0]

        calls = [asyncio.create_task(caller()) for _ in range(320)]
        health = []
        while not all(call.done() for call in calls):
            async with connected(phone.port) as (reader, writer), asyncio.timeout(PATIENCE):
                writer.write(request("GET", "/healthz", token=None))
                with suppress(ConnectionError, asyncio.IncompleteReadError):
                    health.append((await read_answer(reader)).status)
        statuses = [await call for call in calls]
        assert set(statuses) <= {0, 200, 503}  # 0: cut off before anything was sent
        assert statuses.count(200) >= 32
        assert 200 in health
