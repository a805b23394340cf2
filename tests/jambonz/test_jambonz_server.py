"""Whole calls by HTTP and WebSocket, with signatures on: what is acknowledged survives, and nobody else gets in."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from ivr.engine.events import CallEnded, RecordingMade
from ivr.settings import Settings, SettingsError
from tests.jambonz.jambonz_line import BASE, PUBLIC
from tests.jambonz.jambonz_world import SECRET, JambonzSide, JambonzWorld, signature
from tests.jambonz.recording_house import closed, heard, played, voice
from tests.kept_recordings import kept_recordings
from tests.phone.calling import Signer

FLOW = """\
flow: desk
initial: main
on: {exhausted: bye, error: sorry}
states:
  main:
    menu: {prompt: "Press 1 to leave a message.", choices: {message: {dtmf: "1", speech: [message]}}}
    on: {message: leave}
  leave: {record: {prompt: Speak., into: message}, next: review}
  review:
    menu: {prompt: [{recording: message}, Press 1 to keep it.], choices: {keep: {dtmf: "1"}, again: {dtmf: "2"}}}
    on: {keep: bye, again: leave}
  sorry: {say: Sorry., final: true}
  bye: {say: Goodbye., final: true}
"""
CALL = f"{PUBLIC}/jambonz/call"
BODY = json.dumps(BASE).encode()
GONE = {"call_termination_by": "caller", "duration": 7}


@pytest.fixture
def world(tmp_path: Path) -> JambonzWorld:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows/desk.yaml").write_text(FLOW)
    return JambonzWorld(tmp_path, [tmp_path / "flows"])


async def test_a_whole_call(world: JambonzWorld) -> None:
    said = voice(2.0)
    async with world.server() as side:
        await side.status("trying")
        verbs = await side.ring()
        assert [verb["verb"] for verb in verbs] == ["answer", "gather", "redirect"]
        assert side.heard == ["Press 1 to leave a message."]
        await side.answer(
            reason="speechDetected", speech={"alternatives": [{"transcript": "message", "confidence": 0.8}]}
        )
        assert side.heard == ["Speak."]
        await side.record(said)
        await side.post(side.verb("listen")["actionHook"], dial_call_duration=2)
        [played_back] = [verb["url"] for verb in side.verbs if verb["verb"] == "play"]
        status, _ = await fetched(side, played_back)
        assert status == 200
        await side.press("1")
        assert side.heard == ["Goodbye."]
        assert side.verbs[-1] == {"verb": "hangup"}
        await side.status("completed", call_termination_by="jambonz", duration=20)
    record, trace = await world.call()
    assert (record.call.phase, record.key.channel) == ("over", "jambonz")
    [made] = [step.event for step in trace if isinstance(step.event, RecordingMade)]
    assert (made.seconds, made.ended) == (2.0, "terminator")
    [audio] = kept_recordings(world.folder / "data").values()
    assert audio.endswith(said)


async def fetched(side: JambonzSide, address: str) -> tuple[int, bytes]:
    async with side._client.get(side.here(address)) as answer:
        return answer.status, await answer.read()


# --- restarts ---


async def test_a_call_goes_on_after_a_restart_at_any_step(world: JambonzWorld) -> None:
    async with world.server() as side:
        first = await side.ring()
    async with world.server() as side:
        assert await side.ring() == first, "the same request gets the same bytes"
        leave = await side.press("1")
    async with world.server() as side:
        side.verbs = first
        assert await side.press("1") == leave
        await side.record(voice(1.0))
    async with world.server() as side:
        side.verbs = leave
        after = await side.post(side.verb("listen")["actionHook"])
        assert side.heard == ["Press 1 to keep it."]
        assert after[0]["verb"] == "play"
        await side.press("1")
        assert side.heard == ["Goodbye."]


async def test_a_server_that_ends_in_a_recording_keeps_what_was_said(world: JambonzWorld) -> None:
    async with world.server() as side:
        await side.ring()
        leave = await side.press("1")
        socket = side.socket()
        sound = await socket.__aenter__()
        await played(sound, voice(2.0))
        await heard(sound)
    assert await closed(sound) in {1000, 1006}
    async with world.server() as side:
        side.verbs = leave
        await side.post(side.verb("listen")["actionHook"])
        assert side.heard == ["Press 1 to keep it."]
    _, trace = await world.call()
    [made] = [step.event for step in trace if isinstance(step.event, RecordingMade)]
    assert (made.seconds, made.ended) == (2.0, "limit")


async def test_a_caller_who_hangs_up_in_a_recording_has_left_it(world: JambonzWorld) -> None:
    async with world.server() as side:
        await side.ring()
        await side.press("1")
        async with side.socket() as socket:
            await played(socket, voice(2.0))
            await side.status("completed", **GONE)
            await socket.close()
        assert await side.post(side.verb("listen")["actionHook"], call_status="completed", **GONE) is not None
    record, trace = await world.call()
    assert record.call.phase == "over"
    kinds = [type(step.event) for step in trace if step.ignored is None]
    assert kinds.index(CallEnded) < kinds.index(RecordingMade)
    assert len(kept_recordings(world.folder / "data")) == 1


# --- who gets in ---


async def refused(side: JambonzSide, body: bytes = BODY, address: str = CALL, **headers: str) -> tuple[int, str]:
    status, answer = await side.send(address, body, **headers)
    return status, answer["error"]["code"]


async def test_each_kind_of_forgery_is_refused(world: JambonzWorld) -> None:
    now = time.time()
    async with world.server() as side:
        assert await refused(side) == (401, "signature")
        assert await refused(side, Jambonz_Signature="nonsense") == (401, "signature")
        assert await refused(side, Jambonz_Signature=signature(BODY, secret="another")) == (401, "signature")
        assert await refused(side, BODY + b" ", Jambonz_Signature=signature(BODY)) == (401, "signature")
        assert await refused(side, Jambonz_Signature=signature(BODY, at=now - 400)) == (401, "stale")
        assert await refused(side, Jambonz_Signature=signature(BODY, at=now + 400)) == (401, "stale")
        foreign = json.dumps({**BASE, "account_sid": "acc-2"}).encode()
        assert await refused(side, foreign, Jambonz_Signature=signature(foreign)) == (403, "account")
        assert (await side.send(CALL, b"", method="GET"))[0] == 405
        form: dict[str, Any] = {
            "Content_Type": "application/x-www-form-urlencoded",
            "Jambonz_Signature": signature(BODY),
        }
        assert (await refused(side, **form))[0] == 415
        await side.ring()
        step = side.verb("gather")["actionHook"]
        assert await refused(side, address=step) == (401, "signature")
        wrong = step.replace("~", "~A", 1)
        assert await refused(side, address=wrong, Jambonz_Signature=signature(BODY)) == (403, "token")


async def test_a_secret_can_be_replaced_without_a_gap(world: JambonzWorld) -> None:
    async with world.server(jambonz_webhook_secret=f"the-new-secret,{SECRET}") as side:
        assert (await side.send(CALL, BODY, Jambonz_Signature=signature(BODY)))[0] == 200
        assert (await side.send(CALL, BODY, Jambonz_Signature=signature(BODY, secret="the-new-secret")))[0] == 200


async def test_without_its_secret_the_line_is_off(world: JambonzWorld, signer: Signer) -> None:
    async with world.server(jambonz_webhook_secret=None, **signer.settings) as side:
        assert (await side.send(CALL, BODY, Jambonz_Signature=signature(BODY, secret="")))[0] == 404
        assert (await fetched(side, "/jambonz/listen/a/b/c"))[0] == 404


# --- settings ---


@pytest.mark.parametrize(
    "wrong",
    [
        {"jambonz_webhook_secret": "short"},
        {"jambonz_webhook_secret": " , "},
        {"jambonz_allow_transfer": "everybody"},
        {"jambonz_voices": "no json"},
        {"jambonz_voices": '{"german!": "x"}'},
        {"jambonz_voices": "[]"},
        {"jambonz_api_url": "https://user:password@jambonz.example"},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Settings(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("address", ["jambonz.example", "ftp://jambonz.example", "https://"])
async def test_an_address_of_the_api_that_is_none_keeps_the_server_from_starting(
    world: JambonzWorld, address: str
) -> None:
    with pytest.raises(SettingsError, match="IVR_JAMBONZ_API_URL must be an address"):
        async with world.server(jambonz_api_url=address, jambonz_api_key="key"):
            pass
