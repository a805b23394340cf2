"""`{recording: x}`: callers hear what they have recorded, from an address that nobody can guess (LANGUAGE C9, C17)."""

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from ivr.audio.formats import sniff
from ivr.audio.workers import Workers
from ivr.media.prompt_renderer import samples_of
from ivr.media.sound import SilentRenderer, Sound, tone
from ivr.phone.callers.turn_based import Leave, PlaySamples, Press
from ivr.server.recording_files import MOST
from ivr.server.recording_links import PATH, RecordingLinks
from ivr.store.data_folder import DataFolder
from ivr.store.location import StoreLocation
from ivr.store.opening import open_store
from tests.phone.calling import PUBLIC, Phone, Signer
from tests.server.harness import connected, read_answer, request
from tests.server.test_speech_end_to_end import Tape
from tests.server.world import World

WORDS = Path(__file__).parents[1] / "speech_engines" / "recordings" / "lost-luggage.mp3"
FLOW = """\
flow: desk
initial: leave
on: {exhausted: bye, error: bye}
states:
  leave: {record: {prompt: Speak., into: message}, next: review}
  review:
    menu: {prompt: Press 1 to hear it., choices: {listen: {dtmf: "1"}}}
    on: {listen: {say: ["You said:", {recording: message}], target: self}}
  bye: {say: Goodbye., final: true}
"""


@pytest.fixture
def world(tmp_path: Path, signer: Signer) -> World:
    world = World(tmp_path, signer)
    (world.flows / "desk.yaml").write_text(FLOW)
    return world


def played(phone: Phone) -> list[str]:
    """Return the addresses of the files that the phone was told to play."""
    replies = [json.loads(letter.reply.body) for letter in phone.letters if letter.reply.body]
    prompts = [
        prompt
        for reply in replies
        for action in reply["actions"]
        if action["action"] == "playPrompt"
        for prompt in action["prompts"]
    ]
    return [prompt["fileUri"] for prompt in prompts if "fileUri" in prompt]


async def fetched(port: int, address: str, method: str = "GET") -> tuple[int, Mapping[str, str], bytes]:
    async with connected(port) as (reader, writer):
        writer.write(request(method, address.removeprefix(PUBLIC), token=None))
        answer = await read_answer(reader)
    return answer.status, answer.headers, answer.body


async def test_who_asks_to_hear_it_gets_it_at_an_address_of_its_own(world: World, tmp_path: Path) -> None:
    sound = Sound(SilentRenderer(), Tape(WORDS.read_bytes()))
    async with world.server() as phone:
        await phone.call(PlaySamples(tone(300.0, 1.0)), Press("1"), Leave(), sound=sound)
        [address] = played(phone)
        assert address.startswith(f"{PUBLIC}{PATH}")
        [name] = world.recordings
        assert name.partition(".")[0] not in address
        status, headers, body = await fetched(phone.port, address)
        assert (status, headers["content-type"], headers["cache-control"]) == (
            200,
            "audio/x-ms-wma",
            "private, no-store",
        )
        for wrong in (f"{address}x", address[:-1], f"{PUBLIC}{PATH}", f"{PUBLIC}{PATH}{name}"):
            assert (await fetched(phone.port, wrong))[0] == 404
        assert (await fetched(phone.port, address, "POST"))[0] == 404
    assert sniff(body) == "wma"
    assert len(body) < MOST


async def test_another_line_gets_it_as_wav(world: World, tmp_path: Path) -> None:
    sound = Sound(SilentRenderer(), Tape(WORDS.read_bytes()))
    async with world.server() as phone:
        await phone.call(PlaySamples(tone(300.0, 1.0)), Press("1"), Leave(), sound=sound)
        [name] = world.recordings
    with DataFolder.open(tmp_path / "data") as folder:
        opened = await open_store(StoreLocation(folder))
        address = RecordingLinks(PUBLIC, opened.link_key).for_line(name, time.time())
        await opened.close()
    async with world.server() as phone:
        status, headers, body = await fetched(phone.port, address)
    assert (status, headers["content-type"], sniff(body)) == (200, "audio/wav", "wav")
    (tmp_path / "played.wma").write_bytes(body)
    workers = Workers()
    before, after = [await samples_of(file, workers) for file in (WORDS, tmp_path / "played.wma")]
    await workers.close()
    assert abs(len(after) - len(before)) < 16_000 * 2 * 0.2  # the same words: within 200 ms


async def test_a_recording_without_a_sound_cannot_be_played(world: World) -> None:
    sound = Sound(SilentRenderer(), Tape(b"RIFF and nothing else"))
    async with world.server() as phone:
        await phone.call(PlaySamples(tone(300.0, 1.0)), Press("1"), Leave(), sound=sound)
        [address] = played(phone)
        assert (await fetched(phone.port, address))[0] == 415
        both = await asyncio.gather(fetched(phone.port, address), fetched(phone.port, address))
    assert [status for status, _, _ in both] == [415, 415]
