"""The voice `hibari`: what it speaks, what it refuses, and that only the release that was looked through is run."""

from array import array
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ivr.audio.workers import Workers
from ivr.engine.commands import Text
from ivr.errors import SynthesisFailed
from ivr.speech.voices.hibari.hibari_voice import HibariVoice
from tests.local_speech import needs_hibari

HELLO = Text("Thank you for calling. Press 1 for sales.", "female", "en-US")

pytestmark = [needs_hibari, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def voice() -> AsyncIterator[HibariVoice]:
    workers = Workers(size=1)
    voice = HibariVoice(workers)
    await workers.prepare()
    yield voice
    await workers.close()


async def parts_of(voice: HibariVoice, text: Text) -> list[bytes]:
    return [part async for part in voice.speak(text)]


async def test_each_sentence_is_a_part_of_its_own_and_always_the_same(voice: HibariVoice) -> None:
    first = await parts_of(voice, HELLO)
    assert len(first) == 2
    assert all(1.0 < len(part) / 32_000 < 3.0 for part in first)
    assert all(max(array("h", part)) > 5_000 for part in first)
    assert await parts_of(voice, HELLO) == first


async def test_a_language_that_it_does_not_speak_is_named(voice: HibariVoice) -> None:
    with pytest.raises(SynthesisFailed, match='hibari speaks only English, not "de-DE"'):
        await parts_of(voice, Text("Guten Tag.", "female", "de-DE"))
