"""Texts are made by the first voice that can, as in a call; a voice that is away is no reason for another one."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ivr.cli.prompt_making import MOST_OUTAGES, MadePrompt, PromptMaker
from ivr.engine.commands import Text
from ivr.errors import SynthesisFailed, VoiceUnavailable
from ivr.ports import SampleRate
from ivr.speech.voice_cache import CachedVoice, VoiceIdentity
from ivr.speech.voice_folder import VoiceFolder
from ivr.speech.voice_registry import NamedVoice, VoiceName

SECOND = bytes(32_000)


class Voice:
    """A voice of a second a text, which refuses words and can be away."""

    def __init__(self, *refused: str, away: bool = False) -> None:
        self.refused = refused
        self.away = away
        self.asked: list[str] = []

    def identity(self, text: Text) -> VoiceIdentity:
        return VoiceIdentity("test", ",".join(self.refused), text.voice, text.value)

    async def speak(self, text: Text, *, rate: SampleRate = 16_000) -> AsyncIterator[bytes]:
        self.asked.append(text.value)
        if self.away:
            raise VoiceUnavailable("nobody answers")
        if any(word in text.value for word in self.refused):
            raise SynthesisFailed("hoarse")
        yield SECOND


def chain(folder: Path, **voices: Voice) -> list[NamedVoice]:
    kept = VoiceFolder(folder, most=1 << 30)
    names: dict[str, VoiceName] = {"hibari": "hibari", "openai": "openai", "espeak": "espeak"}
    return [
        NamedVoice(names[name], CachedVoice(voice, voice.identity, at_once=1, folder=kept))
        for name, voice in voices.items()
    ]


def said(value: str) -> Text:
    return Text(value, "female", "en-US")


async def made(maker: PromptMaker, *texts: str) -> list[MadePrompt]:
    """Make texts, and return what became of each, in their order."""
    found: dict[str, MadePrompt] = {}

    async def take(prompt: MadePrompt, samples: bytes) -> None:
        assert len(samples) == prompt.size
        found[prompt.text.value] = prompt

    await maker.make_all([said(text) for text in texts], take)
    return [found[text] for text in texts]


async def test_the_first_voice_speaks_what_it_can_and_the_next_one_the_rest(tmp_path: Path) -> None:
    maker = PromptMaker(chain(tmp_path, hibari=Voice("Gruezi"), espeak=Voice()), 16_000)
    hello, gruezi = await made(maker, "Hello.", "Gruezi.")
    assert hello == MadePrompt(said("Hello."), 1.0, len(SECOND), ("hibari",))
    assert gruezi == MadePrompt(said("Gruezi."), 1.0, len(SECOND), ("espeak",), reasons=("hibari: hoarse",))
    assert [await maker.kept(said(text)) for text in ("Hello.", "Gruezi.")] == [True, True]


async def test_a_long_text_can_have_parts_of_two_voices(tmp_path: Path) -> None:
    maker = PromptMaker(chain(tmp_path, hibari=Voice("Gruezi"), espeak=Voice()), 16_000)
    (long,) = await made(maker, f"{'Hello to you. ' * 14}{'Gruezi, all of you. ' * 10}")
    assert (long.voices, long.reasons) == (("hibari", "espeak"), ("hibari: hoarse",))
    assert long.seconds > 1


async def test_what_no_voice_speaks_names_each_reason(tmp_path: Path) -> None:
    maker = PromptMaker(chain(tmp_path, hibari=Voice("o"), espeak=Voice("H")), 16_000)
    (hello,) = await made(maker, "Hello.")
    assert (hello.failure, hello.voices, hello.size) == ("hibari: hoarse; espeak: hoarse", (), 0)


async def test_a_voice_that_is_away_is_not_replaced_and_soon_not_asked(tmp_path: Path) -> None:
    away, other = Voice(away=True), Voice()
    maker = PromptMaker(chain(tmp_path, openai=away, espeak=other), 16_000)
    found = await made(maker, *(f"Text {number}." for number in range(30)))
    failures = Counter(one.failure for one in found)
    not_tried = f"openai: not tried, since it failed {MOST_OUTAGES} times"
    assert set(failures) == {"openai: nobody answers", not_tried}
    assert MOST_OUTAGES <= len(away.asked) == failures["openai: nobody answers"] < 15
    assert other.asked == []


async def test_what_is_kept_is_there_while_its_voice_is_away(tmp_path: Path) -> None:
    voice = Voice()
    await made(PromptMaker(chain(tmp_path, openai=voice), 16_000), "Hello.")
    voice.away = True
    found = await made(PromptMaker(chain(tmp_path, openai=voice), 16_000), *map(str, range(10)), "Hello.")
    assert found[-1] == MadePrompt(said("Hello."), 1.0, len(SECOND), ("openai",), was_kept=True)


async def test_the_first_that_cannot_be_taken_ends_the_rest(tmp_path: Path) -> None:
    voice = Voice()

    async def take(_: MadePrompt, __: bytes) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        await PromptMaker(chain(tmp_path, espeak=voice), 16_000).make_all([said(str(one)) for one in range(50)], take)
    await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})  # what was under way, and nothing after it
    assert len(voice.asked) < 50
