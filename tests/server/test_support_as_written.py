"""The support menu of the language's own pages: typed, by script over the phone, and by telephone."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from ivr.phone.callers.turn_based import Leave, Press, Speak
from tests.cli.test_talk import talk
from tests.flowfile.reading import HERE
from tests.gateway.test_support_by_telephone import somebody_hears_the_products, told
from tests.house.pages import ROOT
from tests.phone.calling import Signer
from tests.server.world import World

FLOW = HERE / "good" / "support.yaml"
PRODUCTS = "We make telephones for offices of every size."


def beside(folder: Path) -> Path:
    """Put the flow into a folder, with the audio file beside it."""
    folder.mkdir(exist_ok=True)
    shutil.copy(FLOW, folder)
    shutil.copy(ROOT / "flows" / "products.wav", folder)
    return folder / FLOW.name


def test_typed_it_tells_of_products_and_takes_an_issue(tmp_path: Path) -> None:
    said = talk(beside(tmp_path), "2", "again", "*", "problem", "there is no dial tone").output
    assert said.count("main — products → products") == 1
    assert said.count("anything_else — again → products") == 1
    assert "anything_else — back → main" in said
    assert "We heard: there is no dial tone." in said
    assert "The call is over: resolved." in said


async def test_by_script_over_the_phone_it_takes_an_issue(tmp_path: Path, signer: Signer) -> None:
    world = World(tmp_path, signer)
    (world.flows / "desk.yaml").unlink()
    beside(world.flows)
    world.script({"text": "there is no dial tone", "confidence": 0.9})
    async with world.server() as phone:
        call = await phone.call(Press("2"), Press("1"), Press("*"), Speak("technical issues"), Speak("No dial tone."))
        left = await phone.call(Press("9"), Leave())
    assert call.heard[-1] == "Thank you. A technician will call you. We heard: there is no dial tone."
    assert "That is not one of the choices." in " ".join(left.heard)
    record, _ = await world.look(call.id)
    assert record.call.outcome == "resolved"


@pytest.mark.skipif(find_spec("espeakng_loader") is None, reason="no voice: pip install 'ivr[phone]'")
async def test_by_telephone_the_audio_file_beside_it_is_heard(tmp_path: Path) -> None:
    beside(tmp_path / "flows")
    await somebody_hears_the_products(tmp_path)
    assert PRODUCTS in " ".join((await told(tmp_path)).split())
