"""What speaks and listens on live lines, by the settings."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ivr.audio.workers import Workers
from ivr.cli.settings import settings as command
from ivr.engine.commands import Text
from ivr.errors import SynthesisFailed
from ivr.media.installed import missing
from ivr.media.phrase_ear import PhraseEar
from ivr.media.recorder import wav
from ivr.media.sound import Unplayable, tone
from ivr.ports import Transcript
from ivr.server.assembly import running
from ivr.setting_sources import SettingsError, load
from ivr.settings import Settings, load_settings, variable
from ivr.speech_settings import (
    SpeechSettings,
    live_ear,
    live_sound,
    live_voice,
    load_models,
    load_speech_settings,
    understood_on_live_lines,
)
from tests.fakes.voice_api import Sound, VoiceApi
from tests.local_speech import empty_model
from tests.waiting import PATIENCE

HELLO = Text("Hello.", "female", "en-US")
needs_espeak = pytest.mark.skipif("not spoken" in " ".join(missing()), reason="espeakng-loader is not installed")


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)


@pytest.fixture
async def api() -> AsyncIterator[VoiceApi]:
    api = VoiceApi(wav(tone(300, 0.5)).data)
    await api.start()
    yield api
    await api.stop()


async def nowhere(url: str) -> bytes:
    raise Unplayable(f"{url} cannot be fetched")


def settings(**given: Any) -> SpeechSettings:
    return SpeechSettings(**given)


async def spoken(given: SpeechSettings, workers: Workers) -> list[bytes]:
    return [piece.samples async for piece in live_sound(given, workers, nowhere).renderer.render([HELLO])]


async def test_a_service_speaks_and_the_next_process_finds_it_in_the_folder(
    api: VoiceApi, workers: Workers, tmp_path: Path
) -> None:
    for key in ("one", "two"):  # a new key is the same voice
        given = settings(voice="openai", voice_url=api.base, voice_key=key, voice_cache=tmp_path, voice_female="bella")
        assert await spoken(given, workers) == [tone(300, 0.5)]
    [order] = api.orders
    assert order.body["voice"] == "bella"
    assert order.headers["Authorization"] == "Bearer one"
    other = settings(voice="openai", voice_url=api.base, voice_cache=tmp_path, voice_female="nova")
    await spoken(other, workers)
    assert len(api.orders) == 2  # another voice is another sound


@needs_espeak
async def test_while_the_service_is_away_espeak_speaks_unless_it_must_not(api: VoiceApi, workers: Workers) -> None:
    api.answers = [Sound(status=401)]
    assert len(b"".join(await spoken(settings(voice="openai", voice_url=api.base), workers))) > 10_000
    with pytest.raises(Unplayable, match="refused the key"):
        await spoken(settings(voice="openai", voice_url=api.base, voice_fallback=("none",)), workers)


async def test_what_many_calls_hear_later_takes_half_of_what_a_service_is_asked_at_once(
    api: VoiceApi, workers: Workers
) -> None:
    renderer = live_sound(settings(voice="openai", voice_url=api.base), workers, nowhere).renderer
    api.hold()
    async with asyncio.timeout(PATIENCE):
        later = [asyncio.create_task(renderer.prepare([Text(f"{call}.", "male", "en")])) for call in range(12)]
        while len(api.orders) < 8:
            await asyncio.sleep(0)
        now = asyncio.create_task(anext(renderer.render([HELLO])))
        while len(api.orders) < 9:
            await asyncio.sleep(0)
        assert api.orders[-1].body["input"] == "Hello."
        api.release()
        assert (await now).samples == tone(300, 0.5)
        await asyncio.gather(*later)
    assert len(api.orders) == 13


@needs_espeak
async def test_the_fallback_is_a_list_in_order(
    api: VoiceApi, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IVR_VOICE_FALLBACK", "openai, espeak")
    monkeypatch.setenv("IVR_VOICE_URL", api.base)
    given = load_speech_settings().settings
    assert given.voice_fallback == ("openai", "espeak")
    voice = live_voice(given, workers)
    assert voice is not None
    in_no_voice = Text("Hello.", "female", "xx")  # of espeak's
    assert b"".join([part async for part in voice.speak(in_no_voice)]) == tone(300, 0.5)
    assert len(api.orders) == 1
    assert "IVR_VOICE_FALLBACK = openai,espeak  (environment)" in CliRunner().invoke(command).stdout


@needs_espeak
async def test_espeak_is_the_default_and_speaks_the_languages_that_it_has(workers: Workers) -> None:
    voice = live_voice(settings(), workers)
    assert voice is not None
    with pytest.raises(SynthesisFailed, match='espeak-ng does not speak "xx"'):
        [part async for part in voice.speak(Text("Hello.", "male", "xx"))]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"voice": "openai"}, "IVR_VOICE_KEY"),
        ({"voice": "openai", "voice_url": "http://a.example", "voice_key": "secret"}, "IVR_VOICE_URL must begin"),
        ({"voice": "azure"}, "IVR_AZURE_KEY"),
        ({"voice": "openai", "voice_url": "http://127.0.0.1", "voice_cache": Path("/dev/null/x")}, "IVR_VOICE_CACHE"),
    ],
)
async def test_what_is_missing_is_said_before_any_call(given: dict[str, Any], says: str, workers: Workers) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        live_voice(settings(**given), workers)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("IVR_VOICE", "siri", "must be espeak, hibari, openai or azure"),
        ("IVR_VOICE_FEMALE", "de=", "must be the name of a voice, or LANGUAGE=NAME, separated by commas"),
        ("IVR_VOICE_MALE", "onyx,echo", "names two voices for all languages"),
        ("IVR_VOICE_URL", "https://user:hunter2@voice.example.com", "without user or password"),
        ("IVR_VOICE_CACHE_SIZE", "0", "must be 1 or more"),
        ("IVR_VOICE_FALLBACK", "espeak,siri", "must be espeak, hibari, openai, azure or none"),
        ("IVR_VOICE_FALLBACK", "espeak,none", "must be none, or names of voices"),
    ],
)
def test_a_wrong_setting_of_the_voice_is_explained(
    name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    for read in (load_settings, load_speech_settings):
        with pytest.raises(SettingsError, match=says) as caught:
            read()
        assert "hunter2" not in str(caught.value)


def test_a_process_with_other_settings_reads_these_from_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ivr.toml"
    file.write_text('voice = "azure"\nstt = "openai"\nport = 8081\n')
    monkeypatch.setenv("IVR_STT", "azure")
    monkeypatch.setenv("IVR_HOST", "127.0.0.2")
    loaded = load_speech_settings(file=file, flags={"voice_female": "katja"}, also=["port"])
    assert (loaded.settings.voice, loaded.settings.stt, loaded.settings.voice_female) == ("azure", "azure", ("katja",))
    assert [loaded.sources[name] for name in ("voice", "stt", "voice_female")] == [str(file), "environment", "flag"]
    assert loaded.unknown == ()  # IVR_HOST is a server's
    with pytest.raises(SettingsError, match="unknown setting port"):
        load_speech_settings(file=file)
    whole = load(SpeechSettings, file=file, listed_by="ivr settings", also=["port"])
    assert whole.settings.voice == "azure"


def test_the_settings_of_a_gateway_are_listed_with_those_that_it_shares(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('voice = "azure"\ncalls = 3\n')
    said = CliRunner().invoke(command, ["--gateway", "--settings", str(file)]).stdout
    assert f"IVR_GATEWAY_CALLS = 3  ({file})" in said
    assert f"IVR_VOICE = azure  ({file})" in said


def test_a_servers_own_settings_are_listed_before_those_of_speech() -> None:
    said = CliRunner().invoke(command).stdout
    assert said.startswith("IVR_PUBLIC_URL = none  (default)\n")
    assert said.index("IVR_APP_ID") < said.index("IVR_TWILIO_ACCOUNT_SID") < said.index("IVR_STT")
    assert said.count("IVR_VOICE = espeak  (default)\n") == 1


async def test_the_ear_is_the_engine_that_is_set_or_the_one_that_is_installed(workers: Workers) -> None:
    assert isinstance(live_ear(settings(), workers), PhraseEar)
    ear = live_ear(settings(stt="openai", openai_url="http://127.0.0.1:9", openai_model="small"), workers)
    assert isinstance(ear, PhraseEar)
    assert ear._engine.name == "openai"
    for stt in ("none", "scripted", "pocketsphinx"):
        installed = live_ear(settings(stt=stt), workers)
        assert isinstance(installed, PhraseEar)
        assert installed._engine.name == "pocketsphinx"
    with pytest.raises(SettingsError, match="IVR_OPENAI_KEY"):
        live_ear(settings(stt="openai"), workers)


def whisper(folder: Path) -> dict[str, Any]:
    return {"stt": "whisper", "whisper_model": empty_model(folder)}


needs_faster_whisper = pytest.mark.skipif(find_spec("faster_whisper") is None, reason="faster-whisper is not installed")


@needs_faster_whisper
async def test_whisper_is_the_ear_where_it_is_the_engine(workers: Workers, tmp_path: Path) -> None:
    given = settings(**whisper(tmp_path))
    ear = live_ear(given, workers)
    assert isinstance(ear, PhraseEar)
    assert ear._engine.name == "whisper"
    assert understood_on_live_lines(given) == {"en"}
    with pytest.raises(SettingsError, match="the Whisper model cannot be loaded"):
        await load_models(workers)


@needs_faster_whisper
async def test_a_server_loads_the_model_before_it_answers(tmp_path: Path) -> None:
    chosen: dict[str, Any] = {"port": 0, "data": tmp_path / "data", "voice": "espeak"}
    (tmp_path / "model").mkdir()
    flow = tmp_path / "bye.yaml"
    flow.write_text("flow: bye\ninitial: bye\nstates:\n  bye: {say: Goodbye., final: true}\n")
    with pytest.raises(SettingsError, match="the Whisper model cannot be loaded"):
        async with running(Settings(**chosen, **whisper(tmp_path / "model")), [flow], dev=True):
            pass


class Dictation:
    """An engine that writes down what it hears."""

    name = "dictation"

    def __init__(self, words: str | None) -> None:
        self.asked: list[tuple[str, Sequence[str]]] = []
        self._words = words

    async def transcribe(self, audio: Path, *, language: str, phrases: Sequence[str]) -> Transcript:
        self.asked.append((language, phrases))
        return Transcript(self._words)


@pytest.mark.parametrize(
    ("words", "phrase"), [("I'd like sales, please.", "sales"), ("Good morning.", None), (None, None)]
)
async def test_an_engine_that_writes_down_everything_is_an_ear_for_choices(words: str | None, phrase: str) -> None:
    engine = Dictation(words)
    assert await PhraseEar(engine).understand(tone(300, 0.5), ["sales", "support"], language="de-DE") == phrase
    assert engine.asked == [("de-DE", ["sales", "support"])]
