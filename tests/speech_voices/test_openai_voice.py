"""The voice `openai`: what a server of OpenAI's speech protocol is asked, and what is made of its answers."""

import asyncio
import io
import wave
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import pytest
import pytest_asyncio

from ivr.audio.formats import RATE
from ivr.audio.workers import Workers
from ivr.engine.commands import Text
from ivr.errors import SynthesisFailed, VoiceUnavailable
from ivr.media.recorder import wav
from ivr.media.sound import tone
from ivr.ports import SampleRate
from ivr.speech import speech_requests
from ivr.speech.accounts import VoiceServer
from ivr.speech.speech_requests import RequestLimits
from ivr.speech.voice_names import VoiceNames
from ivr.speech.voices.openai_voice import OpenAiVoice
from tests.fakes.voice_api import Sound, VoiceApi
from tests.waiting import PATIENCE

NO_NAMES = VoiceNames()
HELLO = Text("Hello. Press 1.", "female", "en-US")
SAID = wav(tone(300, 0.5)).data


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workers() -> AsyncIterator[Workers]:
    workers = Workers()
    yield workers
    await workers.close()


@asynccontextmanager
async def server(*answers: Sound | bytes) -> AsyncIterator[VoiceApi]:
    api = VoiceApi(*answers)
    await api.start()
    try:
        yield api
    finally:
        await api.stop()


def voice(
    api: VoiceApi,
    workers: Workers,
    *,
    key: str = "",
    form: Literal["wav", "pcm"] = "wav",
    names: VoiceNames = NO_NAMES,
) -> OpenAiVoice:
    async def at_once(seconds: float) -> None:
        assert seconds <= 1.0

    return OpenAiVoice(VoiceServer(api.base, key, "kokoro", form), names, workers, pause=at_once)


async def spoken(voice: OpenAiVoice, text: Text = HELLO) -> bytes:
    async with asyncio.timeout(PATIENCE):
        return b"".join([part async for part in voice.speak(text)])


async def test_a_text_is_ordered_with_model_voice_and_form_and_comes_back_as_samples(workers: Workers) -> None:
    async with server(SAID) as api:
        assert await spoken(voice(api, workers, key="secret")) == tone(300, 0.5)
    [order] = api.orders
    assert order.path == "/v1/audio/speech"
    assert order.headers["Authorization"] == "Bearer secret"
    assert order.headers["Content-Type"] == "application/json"
    assert order.body == {"model": "kokoro", "input": "Hello. Press 1.", "voice": "nova", "response_format": "wav"}


async def test_a_server_without_a_key_gets_none(workers: Workers) -> None:
    async with server(SAID) as api:
        await spoken(voice(api, workers))
    assert "Authorization" not in api.orders[0].headers


async def test_the_voice_goes_by_gender_and_language_and_a_date_is_put_into_words(workers: Workers) -> None:
    names = VoiceNames.of(["bella", "de=katja"], [])
    async with server(SAID) as api:
        one = voice(api, workers, names=names)
        for text in (
            Text("12/24/2026", "female", "en-US", "monthDayYear"),
            Text("24.12.", "female", "de-AT", "dayMonth"),
            Text("ABC", "male", "de", "letters"),
            Text("A\x00\udcff B", "male", "de"),
        ):
            await spoken(one, text)
    assert [(order.body["voice"], order.body["input"]) for order in api.orders] == [
        ("bella", "December 24th, 2026"),
        ("katja", "24.12."),  # a German voice reads it as a German does
        ("onyx", "A, B, C"),
        ("onyx", "A   B"),
    ]


def of_rate(rate: int, seconds: float, channels: int = 1) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((channels, 2, rate, 0, "NONE", ""))
        writer.writeframes(array("h", [1000] * round(rate * seconds * channels)).tobytes())
    return file.getvalue()


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (22_050, 1), (24_000, 1), (48_000, 2)])
async def test_a_file_of_any_rate_is_brought_to_16_khz(workers: Workers, rate: int, channels: int) -> None:
    async with server(of_rate(rate, 0.5, channels)) as api:
        assert len(await spoken(voice(api, workers))) / (2 * RATE) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("rate", [8_000, 48_000])
