"""Every voice by its name: the chain of those that speak, each with its cache."""

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.audio.workers import Workers
from ivr.engine.commands import Text
from ivr.errors import SynthesisFailed
from ivr.media.installed import missing
from ivr.media.recorder import wav
from ivr.media.sound import tone
from ivr.ports import Voice
from ivr.speech.accounts import AzureAccount, VoiceServer
from ivr.speech.voice_cache import KeepableVoice, key_of
from ivr.speech.voice_names import VoiceNames
from ivr.speech.voice_registry import VOICES, VoiceOptions, languages_of, voice_chain, voice_of
from ivr.speech.voices import espeak
from ivr.speech.wording import DATES
from tests.fakes.voice_api import Sound, VoiceApi
from tests.local_speech import needs_hibari

HELLO = Text("Hello.", "female", "en-US")
NO_NAMES = VoiceNames()
pytestmark = pytest.mark.skipif("not spoken" in " ".join(missing()), reason="espeakng-loader is not installed")


@pytest.fixture
async def api() -> AsyncIterator[VoiceApi]:
    api = VoiceApi(wav(tone(300, 0.5)).data)
    await api.start()
    yield api
    await api.stop()


def options(api: VoiceApi, workers: Workers, **given: Any) -> VoiceOptions:
    return VoiceOptions(workers, server=lambda: VoiceServer(api.base, model="kokoro"), **given)


async def spoken(voice: Voice, text: Text = HELLO) -> bytes:
    return b"".join([part async for part in voice.speak(text)])


def test_a_chain_names_each_voice_once_in_its_order(api: VoiceApi, workers: Workers) -> None:
    def names(*chain: Any) -> list[str]:
        return [named.name for named in voice_chain(chain[0], options(api, workers, fallback=chain[1:]))]

    assert names("openai", "espeak") == ["openai", "espeak"]
    assert names("espeak", "openai", "espeak") == ["espeak", "openai"]
    assert names("openai") == ["openai"]


def test_a_voice_that_is_not_installed_is_left_out(
    api: VoiceApi, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(espeak, "find_spec", lambda _: None)
    assert [named.name for named in voice_chain("openai", options(api, workers))] == ["openai"]
    assert [named.name for named in voice_chain("espeak", options(api, workers, fallback=("openai",)))] == ["openai"]
    assert voice_of("espeak", options(api, workers)) is None
    assert languages_of(["espeak"]) == frozenset()


def test_what_a_fallback_needs_is_asked_for_too(workers: Workers) -> None:
    with pytest.raises(ValueError, match="IVR_VOICE_KEY"):
        voice_of("espeak", VoiceOptions(workers, fallback=("openai",)))


async def test_whoever_speaks_keeps_it_under_its_own_name(api: VoiceApi, workers: Workers, tmp_path: Path) -> None:
    api.answers = [Sound(status=401)]
    given = options(api, workers, cache=tmp_path)
    voice = voice_of("openai", given)
    assert voice is not None
    by_espeak = await spoken(voice)
    service, fallback = voice_chain("openai", given)
    assert not await service.voice.is_kept(HELLO)
    assert await fallback.voice.is_kept(HELLO)
    assert await spoken(fallback.voice) == by_espeak


@needs_hibari
async def test_another_language_than_english_is_spoken_by_the_voice_after_hibari(
    workers: Workers, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    german = Text("Guten Tag.", "female", "de-DE")
    options = VoiceOptions(workers, cache=tmp_path)
    voice = voice_of("hibari", options)
    assert voice is not None
    assert len(await spoken(voice, german)) > 10_000
    hibari, fallback = voice_chain("hibari", options)
    assert not await hibari.voice.is_kept(german)
    assert await fallback.voice.is_kept(german)
    [told] = [vars(record) for record in caplog.records]
    assert (told["message"], told["service"]) == ("voice failed", "hibari")
    assert "de-DE" in told["reason"]
    assert "Guten" not in str(told)


async def test_a_run_that_nobody_waits_for_asks_for_every_text(
    api: VoiceApi, workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    api.answers = [Sound(status=401)]
    for rests, asked in ((True, 1), (False, 3)):
        api.orders.clear()
        [named] = voice_chain("openai", options(api, workers, rests=rests, fallback=()))
        for _ in range(3):
            with pytest.raises(SynthesisFailed, match="refused the key"):
                await spoken(named.voice)
        assert len(api.orders) == asked


async def test_the_key_knows_server_model_and_name(api: VoiceApi, workers: Workers, tmp_path: Path) -> None:
    def voice(model: str = "kokoro", url: str = api.base, names: VoiceNames = NO_NAMES) -> Voice:
        server = VoiceServer(url, model=model)
        given = VoiceOptions(workers, names=names, server=lambda: server, cache=tmp_path, fallback=())
        found = voice_of("openai", given)
        assert found is not None
        return found

    for another in (
        voice(),
        voice("piper"),
        voice(url=f"{api.base}/v1"),
        voice(names=VoiceNames.of(["bella"], [])),
        voice(names=VoiceNames.of(["bella"], ["onyx"])),  # a woman's voice is asked for, which is the same
    ):
        await spoken(another)
    assert len(api.orders) == 4


@pytest.fixture(scope="module")
def installed() -> list[KeepableVoice]:
    """Every voice that is there."""
    given = VoiceOptions(
        Workers(),
        server=lambda: VoiceServer("http://127.0.0.1"),
        azure=lambda: AzureAccount("k" * 32, "westeurope"),
    )
    made = []
    for voice in VOICES.values():
        with suppress(ValueError):  # its package is not installed
            made.append(voice.make(given))
    return [voice for voice in made if voice is not None]


@given(
    value=st.text(st.characters()),  # with what no UTF-8 can hold
    say_as=st.sampled_from([None, "telephone", "letters", "cardinal", "ordinal", "time12", "time24", *DATES]),
    language=st.sampled_from(["en-US", "de-DE"]),
)
def test_every_text_has_a_key_and_always_the_same(
    installed: list[KeepableVoice], value: str, say_as: str | None, language: str
) -> None:
    text = Text(value, "male", language, say_as)
    keys = {key_of(voice.identity(text), text, 16_000) for voice in installed * 2}
    assert len(keys) == len(installed) > 1


def test_the_languages_are_those_of_all_who_speak() -> None:
    assert languages_of(["openai"]) is None
    assert languages_of(["espeak", "azure"]) is None
    assert {"en-us", "de"} <= (languages_of(["espeak"]) or set())
