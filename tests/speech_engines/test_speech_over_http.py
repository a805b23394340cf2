"""The engines `openai` and `azure-fast`: every field that they send, and every answer that a service can give."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from ivr.audio.workers import Workers
from ivr.errors import TranscriptionFailed
from ivr.ports import SpeechToText, SpokenPiece, Transcript
from ivr.speech.accounts import AzureAccount, OpenAiServer
from ivr.speech.engines.azure_fast import AzureFast
from ivr.speech.engines.openai import OpenAi
from tests.fakes.speech_api import Answer, SpeechApi
from tests.speech_engines.sounds import silence

KEY = "sk-a-very-secret-key"
SECONDS = 1.856

WHISPER = {
    "task": "transcribe",
    "language": "english",
    "duration": 1.86,
    "text": " Technical support, please.",
    "segments": [
        {"id": 0, "start": 0.0, "end": 1.5, "text": " Technical support,", "avg_logprob": -0.1, "no_speech_prob": 0.01},
        {"id": 1, "start": 1.5, "end": 1.8, "text": " please.", "avg_logprob": -0.4, "no_speech_prob": 0.01},
    ],
}
FAST = {
    "durationMilliseconds": 1856,
    "combinedPhrases": [{"text": "Technical support, please."}],
    "phrases": [
        {"offsetMilliseconds": 80, "durationMilliseconds": 1200, "text": "Technical support,", "confidence": 0.9},
        {"offsetMilliseconds": 1280, "durationMilliseconds": 400, "text": "please.", "confidence": 0.5},
    ],
}


@pytest.fixture
async def service() -> AsyncIterator[SpeechApi]:
    service = SpeechApi(WHISPER)
    await service.start()
    yield service
    await service.stop()


@pytest.fixture
def pauses() -> list[float]:
    """How long an engine waited between its tries, in seconds."""
    return []


@pytest.fixture
def openai(service: SpeechApi, workers: Workers, pauses: list[float]) -> OpenAi:
    return OpenAi(OpenAiServer(service.base, KEY), workers, pause=noted(pauses))


@pytest.fixture
def fast(service: SpeechApi, workers: Workers) -> AzureFast:
    service.answers = [Answer(body=FAST)]
    return AzureFast(AzureAccount(KEY, endpoint=service.base), workers)


def noted(pauses: list[float]) -> Callable[[float], Any]:
    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    return pause


async def failure(engine: SpeechToText, audio: Path) -> TranscriptionFailed:
    with pytest.raises(TranscriptionFailed) as caught:
        await engine.transcribe(audio, language="en-US", phrases=())
    assert KEY not in str(caught.value)
    return caught.value


async def test_a_recording_without_sound_is_sent_to_nobody_and_has_no_transcript(
    openai: OpenAi, fast: AzureFast, service: SpeechApi, tmp_path: Path
) -> None:
    file = tmp_path / "silence.wav"
    file.write_bytes(silence(2))
    for engine in (openai, fast):
        heard = await engine.transcribe(file, language="en-US", phrases=())
        assert heard == Transcript(None, engine=engine.name, seconds=2)
    assert not service.forms


# --- openai ---


async def test_openai_gets_a_wav_file_and_says_what_it_heard(openai: OpenAi, service: SpeechApi, wma: Path) -> None:
    heard = await openai.transcribe(wma, language="en-US", phrases=["technical support", "Contoso"])
    spoken = (SpokenPiece(0.0, 1.5, "Technical support,"), SpokenPiece(1.5, 1.8, "please."))
    assert heard == Transcript("Technical support, please.", 0.861, "openai", SECONDS, spoken)
    (form,) = service.forms
    assert form.path == "/v1/audio/transcriptions"
    assert form.headers["Authorization"] == f"Bearer {KEY}"
    assert form.fields == {
        "model": "whisper-1",
        "language": "en",
        "temperature": "0",
        "prompt": "technical support, Contoso",
        "response_format": "verbose_json",
    }
    assert list(form.files) == ["file"]
    file = form.files["file"]
    assert (file.name, file.content_type) == ("recording.wav", "audio/wav")  # not wma, which it does not know
    assert file.seconds == SECONDS


async def test_the_newer_models_know_json_alone(service: SpeechApi, workers: Workers, wma: Path) -> None:
    service.answers = [Answer(body={"text": "Hello.", "logprobs": [{"token": "Hello", "logprob": -0.2}]})]
    engine = OpenAi(OpenAiServer(f"{service.base}/v1/", KEY, "gpt-4o-transcribe"), workers)
    heard = await engine.transcribe(wma, language="de", phrases=())
    assert heard == Transcript("Hello.", 0.819, "openai", SECONDS)
    fields = {"model": "gpt-4o-transcribe", "language": "de", "temperature": "0"}
    assert service.forms[0].fields == {**fields, "response_format": "json", "include[]": "logprobs"}
    assert service.forms[0].path == "/v1/audio/transcriptions"


async def test_a_server_of_ones_own_needs_no_key_and_may_give_the_text_alone(
    service: SpeechApi, workers: Workers, wma: Path
) -> None:
    service.answers = [Answer(body={"text": "hello"})]
    engine = OpenAi(OpenAiServer(service.base), workers)
    heard = await engine.transcribe(wma, language="en", phrases=())
    assert heard == Transcript("hello", None, "openai", SECONDS)
    assert "Authorization" not in service.forms[0].headers


async def test_what_whisper_invents_where_nobody_speaks_is_left_out(
    openai: OpenAi, service: SpeechApi, wma: Path
) -> None:
    invented = {"start": 0, "end": 2, "text": "Thank you.", "avg_logprob": -1.2, "no_speech_prob": 0.8}
    service.answers = [Answer(body={"text": "Thank you.", "segments": [invented]})]
    heard = await openai.transcribe(wma, language="en-US", phrases=())
    assert heard == Transcript(None, None, "openai", SECONDS)


# --- azure-fast ---


async def test_azure_fast_gets_a_wav_file_and_says_what_it_heard(
    fast: AzureFast, service: SpeechApi, wma: Path
) -> None:
    heard = await fast.transcribe(wma, language="en", phrases=())
    spoken = (SpokenPiece(0.08, 1.28, "Technical support,"), SpokenPiece(1.28, 1.68, "please."))
    assert heard == Transcript("Technical support, please.", 0.8, "azure-fast", SECONDS, spoken)
    (form,) = service.forms
    assert form.path == "/speechtotext/transcriptions:transcribe"
    assert form.query == {"api-version": "2024-11-15"}
    assert form.headers["Ocp-Apim-Subscription-Key"] == KEY
    assert list(form.fields) == ["definition"]
    assert json.loads(form.fields["definition"]) == {"locales": ["en-US"], "profanityFilterMode": "None"}
    assert list(form.files) == ["audio"]
    assert (form.files["audio"].name, form.files["audio"].content_type) == ("recording.wav", "audio/wav")
    assert form.files["audio"].seconds == SECONDS


async def test_azure_fast_is_told_phrases_in_the_version_that_knows_them(
    fast: AzureFast, service: SpeechApi, wma: Path
) -> None:
    await fast.transcribe(wma, language="en-GB", phrases=["Contoso", "Straße"])
    assert service.forms[0].query == {"api-version": "2025-10-15"}
    assert json.loads(service.forms[0].fields["definition"]) == {
        "locales": ["en-GB"],
        "profanityFilterMode": "None",
        "phraseList": {"phrases": ["Contoso", "Straße"]},
    }


async def test_azure_fast_that_heard_nothing_gives_no_text(fast: AzureFast, service: SpeechApi, wma: Path) -> None:
    service.answers = [Answer(body={"durationMilliseconds": 1856, "combinedPhrases": [{"text": ""}], "phrases": []})]
    heard = await fast.transcribe(wma, language="en-US", phrases=())
    assert heard == Transcript(None, None, "azure-fast", SECONDS)


# --- both: what a service can answer ---


async def test_a_busy_service_is_asked_again_with_the_whole_file(
    openai: OpenAi, service: SpeechApi, wma: Path, pauses: list[float]
) -> None:
    service.answers = [Answer(429), Answer(503), Answer(500), Answer(body=WHISPER)]
    heard = await openai.transcribe(wma, language="en-US", phrases=())
    assert heard.text == "Technical support, please."
    assert pauses == [0.5, 1.0, 2.0]
    assert [form.files["file"].seconds for form in service.forms] == [SECONDS] * 4


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "Fri, 20 Nov 2026 10:00:09 GMT", "Date": "Fri, 20 Nov 2026 10:00:00 GMT"}, 9.0),
        ({"Retry-After": "soon"}, 0.5),
        ({"Retry-After": "-5"}, 0.5),
    ],
)
async def test_a_service_says_when_to_come_back(
    openai: OpenAi, service: SpeechApi, wma: Path, pauses: list[float], headers: dict[str, str], pause: float
) -> None:
    service.answers = [Answer(429, headers=headers), Answer(body=WHISPER)]
    await openai.transcribe(wma, language="en-US", phrases=())
    assert pauses == [pause]


async def test_a_service_that_wants_an_hour_is_not_waited_for(
    openai: OpenAi, service: SpeechApi, wma: Path, pauses: list[float]
) -> None:
    service.answers = [Answer(429, headers={"Retry-After": "3600"})]
    error = await failure(openai, wma)
    assert (error.code, str(error)) == ("failed", "the speech service answered 429")
    assert pauses == []


async def test_a_service_that_stays_broken_is_given_up(
    openai: OpenAi, service: SpeechApi, wma: Path, pauses: list[float]
) -> None:
    service.answers = [Answer(502)]
    assert (await failure(openai, wma)).code == "failed"
    assert pauses == [0.5, 1.0, 2.0, 4.0]
    assert len(service.forms) == 5


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 413, 415, 422])
async def test_any_other_no_is_final(
    openai: OpenAi, service: SpeechApi, wma: Path, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "ivr")
    service.answers = [Answer(status, body={"error": f"wrong key {KEY}"})]
    error = await failure(openai, wma)
    assert error.code == "failed"
    assert str(status) in str(error)
    assert len(service.forms) == 1
    assert KEY not in caplog.text


async def test_the_key_does_not_follow_a_redirect(openai: OpenAi, service: SpeechApi, wma: Path) -> None:
    elsewhere = SpeechApi(WHISPER)
    await elsewhere.start()
    service.answers = [Answer(307, headers={"Location": f"{elsewhere.base}/v1/audio/transcriptions"})]
    error = await failure(openai, wma)
    await elsewhere.stop()
    assert "redirects are not followed" in str(error)
    assert elsewhere.forms == []


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"text": 5}', b'{"segments": []}', b"\xff\xfe"])
async def test_a_reply_that_is_no_transcript_fails(openai: OpenAi, service: SpeechApi, wma: Path, body: bytes) -> None:
    service.answers = [Answer(body=body)]
    assert str(await failure(openai, wma)) == "the speech service's reply is not a transcript"


async def test_a_reply_without_end_is_cut_off(openai: OpenAi, service: SpeechApi, wma: Path) -> None:
    service.answers = [Answer(body=b'{"text": "' + b"x" * 5_000_000 + b'"}')]
    assert str(await failure(openai, wma)) == "the speech service's reply is too long"


async def test_a_compressed_reply_is_not_inflated(fast: AzureFast, service: SpeechApi, wma: Path) -> None:
    service.answers = [Answer(body=b"\x1f\x8b\x08\x00", headers={"Content-Encoding": "gzip"})]
    assert str(await failure(fast, wma)) == "the speech service's reply is not a transcript"


async def test_a_service_that_is_not_there_is_tried_again_and_given_up(
    workers: Workers, wma: Path, pauses: list[float]
) -> None:
    gone = SpeechApi(WHISPER)
    await gone.start()
    await gone.stop()
    engine = OpenAi(OpenAiServer(gone.base, KEY), workers, pause=noted(pauses))
    assert (await failure(engine, wma)).code == "failed"
    assert len(pauses) == 4


async def test_a_slow_service_can_be_given_up(openai: OpenAi, service: SpeechApi, wma: Path) -> None:
    service.hold()
    asking = asyncio.create_task(openai.transcribe(wma, language="en-US", phrases=()))
    await service.came.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_what_is_no_audio_never_leaves_the_house(fast: AzureFast, service: SpeechApi, tmp_path: Path) -> None:
    text = tmp_path / "text.wma"
    text.write_text("no audio")
    assert (await failure(fast, text)).code == "recording"
    assert service.forms == []
