"""From a recording in a form to words in the next prompt: the real server, real engines, real audio."""

import asyncio
import importlib.util
import json
import logging
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from ivr.engine.events import ServiceFailed
from tests.fakes.azure_speech import AzureSpeech, Phrase
from tests.fakes.identity import Identity
from tests.server.harness import Answer
from tests.server.world import APP, Platform, World, kinds, last_op, spoken

RECORDINGS = Path(__file__).parents[1] / "speech_engines" / "recordings"
SUPPORT = (RECORDINGS / "technical-support.wma").read_bytes()
PATIENT = 9.0
"Seconds of a reply: a worker process starts meanwhile, on a machine that is busy with other tests."

DESK = """\
flow: desk
initial: main
on: {exhausted: bye, error: bye}
states:
  main:
    record:
      prompt: Which department?
      transcribe: true
      phrases: [sales, technical support please, lost luggage, "yes"]
      holdPrompt: One moment please.
      into: wish
    next: heard
    on: {error.transcribe: bye, error.recording: broken}
  heard: {say: "You said {{ wish.transcript or 'nothing that we know' }}.", final: true}
  broken: {say: That was no recording., final: true}
  bye: {say: Goodbye., final: true}
"""
PLAYLIST = b"ffconcat version 1.0\nfile yes.wav\n"
HOSTILE = {
    "a playlist": PLAYLIST,
    "a playlist that begins like a WMA file": SUPPORT[:16] + PLAYLIST * 100,
    "a picture": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "an hour in a few bytes": b"fLaC\x00\x00\x00\x22" + bytes.fromhex("1000100000000000000000fa00f0") + b"\xff" * 20,
}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    identity = Identity(APP)
    await identity.start()
    world = World(tmp_path, identity)
    (world.flows / "desk.yaml").write_text(DESK)
    yield world
    await identity.stop()


async def send(platform: Platform, audio: bytes) -> Answer:
    """Call, and report a recording."""
    asked = await platform.calls()
    assert kinds(asked) == ["answer", "record"]
    return await platform.records(last_op(asked), audio)


async def test_a_wma_recording_comes_back_as_words_by_the_embedded_engine(world: World) -> None:
    async with world.server(stt="pocketsphinx", reply_budget=PATIENT) as platform:
        assert "You said technical support please." in spoken(await send(platform, SUPPORT))


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_a_wma_recording_that_curl_sends_comes_back_as_words(world: World) -> None:
    async with world.server(stt="pocketsphinx", reply_budget=PATIENT) as platform:
        asked = await platform.calls()
        outcome = {
            "type": "recordOutcome",
            "id": last_op(asked),
            "completionReason": "completedStopToneDetected",
            "lengthOfRecordingInSecs": 1.8,
            "outcome": "success",
        }
        result = json.dumps({"id": platform.call, "operationOutcome": outcome, "callState": "established"})
        curl = await asyncio.create_subprocess_exec(
            *("curl", "-sS", "--max-time", "20", "-H", f"Authorization: Bearer {platform.token}"),
            *("-F", f"recordedAudio=@{RECORDINGS / 'technical-support.wma'};type=audio/x-ms-wma"),
            *("-F", f"conversationResult={result};type=application/json"),
            f"http://127.0.0.1:{platform.port}/callback",
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await curl.communicate()
    assert curl.returncode == 0
    assert "You said technical support please." in printed.decode()


@pytest.mark.parametrize(("file", "words"), [("yes.wav", "yes"), ("lost-luggage.mp3", "lost luggage")])
async def test_the_other_formats_of_the_protocol_are_understood_too(world: World, file: str, words: str) -> None:
    async with world.server(stt="pocketsphinx", reply_budget=PATIENT) as platform:
        assert f"You said {words}." in spoken(await send(platform, (RECORDINGS / file).read_bytes()))


async def test_words_that_were_not_asked_for_are_not_guessed(world: World) -> None:
    async with world.server(stt="pocketsphinx", reply_budget=PATIENT) as platform:
        answer = await send(platform, (RECORDINGS / "weather.wma").read_bytes())
        assert "You said nothing that we know." in spoken(answer)


@pytest.mark.skipif(
    importlib.util.find_spec("azure") is None or importlib.util.find_spec("azure.cognitiveservices") is None,
    reason="the extra `azure` is not installed",
)
async def test_a_wma_recording_comes_back_as_words_by_microsofts_sdk(world: World) -> None:
    service = AzureSpeech(says=[Phrase("Technical support.", 0.93)])
    await service.start()
    try:
        chosen = {"stt": "azure", "azure_key": service.key, "azure_endpoint": service.url}
        async with world.server(**chosen, reply_budget=PATIENT) as platform:
            assert "You said Technical support.." in spoken(await send(platform, SUPPORT))
    finally:
        await service.stop()
    (heard,) = service.heard
    assert heard.phrases == ["sales", "technical support please", "lost luggage", "yes"]


@pytest.mark.parametrize("kind", HOSTILE)
async def test_what_is_no_recording_is_an_event_and_the_server_goes_on(world: World, kind: str) -> None:
    async with world.server(stt="pocketsphinx", reply_budget=PATIENT) as platform:
        assert "That was no recording." in spoken(await send(platform, HOSTILE[kind]))
        (audio,) = world.audio
        assert audio.read_bytes() == HOSTILE[kind]
        another = Platform(platform.port, platform.token, "call-2")
        assert "You said technical support please." in spoken(await send(another, SUPPORT))
    _, trace = await world.look()
    (failed,) = [step.event for step in trace if isinstance(step.event, ServiceFailed)]
    assert failed.code == "recording"


async def test_the_operator_is_told_where_a_flow_wants_more_than_the_engine_has(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    (world.flows / "desk.yaml").write_text(DESK.replace("phrases:", "# phrases:"))
    with caplog.at_level(logging.WARNING):
        async with world.server(stt="pocketsphinx"):
            pass
    (told,) = [record for record in caplog.records if record.message == "flow wants more"]
    assert "no transcript without phrases" in told.__dict__["reason"]
    assert told.__dict__["file"].endswith("desk.yaml:8")


async def test_workers_end_with_the_server(world: World) -> None:
    async with world.server(stt="pocketsphinx", reply_budget=PATIENT) as platform:
        await send(platform, SUPPORT)
        assert workers()
    assert not workers()


def workers() -> list[str]:
    """Name the worker processes of this process."""
    found = []
    for children in Path("/proc/self/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread or a child that has ended meanwhile
            for child in children.read_text().split():
                found += [child] if b"ivr.audio.worker" in Path(f"/proc/{child}/cmdline").read_bytes() else []
    return found
