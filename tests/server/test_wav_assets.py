"""Prompt files as WAV, for lines that play nothing else: only what a flow collected, whatever the file itself is."""

import io
import wave
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest

from ivr.media.recorder import wav
from ivr.media.sound import tone
from tests.phone.calling import Phone, Signer
from tests.server.harness import connected, read_answer, request
from tests.server.world import World

WMA = (Path(__file__).parents[1] / "speech_engines/recordings/contoso.wma").read_bytes()
TONE = wav(tone(440.0, 0.5)).data
FLOW = """\
flow: desk
initial: main
states: {main: {say: [{audio: hello.wma, text: Hello.}, {audio: tone.wav, text: A tone.}], final: true}}
"""


@pytest.fixture
def world(tmp_path: Path, signer: Signer) -> World:
    world = World(tmp_path, signer)
    (world.flows / "desk.yaml").write_text(FLOW)
    (world.flows / "hello.wma").write_bytes(WMA)
    (world.flows / "tone.wav").write_bytes(TONE)
    return world


async def fetched(phone: Phone, path: str, method: str = "GET") -> tuple[int, Mapping[str, str], bytes]:
    async with connected(phone.port) as (reader, writer):
        writer.write(request(method, path, token=None))
        answer = await read_answer(reader)
    return answer.status, answer.headers, answer.body


async def test_a_file_of_another_kind_is_decoded_and_wav_is_sent_as_it_is(world: World) -> None:
    name = sha256(WMA).hexdigest()
    async with world.server() as phone:
        status, headers, body = await fetched(phone, f"/media/{name}.wav")
        assert (status, headers["content-type"]) == (200, "audio/wav")
        assert headers["cache-control"] == "public, max-age=31536000, immutable"
        with wave.open(io.BytesIO(body)) as file:
            assert (file.getframerate(), file.getnchannels()) == (16_000, 1)
            assert file.getnframes() > 16_000
        assert await fetched(phone, f"/media/{name}.wav") == (status, headers, body)
        assert (await fetched(phone, f"/media/{name}"))[2] == WMA
        assert (await fetched(phone, f"/media/{sha256(TONE).hexdigest()}.wav"))[2] == TONE


@pytest.mark.parametrize("path", [f"/media/{'0' * 64}.wav", "/media/.wav", "/media/../x.wav", f"/media/{'0' * 63}.wav"])
async def test_what_no_flow_collected_is_not_there(world: World, path: str) -> None:
    async with world.server() as phone:
        assert (await fetched(phone, path))[0] == 404


async def test_nothing_can_be_done_with_it_but_to_fetch_it(world: World) -> None:
    async with world.server() as phone:
        assert (await fetched(phone, f"/media/{sha256(WMA).hexdigest()}.wav", "POST"))[0] == 404
