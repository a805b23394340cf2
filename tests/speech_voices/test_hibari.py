"""The voice `hibari` itself, in its worker: what it speaks, what it refuses, and what it may do."""

import asyncio
import re
from array import array
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace

from ivr.audio.workers import Job, Workers
from ivr.engine.commands import Text
from ivr.errors import SynthesisFailed, VoiceUnavailable
from ivr.ports import SampleRate
from ivr.speech.voice_registry import VoiceOptions, voice_of
from ivr.speech.voices.espeak import is_installed
from ivr.speech.voices.hibari import hibari_voice
from ivr.speech.voices.hibari.hibari_voice import HibariVoice
from ivr.speech.voices.hibari.reading import sentences
from tests.local_speech import needs_hibari
from tests.waiting import PATIENCE

HELLO = Text("Thank you for calling. Press 1 for sales.", "female", "en-US")

pytestmark = [needs_hibari, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workers() -> AsyncIterator[Workers]:
    workers = Workers(size=1)
    HibariVoice(workers)
    await workers.prepare()
    yield workers
    await workers.close()


@pytest.fixture
def voice(workers: Workers) -> HibariVoice:
    return HibariVoice(workers, longest_wait=PATIENCE)


async def parts_of(voice: HibariVoice, text: Text, rate: SampleRate = 16_000) -> list[bytes]:
    return [part async for part in voice.speak(text, rate=rate)]


async def test_each_sentence_is_a_part_of_its_own_and_always_the_same(voice: HibariVoice) -> None:
    first = await parts_of(voice, HELLO)
    assert len(first) == 2
    assert all(1.0 < len(part) / 32_000 < 3.0 for part in first)
    assert all(max(array("h", part)) > 5_000 for part in first)
    assert await parts_of(voice, HELLO) == first


async def test_the_first_sound_comes_at_once(voice: HibariVoice) -> None:
    for part in await parts_of(voice, HELLO):
        loud = [at for at, sample in enumerate(array("h", part)) if abs(sample) > 100]
        assert loud[0] / 16_000 < 0.05
        assert 0.2 < len(part) / 32_000 - loud[-1] / 16_000 < 0.6  # the pause after a sentence


@pytest.mark.parametrize("rate", [8_000, 48_000])
async def test_other_rates_are_as_long(voice: HibariVoice, rate: SampleRate) -> None:
    seconds = [[len(part) / 2 / each for part in await parts_of(voice, HELLO, each)] for each in (rate, 16_000)]
    assert seconds[0] == pytest.approx(seconds[1], abs=0.01)


async def test_a_man_s_voice_and_another_english_sound_the_same(voice: HibariVoice) -> None:
    assert await parts_of(voice, replace(HELLO, voice="male", language="en-GB")) == await parts_of(voice, HELLO)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (Text("Guten Tag.", "female", "de-DE"), 'hibari speaks only English, not "de-DE"'),
        (Text("Hello. Привет.", "female", "en-US"), "hibari knows only Latin letters"),
        (Text("word " * 30_000, "female", "en-US"), "hibari cannot speak it: the request is too long"),
    ],
)
async def test_what_it_cannot_speak_fails_before_anything_is_heard(voice: HibariVoice, text: Text, reason: str) -> None:
    with pytest.raises(SynthesisFailed) as caught:
        await anext(voice.speak(text))
    assert (type(caught.value), str(caught.value)) == (SynthesisFailed, reason)


