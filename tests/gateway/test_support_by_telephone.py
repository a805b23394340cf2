"""The shipped support menu on the real server, called by telephone: by key, by voice, and across a restart."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from ivr.audio.workers import Workers
from ivr.engine.commands import Text
from ivr.media.prompt_renderer import samples_of
from ivr.media.sound import BEEP
from ivr.rtp.codecs import payloads
from ivr.speech.voices.espeak import EspeakVoice
from tests.cli.stored_calls import ivr
from tests.gateway.calling_the_gateway import gateway_to
from tests.gateway.telephone import Telephone, telephone
from tests.house.pages import ROOT
from tests.kept_recordings import kept_recordings
from tests.server.process import Serving, served

pytestmark = pytest.mark.skipif(find_spec("espeakng_loader") is None, reason="no voice: pip install 'ivr[phone]'")

DATA = "recordings/live"
NOTE = """\
flow: note
initial: main
on: {exhausted: bye, error: bye}
states:
  main:
    menu: {prompt: Press one., choices: {note: {dtmf: "1"}}}
    on: {note: speak}
  speak: {record: {prompt: Speak., into: said}, next: bye}
  bye: {say: Bye., final: true}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "flows").mkdir()
    for name in ("support.yaml", "products.wav"):
        shutil.copy(ROOT / "flows" / name, tmp_path / "flows" / name)
    return tmp_path


@asynccontextmanager
async def line_to(server: Serving) -> AsyncIterator[tuple[Telephone, str]]:
    """Connect a telephone with a server; the flows are dialled by their names."""
    bot = f"http://127.0.0.1:{server.port}/call"
    async with (
        gateway_to(bot, map=("*=/call/{number}",), retry_time=30) as gateway,
        telephone() as phone,
    ):
        yield phone, gateway.addresses[0]


async def said(words: str) -> bytes:
    """Return words as a caller says them, 16 kHz."""
    return b"".join([piece async for piece in EspeakVoice().speak(Text(words, "male", "en-US"))])


async def told(folder: Path, flow: str = "support") -> str:
    """Return what `ivr calls` tells of the one call, after it was replayed."""
    data = folder / DATA
    (call,) = json.loads((await asyncio.to_thread(ivr, "calls", "--json", "--data", data)).stdout)
    replayed = await asyncio.to_thread(ivr, "replay", "--live", "--data", data, "--flow", folder / f"flows/{flow}.yaml")
    assert replayed.stdout == "1 call replayed: 1 same, 0 changed, 0 undetermined.\n"
    shown = (await asyncio.to_thread(ivr, "calls", "show", call["id"], "--data", data)).stdout
    assert "line: sip from 127.0.0.1:" in shown
    return shown


async def test_a_choice_by_voice_and_a_recording_whose_words_come_back(folder: Path) -> None:
    problem = await said("there is no dial tone")
    async with served(folder, "--stt", "pocketsphinx") as server, line_to(server) as (phone, address):
        caller = await phone.dial(address)
        await caller.answered()
        await caller.hears_sound()
        caller.speak(await said("technical issues"))
        await caller.hears(BEEP.samples)
        caller.speak(problem)
        await caller.until(lambda: caller.leg.queued == 0, "all was said")
        caller.press("#")
        over = await caller.ended()
    assert over.by == "remote"
    shown = await told(folder)
    assert "there is no dial tone" in shown
    (audio,) = kept_recordings(folder / DATA).values()
    (folder / "recorded").write_bytes(audio)
    workers = Workers()
    recorded = await samples_of(folder / "recorded", workers)
    await workers.close()
    assert 0.9 < len(recorded) / len(problem) < 2.5


async def test_the_menu_by_key_to_the_shipped_audio_file(folder: Path) -> None:
    await somebody_hears_the_products(folder)
    await told(folder)


async def somebody_hears_the_products(folder: Path) -> None:
    """Serve the menu, and let somebody choose the products and hear the audio file that lies beside the flow."""
    workers = Workers()
    products = await samples_of(folder / "flows/products.wav", workers)
    await workers.close()
    async with served(folder) as server, line_to(server) as (phone, address):
        caller = await phone.dial(address)
        await caller.answered()
        await caller.hears_sound()
        caller.press("2")
        await caller.hears_payloads(payloads("PCMA", products)[:50])
        caller.leg.hang_up()
        await server.said("call over")


async def test_the_server_is_restarted_in_mid_call_and_the_call_goes_on(folder: Path) -> None:
    (folder / "flows/note.yaml").write_text(NOTE)
    async with served(folder) as first:
        port = str(first.port)
        async with line_to(first) as (phone, address):
            caller = await phone.dial(address, "note")
            await caller.answered()
            await caller.hears_sound()
            await first.stop()
            caller.press("1")
            await caller.hears_silence(0.5)
            async with served(folder, "--port", port) as second:
                await caller.hears(BEEP.samples)
                caller.leg.hang_up()
                await second.said("call over")
    assert "Speak." in await told(folder, "note")
