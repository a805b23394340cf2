"""The voice that is installed speaks the language of a text."""

from typing import get_args

import pytest

from ivr.engine.commands import Text
from ivr.errors import SynthesisFailed
from ivr.media.installed import missing
from ivr.ports import SampleRate
from ivr.speech.voices.espeak import EspeakVoice, _library, installed_voice

pytestmark = pytest.mark.skipif("not spoken" in " ".join(missing()), reason="espeakng-loader is not installed")


async def spoken(text: Text) -> bytes:
    return b"".join([part async for part in EspeakVoice().speak(text)])


@pytest.mark.parametrize(
    ("language", "voice"),
    [
        ("en-US", "gmw/en-US"),
        ("en", "gmw/en-US"),
        ("en-GB", "gmw/en"),
        ("en-ZA", "gmw/en"),
        ("de-DE", "gmw/de"),
        ("de", "gmw/de"),
        ("DE-at", "gmw/de"),
        ("fr-FR", "roa/fr"),
        ("fr-CA", "roa/fr"),
        ("fr-CH", "roa/fr-CH"),
        ("es", "roa/es"),
        ("es-MX", "roa/es-419"),
        ("pt", "roa/pt-BR"),
        ("pt-PT", "roa/pt"),
        ("no", "gmq/nb"),
        ("zh-CN", "sit/cmn"),
    ],
)
def test_each_language_has_its_voice(language: str, voice: str) -> None:
    assert _library().voice(language) == voice


async def test_languages_and_genders_sound_different() -> None:
    sounds = {
        await spoken(Text("Die Zahl ist 21.", gender, language))
        for gender in ("male", "female")
        for language in ("en-US", "en-GB", "de-DE", "fr-FR")
    }
    assert len(sounds) == 8


async def test_every_rate_has_the_same_sound_at_its_own_number_of_samples() -> None:
    text = Text("Hello. Press 1.", "male", "en-US")
    low, usual, high = [
        len(b"".join([part async for part in EspeakVoice().speak(text, rate=rate)])) / (2 * rate)
        for rate in get_args(SampleRate)
    ]
    assert low == pytest.approx(usual, abs=0.001)
    assert high == pytest.approx(usual, abs=0.001)


@pytest.mark.parametrize("language", ["xx", "tlh-Latn", "", "-", "../en"])
async def test_a_language_that_it_does_not_speak_is_said_to_be_one(language: str) -> None:
    with pytest.raises(SynthesisFailed, match=f'espeak-ng does not speak "{language}"'):
        await spoken(Text("Hello.", "male", language))


async def test_it_is_kept_for_all_calls() -> None:
    voice = installed_voice()
    assert voice is not None
    text = Text("Hello.", "male", "en-US")
    first, second = [[part async for part in voice.speak(text)] for _ in range(2)]
    assert first == second
    assert all(one is other for one, other in zip(first, second, strict=True))