@pytest.mark.skipif(not is_installed(), reason="espeakng-loader is not installed")
async def test_what_it_cannot_speak_is_spoken_by_the_next_voice(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    chain = voice_of("hibari", VoiceOptions(workers, fallback=("espeak",)))
    assert chain
    said = [part async for part in chain.speak(Text("Guten Tag.", "female", "de-DE"))]
    assert sum(map(len, said)) > 16_000
    assert "Guten" not in caplog.text


@pytest.mark.parametrize(
    "value",
    [
        "Hello 😀 <b>you</b> \x00\x1b[31m\ud800 &lt;",
        "Hi. " + "A-1/b@" * 170,
        "Hi. " + "9" * 1000,
        "Hi. " + "$%&/()=?`" * 110,
        "Hi. " + "A I U.S. " * 110,
        "Hi. Ü" + "ünßï " * 200,
    ],
)
async def test_any_thousand_characters_are_read(voice: HibariVoice, value: str) -> None:
    speech = voice.speak(Text(value, "female", "en-US"))
    assert 0.3 < len(await anext(speech)) / 32_000 < 3.0
    await speech.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", ["", "  ", "…", "😀", "\x00"])
async def test_what_has_no_words_is_no_sound(voice: HibariVoice, value: str) -> None:
    assert await parts_of(voice, Text(value, "female", "en-US")) == []


async def test_a_caller_does_not_wait_for_long_and_the_worker_goes_on(workers: Workers, voice: HibariVoice) -> None:
    hasty = HibariVoice(workers, longest_wait=0.0)
    with pytest.raises(VoiceUnavailable, match="hibari took too long"):
        await parts_of(hasty, HELLO)
    before = await workers.run(of_its_kind("looks_around"))
    assert len(await parts_of(voice, HELLO)) == 2
    assert before["network"] == "PermissionError"


async def test_it_has_no_network_and_starts_no_program(workers: Workers, voice: HibariVoice) -> None:
    await parts_of(voice, HELLO)
    seen = await workers.run(of_its_kind("looks_around"))
    assert {seen[what] for what in ("network", "program", "process", "signal")} == {"PermissionError"}


READ_RIGHT = {
    "Your balance is $1,284.50.": "your balance is one thousand two hundred eighty four dollars and fifty cents",
    "You owe -$12.5.": "you owe minus twelve dollars and fifty cents",
    "It costs 12,50 €.": "it costs twelve euros and fifty cents",
    "On 3/4/2026 at 9am.": "on March fourth twenty twenty six at nine AM",
    "Tuesday, November 24 at 9:40 AM": "Tuesday November twenty-fourth at nine forty AM",
    "We open at 15:00.": "we open at fifteen hundred",
    "Your number is 0071204.": "your number is zero zero seven one two zero four",
    "There are 1204 letters.": "there are one thousand two hundred four letters",
    "Call +1 555-0100.": "call plus one five five five zero one zero zero",
    "Flight LH123.": "flight L H one two three",
    "Press * or #.": "press star or pound",
    "2 minutes and 5 seconds": "two minutes and five seconds",
    "1,204.5": "one thousand two hundred four point five",
    "It is 20°C, 50% and 5 km.": "it is twenty degrees Celsius fifty percent and five kilometers",
    "Open Mon-Fri 9:00-17:00": "open Monday to Friday nine o'clock to seventeen hundred",
}


async def test_numbers_dates_and_money_are_said_as_people_say_them(workers: Workers) -> None:
    for written, words in READ_RIGHT.items():
        said, wanted = [
            await workers.run(hibari_voice._PRONOUNCE, sentences=list(sentences(Text(each, "female", "en-US"))))
            for each in (written, words)
        ]
        assert (written, sounds(said)) == (written, sounds(wanted))


async def test_letters_are_said_by_their_names(workers: Workers) -> None:
    spelled, dotted = [
        await workers.run(hibari_voice._PRONOUNCE, sentences=list(sentences(Text(each, "female", "en-US"))))
        for each in ("W A B E R", "Plan A.")
    ]
    assert spelled == ["dˈʌbᵊlju ˈA bˈi ˈi ˈɑɹ"]
    assert dotted == ["plˈæn ˈA."]


def sounds(pieces: list[str]) -> str:
    """Return phonemes without what is not heard as another word: stress, pauses, how a plosive is said."""
    return re.sub(r"[\s,.ˈˌ]+", "", " ".join(pieces)).replace("ə", "").replace("ˌ", "")


def of_its_kind(name: str) -> Job[Any]:
    """Return a job for the worker that has loaded the voice."""
    return Job(f"tests.speech_engines.misbehaviour:{name}", dict, 60.0, 60.0, hibari_voice._LIMITS)


async def test_two_callers_are_served_by_one_worker(voice: HibariVoice) -> None:
    one, other = await asyncio.gather(*(parts_of(voice, HELLO) for _ in range(2)))
    assert one == other
