"""The voice `azure`: Microsoft's real SDK against a service on loopback."""

import asyncio
from collections.abc import AsyncIterator
from xml.etree import ElementTree

import pytest

from ivr.engine.commands import Text
from ivr.errors import SynthesisFailed, VoiceUnavailable
from ivr.media.sound import tone
from ivr.ports import SampleRate
from ivr.speech.accounts import AzureAccount
from ivr.speech.voice_names import VoiceNames
from ivr.speech.voices import azure_voice
from ivr.speech.voices.azure_voice import AzureVoice, ssml
from tests.fakes.azure_speech import AzureSpeech
from tests.waiting import PATIENCE

pytest.importorskip("azure.cognitiveservices.speech", reason="the extra `azure` is not installed")

NO_NAMES = VoiceNames()
HELLO = Text("Hello & welcome.", "female", "en-US")
SPEAK = "{http://www.w3.org/2001/10/synthesis}"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


@pytest.fixture
async def service() -> AsyncIterator[AzureSpeech]:
    service = AzureSpeech(sounds=tone(300, 0.5))
    await service.start()
    yield service
    await service.stop()


def voice(service: AzureSpeech, *, key: str = "", names: VoiceNames = NO_NAMES) -> AzureVoice:
    return AzureVoice(AzureAccount(key or service.key, endpoint=service.url), names)


async def spoken(voice: AzureVoice, text: Text) -> bytes:
    async with asyncio.timeout(PATIENCE):
        return b"".join([part async for part in voice.speak(text)])


async def test_a_text_comes_back_as_samples_as_they_are_needed(service: AzureSpeech) -> None:
    assert await spoken(voice(service), HELLO) == service.sounds
    [order] = service.spoken
    assert order.form == "raw-16khz-16bit-mono-pcm"
    assert "Hello &amp; welcome." in order.ssml


@pytest.mark.parametrize(("rate", "form"), [(8_000, "raw-8khz-16bit-mono-pcm"), (48_000, "raw-48khz-16bit-mono-pcm")])
async def test_the_service_is_asked_for_the_rate(service: AzureSpeech, rate: SampleRate, form: str) -> None:
    assert [part async for part in voice(service).speak(HELLO, rate=rate)] == [service.sounds]
    assert [order.form for order in service.spoken] == [form]


async def test_the_voice_goes_by_gender_and_language(service: AzureSpeech) -> None:
    names = VoiceNames.of(["de=de-DE-KatjaNeural"], [])
    one = voice(service, names=names)
    for text in (HELLO, Text("Hallo.", "female", "de-AT"), Text("Hallo.", "male", "de")):
        await spoken(one, text)
    read = [ElementTree.fromstring(order.ssml) for order in service.spoken]
    named = [(root.get(LANGUAGE), root.find(f"{SPEAK}voice")) for root in read]
    assert [(language, found.get("name") if found is not None else None) for language, found in named] == [
        ("en-US", "en-US-AvaMultilingualNeural"),
        ("de-AT", "de-DE-KatjaNeural"),
        ("de-DE", "en-US-AndrewMultilingualNeural"),
    ]
    assert ["<lang" in order.ssml for order in service.spoken] == [True, False, True]  # a voice of one language refuses


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (Text("1.2.2026", "male", "de-DE", "dayMonthYear"), '<say-as interpret-as="date" format="dmy">1.2.2026<'),
        (Text("ABC", "male", "de-DE", "letters"), '<say-as interpret-as="characters">ABC<'),
        (Text("15:07", "male", "en-US", "time12"), '<say-as interpret-as="time" format="hms12">15:07<'),
        (Text("a<b", "male", "en-US", "unheard"), ">a&lt;b<"),
        (Text("Stop\x00.", "male", "en-US", emphasize=True), "<emphasis>Stop .</emphasis>"),
    ],
)
def test_what_a_text_is_said_to_be_is_told_to_the_service(text: Text, says: str) -> None:
    order = ssml(text, 'Anna "Neural"')
    ElementTree.fromstring(order)
    assert says in order


async def test_a_wrong_key_is_the_voices_fault_not_the_texts(service: AzureSpeech) -> None:
    with pytest.raises(VoiceUnavailable, match="AuthenticationFailure"):
        await spoken(voice(service, key="f" * 32), HELLO)
    assert service.refused


async def test_a_service_that_is_away_says_so() -> None:
    with pytest.raises(VoiceUnavailable, match=r"ConnectionFailure|took too long"):  # the SDK may try for longer
        await spoken(AzureVoice(AzureAccount("k" * 32, endpoint="ws://127.0.0.1:9"), NO_NAMES), HELLO)


async def test_a_text_that_is_refused_is_no_outage(service: AzureSpeech) -> None:
    service.refuses = 1007
    with pytest.raises(SynthesisFailed, match="BadRequest") as caught:
        await spoken(voice(service), HELLO)
    assert not isinstance(caught.value, VoiceUnavailable)


async def test_a_service_that_says_nothing_is_given_up(service: AzureSpeech, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azure_voice, "LONGEST_WAIT", 0.2)
    service.hold()
    with pytest.raises(VoiceUnavailable, match="took too long"):
        await spoken(voice(service), HELLO)


async def test_no_sound_is_a_failure(service: AzureSpeech) -> None:
    service.sounds = b""
    with pytest.raises(SynthesisFailed):
        await spoken(voice(service), HELLO)


def test_without_the_sdk_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azure_voice, "sdk", None)
    with pytest.raises(ValueError, match=r"IVR_VOICE=azure needs Microsoft's SDK \(pip install 'ivr\[azure\]'\)"):
        AzureVoice(AzureAccount("k", "westeurope"), NO_NAMES)
