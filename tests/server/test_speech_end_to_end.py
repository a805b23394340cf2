"""From a voice on the phone to words in the next prompt: the real server, real engines, real audio.

Where it matters which bytes arrive, the phone has a tape for a recorder: whatever is recorded, a given file comes out.
"""

import asyncio
import importlib.util
import logging
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from ivr.audio.workers import Workers
from ivr.engine.commands import RecordingFormat
from ivr.engine.events import ServiceFailed
from ivr.media.prompt_renderer import samples_of
from ivr.media.sound import EncodedRecording, SilentRenderer, Sound, tone
from ivr.phone.callers.turn_based import PlaySamples
from ivr.phone.net.post import Reply
from tests.fakes.azure_speech import AzureSpeech, Phrase
from tests.phone.calling import PUBLIC, Held, Phone, Signer
from tests.phone.fake_bot import Told
from tests.server.world import World

RECORDINGS = Path(__file__).parents[1] / "speech_engines" / "recordings"
SUPPORT = (RECORDINGS / "technical-support.wma").read_bytes()
ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
"The first bytes of WMA."
TYPES = {"wma": b"audio/x-ms-wma", "wav": b"audio/wav", "mp3": b"audio/mpeg"}
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


class Tape:
    """An `Encoder` that gives one file, whatever was recorded."""

    def __init__(self, file: bytes) -> None:
        self._file = file

    async def encode(self, samples: bytes, form: RecordingFormat, rate: int = 16_000) -> EncodedRecording:
        return EncodedRecording(self._file, form, 1.8)


@pytest.fixture
def world(tmp_path: Path, signer: Signer) -> World:
    world = World(tmp_path, signer)
    (world.flows / "desk.yaml").write_text(DESK)
    return world


@pytest.fixture
async def voice() -> bytes:
    """Somebody who says "technical support please", as samples."""
    workers = Workers()
    samples = await samples_of(RECORDINGS / "technical-support.wma", workers)
    await workers.close()
    return samples


async def leave(phone: Phone, file: bytes) -> Held:
    """Call, and let a file be what was recorded."""
    return await phone.call(PlaySamples(tone(300.0, 1.0)), sound=Sound(SilentRenderer(), Tape(file)))


async def test_a_voice_comes_back_as_words_by_the_embedded_engine(world: World, voice: bytes) -> None:
    async with world.server(stt="pocketsphinx", reply_budget=PATIENT) as phone:
        call = await phone.call(PlaySamples(voice))
    (audio,) = world.recordings.values()
    assert audio.startswith(ASF)
    assert call.heard[-1] == "You said technical support please."


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("technical-support.wma", "technical support please"),
        ("yes.wav", "yes"),
        ("lost-luggage.mp3", "lost luggage"),
    ],
)
async def test_every_format_of_the_protocol_is_asked_for_and_understood(world: World, file: str, words: str) -> None:
    form = file.rpartition(".")[2]
    (world.flows / "desk.yaml").write_text(DESK.replace("into: wish", f"into: wish\n      format: {form}"))
    async with world.server(stt="pocketsphinx", reply_budget=PATIENT) as phone:
        assert (await leave(phone, (RECORDINGS / file).read_bytes())).heard[-1] == f"You said {words}."
    assert TYPES[form] in phone.letters[1].data


class Curl:
    """A `Post` by curl, which writes forms in its own way."""

    def __init__(self, port: int, folder: Path) -> None:
        self._address = f"http://127.0.0.1:{port}"
        self._folder = folder

    async def send(self, url: str, data: bytes, headers: Mapping[str, str], *, answer_time: float, most: int) -> Reply:
        begun = time.perf_counter()
        heads = [f"{name}: {value}" for name, value in headers.items() if name != "Content-Type"]
        curl = await asyncio.create_subprocess_exec(
            *("curl", "-sS", "--max-time", str(answer_time), "-w", "%{stderr}%{http_code}"),
            *(word for head in heads for word in ("-H", head)),
            *self._content(Told(url, headers, data)),
            url.replace(PUBLIC, self._address),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        body, status = await curl.communicate()
        assert curl.returncode == 0, status
        return Reply(int(status), body, time.perf_counter() - begun)

    def _content(self, told: Told) -> list[str]:
        if not told.is_form:
            return ["-H", f"Content-Type: {told.headers['Content-Type']}", "--data-binary", told.body.decode()]
        file = self._folder / "recording.wma"
        file.write_bytes(told.parts["recordedAudio"])
        result = told.parts["conversationResult"].decode()
        return [
            "-F",
            f"recordedAudio=@{file};type=audio/x-ms-wma",
            "-F",
            f"conversationResult={result};type=application/json",
        ]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_a_recording_that_curl_sends_comes_back_as_words(world: World, voice: bytes, tmp_path: Path) -> None:
    async with world.server(stt="pocketsphinx", reply_budget=PATIENT) as phone:
        call = await phone.call(PlaySamples(voice), by=Curl(phone.port, tmp_path))
    assert call.heard[-1] == "You said technical support please."
    assert set(call.statuses) == {200}


async def test_words_that_were_not_asked_for_are_not_guessed(world: World) -> None:
    async with world.server(stt="pocketsphinx", reply_budget=PATIENT) as phone:
        call = await leave(phone, (RECORDINGS / "weather.wma").read_bytes())
    assert call.heard[-1] == "You said nothing that we know."


@pytest.mark.skipif(
    importlib.util.find_spec("azure") is None or importlib.util.find_spec("azure.cognitiveservices") is None,
    reason="the extra `azure` is not installed",
)
async def test_a_voice_comes_back_as_words_by_microsofts_sdk(world: World, voice: bytes) -> None:
    service = AzureSpeech(says=[Phrase("Technical support.", 0.93)])
    await service.start()
    try:
        chosen = {"stt": "azure", "azure_key": service.key, "azure_endpoint": service.url}
        async with world.server(**chosen, reply_budget=PATIENT) as phone:
            call = await phone.call(PlaySamples(voice))
    finally:
        await service.stop()
    assert call.heard[-1] == "You said Technical support.."
    (heard,) = service.heard
    assert heard.phrases == ["sales", "technical support please", "lost luggage", "yes"]


@pytest.mark.parametrize("kind", HOSTILE)
async def test_what_is_no_recording_is_an_event_and_the_server_goes_on(world: World, kind: str) -> None:
    async with world.server(stt="pocketsphinx", reply_budget=PATIENT) as phone:
        hostile = await leave(phone, HOSTILE[kind])
        assert hostile.heard[-1] == "That was no recording."
        (audio,) = world.recordings.values()
        assert audio == HOSTILE[kind]
        assert (await leave(phone, SUPPORT)).heard[-1] == "You said technical support please."
    _, trace = await world.look(hostile.id)
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
    async with world.server(stt="pocketsphinx", reply_budget=PATIENT) as phone:
        await leave(phone, SUPPORT)
        assert workers()
    assert not workers()


def workers() -> list[str]:
    """Return the worker processes of this process."""
    found = []
    for children in Path("/proc/self/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread or a child that has ended meanwhile
            for child in children.read_text().split():
                found += [child] if b"ivr.audio.worker" in Path(f"/proc/{child}/cmdline").read_bytes() else []
    return found
