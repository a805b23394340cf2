"""The real thing: server, tokens, turn, machine, store and worker together, called as the platform calls."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from ivr.engine.events import CallEnded, RecordingMade, ServiceAnswered
from ivr.ports import CallKey, CallRecord, Stepped
from ivr.server.run import running
from ivr.settings import Settings
from ivr.store.folder import DataFolder
from ivr.store.reader import Reader
from ivr.store.sqlite import SqliteStore
from ivr.store.statements import find_calls
from tests.fakes.identity import Identity
from tests.server.harness import Answer, connected, form, read_answer, request, texts

APP = "an-app-id"
WMA = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + bytes(range(256)) * 32  # ASF's first bytes

DESK = """\
flow: desk
initial: main
on: {exhausted: bye, error: bye}
states:
  main:
    menu:
      prompt: Press 1 to leave a message.
      choices:
        message: {dtmf: "1", speech: [message]}
      noMatch: That is no choice.
    on: {message: report}
  report:
    record:
      prompt: Speak after the beep.
      transcribe: true
      holdPrompt: One moment please.
      into: problem
    next: thanks
    on: {error.transcribe: thanks}
  thanks:
    say: "Thank you. We heard {{ problem.transcript or 'your recording' }}. Goodbye."
    final: true
  bye: {say: Goodbye., final: true}
"""


class Platform:
    """The platform's side of one call."""

    def __init__(self, port: int, token: str, call: str = "call-1") -> None:
        self.port, self.token, self.call = port, token, call
        self.messages = 0

    async def post(
        self,
        path: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        message: str | None = None,
        token: str | None = None,
    ) -> Answer:
        self.messages += message is None
        fields = {**headers, "X-Microsoft-Skype-Message-ID": message or f"{self.call}-{self.messages}"}
        async with connected(self.port) as (reader, writer), asyncio.timeout(10):
            writer.write(request("POST", path, body, fields, token=token or self.token))
            return await read_answer(reader)

    async def calls(self, path: str = "/call", *, message: str | None = None, token: str | None = None) -> Answer:
        return await self.post(path, _json(_conversation(self.call)), _JSON, message=message, token=token)

    async def reports(
        self, outcome: Mapping[str, Any], *, state: str = "established", message: str | None = None
    ) -> Answer:
        return await self.post("/callback", _json(self._result(outcome, state)), _JSON, message=message)

    async def records(
        self, op: str, audio: bytes = WMA, *, message: str | None = None, state: str = "established"
    ) -> Answer:
        reason = "completedStopToneDetected" if state == "established" else "callTerminated"
        outcome = {
            "type": "recordOutcome",
            "id": op,
            "completionReason": reason,
            "lengthOfRecordingInSecs": 2.5,
            "format": "wma",
            "outcome": "success",
        }
        body = form(WMA, message=_json(self._result(outcome, state)))
        headers = {"Content-Type": 'multipart/form-data; boundary="B", application/json; charset=utf-8'}
        return await self.post("/callback", body, headers, message=message)

    def _result(self, outcome: Mapping[str, Any], state: str) -> dict[str, Any]:
        return {"id": self.call, "operationOutcome": outcome, "callState": state}


_JSON = {"Content-Type": "application/json; charset=utf-8"}


def _json(content: object) -> bytes:
    return json.dumps(content).encode()


def _conversation(call: str) -> dict[str, Any]:
    return {
        "id": call,
        "participants": [{"identity": "29:caller", "originator": True}, {"identity": "28:bot", "originator": False}],
        "presentedModalityTypes": ["audio"],
        "callState": "incoming",
    }


def pressed(op: str, choice: str = "message") -> dict[str, Any]:
    made = {"completionReason": "dtmfOptionMatched", "choiceName": choice}
    return {"type": "recognizeOutcome", "id": op, "choiceOutcome": made, "outcome": "success"}


def done(op: str, what: str) -> dict[str, Any]:
    return {"type": f"{what}Outcome", "id": op, "outcome": "success"}


def workflow(answer: Answer) -> list[dict[str, Any]]:
    assert answer.status == 200, answer
    content = json.loads(answer.body)
    assert content["links"]["callback"] == "https://ivr.example/callback"
    actions: list[dict[str, Any]] = content["actions"]
    return actions


def kinds(answer: Answer) -> list[str]:
    return [action["action"] for action in workflow(answer)]


def last_op(answer: Answer) -> str:
    return str(workflow(answer)[-1]["operationId"])


def spoken(answer: Answer) -> str:
    return json.dumps(workflow(answer))


class World:
    """A data folder, flows and an identity provider, between servers."""

    def __init__(self, folder: Path, identity: Identity) -> None:
        self.folder, self.identity = folder, identity
        self.flows = folder / "flows"
        self.flows.mkdir()
        (self.flows / "desk.yaml").write_text(DESK)
        self.script({"text": "my flight was late", "confidence": 0.9})

    def script(self, line: Mapping[str, object]) -> None:
        (self.folder / "script.json").write_text(json.dumps({"*": line}))

    @asynccontextmanager
    async def server(self, **changed: object) -> AsyncIterator[Platform]:
        settings = Settings(
            **{
                "app_id": APP,
                "openid_metadata": (self.identity.metadata_url,),
                "openid_loopback": True,
                "public_url": "https://ivr.example",
                "port": 0,
                "data": self.folder / "data",
                "stt": "scripted",
                "stt_script": self.folder / "script.json",
                **changed,
            }
        )
        async with running(settings, [self.flows], dev=False) as server:
            yield Platform(int(server.url.rpartition(":")[2]), self.identity.token())

    @property
    def audio(self) -> list[Path]:
        return sorted((self.folder / "data" / "audio").iterdir())

    async def is_over(self) -> bool:
        """Look whether the only call is over, while a server runs."""
        reader = Reader(self.folder / "data" / "calls.db")
        (record,) = await reader.read(find_calls)
        await reader.close()
        return record.call.phase == "over"

    async def look(self, call: str = "call-1") -> tuple[CallRecord, list[Stepped]]:
        """Look into the store while no server has it."""
        with DataFolder.open(self.folder / "data") as folder:
            store = await SqliteStore.open(folder.database, seal_key=None, seal_file=folder.seal_key)
            record = await store.load(CallKey("skype", APP, call))
            assert record is not None
            trace = await store.trace(record.id)
            await store.close()
        return record, list(trace)


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
        answer = await platform.post("/callback", body, _JSON)
        assert answer.status == 400
        assert answer.code


@pytest.mark.parametrize("call", ["x" * 10_000, "a\u0000b", "a\nb", "\ud800"], ids=range(4))
async def test_a_hostile_call_id_is_400(world: World, call: str) -> None:
    async with world.server() as platform:
        platform.call = call
        answer = await platform.post("/call", _json(_conversation(call)), _JSON, message="m1")
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