async def test_files_and_samples_are_brought_to_the_rate_that_is_wanted(workers: Workers, rate: SampleRate) -> None:
    async with server(of_rate(24_000, 0.5), bytes(24_000)) as api:
        for form in ("wav", "pcm"):
            parts = [part async for part in voice(api, workers, form=form).speak(HELLO, rate=rate)]
            assert len(b"".join(parts)) / (2 * rate) == pytest.approx(0.5, abs=0.01)


async def test_a_file_that_was_streamed_does_not_know_its_length(workers: Workers) -> None:
    at = SAID.index(b"data") + 4
    streamed = SAID[:at] + b"\xff\xff\xff\xff" + SAID[at + 4 :]
    async with server(streamed) as api:
        assert await spoken(voice(api, workers)) == tone(300, 0.5)


async def test_bare_samples_are_taken_at_24_khz(workers: Workers) -> None:
    async with server(of_rate(24_000, 0.5)[44:] + b"\x01") as api:  # and half a sample
        assert len(await spoken(voice(api, workers, form="pcm"))) / (2 * RATE) == pytest.approx(0.5, abs=0.01)
    assert api.orders[0].body["response_format"] == "pcm"


@pytest.mark.parametrize(("form", "data"), [("wav", b"{}"), ("wav", b""), ("wav", SAID[:44]), ("pcm", b"")])
async def test_what_is_no_sound_is_a_failure_of_this_text(
    workers: Workers, form: Literal["wav", "pcm"], data: bytes
) -> None:
    async with server(data) as api:
        with pytest.raises(SynthesisFailed, match="the speech server's sound") as caught:
            await spoken(voice(api, workers, form=form))
    assert not isinstance(caught.value, VoiceUnavailable)


@pytest.mark.parametrize(
    ("answer", "says", "away"),
    [
        (Sound(status=401), "refused the key", True),
        (Sound(status=404), "answered 404", True),
        (Sound(status=400, data=b"the key is sk-secret"), "answered 400", False),
        (Sound(status=302, headers={"Location": "http://127.0.0.1/"}), "redirects are not followed", True),
    ],
)
async def test_a_refusal_is_not_tried_again_and_not_repeated(
    workers: Workers, answer: Sound, says: str, away: bool
) -> None:
    async with server(answer) as api:
        with pytest.raises(SynthesisFailed, match=says) as caught:
            await spoken(voice(api, workers))
    assert isinstance(caught.value, VoiceUnavailable) == away
    assert "sk-secret" not in str(caught.value)
    assert len(api.orders) == 1


@pytest.mark.parametrize("trouble", [Sound(status=503), Sound(status=0), Sound(status=429)])
async def test_a_server_in_trouble_is_asked_once_more(workers: Workers, trouble: Sound) -> None:
    async with server(trouble, SAID) as api:
        assert await spoken(voice(api, workers)) == tone(300, 0.5)
    async with server(trouble) as api:
        with pytest.raises(VoiceUnavailable):
            await spoken(voice(api, workers))
        assert len(api.orders) == 2


async def test_a_server_that_wants_to_be_left_alone_is(workers: Workers) -> None:
    async with server(Sound(status=429, headers={"Retry-After": "5"})) as api:
        with pytest.raises(VoiceUnavailable, match="429"):
            await spoken(voice(api, workers))
    assert len(api.orders) == 1


async def test_a_server_that_says_nothing_is_not_waited_for(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        speech_requests, "FOR_PROMPTS", RequestLimits(2, 0.1, 1.0, seconds=0.2, connect=0.2, reply=1000)
    )
    async with server(SAID) as api:
        api.hold()
        with pytest.raises(VoiceUnavailable, match="took too long"):
            await spoken(voice(api, workers))
        api.release()
        with pytest.raises(SynthesisFailed, match="too long"):  # more bytes than a prompt has
            await spoken(voice(api, workers))
