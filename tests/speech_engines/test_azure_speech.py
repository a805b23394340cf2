"""The engine `azure`: Microsoft's real SDK against a service on loopback."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ivr.audio.workers import Workers
from ivr.errors import TranscriptionFailed
from ivr.ports import SpokenPiece, Transcript
from ivr.speech.accounts import AzureAccount
from ivr.speech.engines.azure import Azure
from tests.fakes.azure_speech import AzureSpeech, Phrase
from tests.speech_engines.sounds import noise, silence

pytest.importorskip("azure.cognitiveservices.speech", reason="the extra `azure` is not installed")


@pytest.fixture
async def service() -> AsyncIterator[AzureSpeech]:
    service = AzureSpeech()
    await service.start()
    yield service
    await service.stop()


@pytest.fixture
def engine(service: AzureSpeech, workers: Workers) -> Azure:
    return Azure(AzureAccount(service.key, endpoint=service.url), workers)


async def test_a_recognised_phrase_comes_with_its_confidence_and_place(
    engine: Azure, service: AzureSpeech, wma: Path
) -> None:
    service.says = [Phrase("Technical support, please.", 0.93)]
    heard = await engine.transcribe(wma, language="en-US", phrases=())
    spoken = (SpokenPiece(0.0, 1.856, "Technical support, please."),)
    assert heard == Transcript("Technical support, please.", 0.93, "azure", 1.856, spoken)


async def test_recognition_goes_on_after_a_pause(engine: Azure, service: AzureSpeech, wma: Path) -> None:
    service.says = [Phrase("My flight was late.", 0.8), Phrase(""), Phrase("Please call back.", 0.6)]
    heard = await engine.transcribe(wma, language="en-US", phrases=())
    assert heard.text == "My flight was late. Please call back."
    assert heard.confidence == 0.7
    assert [one.text for one in heard.spoken] == ["My flight was late.", "Please call back."]


async def test_the_service_gets_wideband_samples_whatever_was_recorded(
    engine: Azure, service: AzureSpeech, recordings: Path
) -> None:
    service.says = [Phrase("Tuesday.")]
    await engine.transcribe(recordings / "tuesday-at-ten-thirty.wav", language="en-US", phrases=())
    (heard,) = service.heard
    assert heard.audio[:4] == b"RIFF"
    assert int.from_bytes(heard.audio[24:28], "little") == 16_000
    assert (len(heard.audio) - 44) / 32_000 == pytest.approx(1.64, abs=0.01)


async def test_phrases_and_language_reach_the_service(engine: Azure, service: AzureSpeech, wma: Path) -> None:
    await engine.transcribe(wma, language="de", phrases=["Contoso", "Straße"])
    assert service.heard[0].phrases == ["Contoso", "Straße"]
    assert service.heard[0].query["language"] == "de-DE"
    assert service.heard[0].query["format"] == "detailed"


async def test_no_match_is_no_text(engine: Azure, service: AzureSpeech, wma: Path) -> None:
    service.says = [Phrase("")]
    assert await engine.transcribe(wma, language="en-US", phrases=()) == Transcript(None, None, "azure", 1.856)


async def test_a_wrong_key_is_refused_and_not_told_to_anybody(
    service: AzureSpeech, workers: Workers, wma: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    engine = Azure(AzureAccount("a-wrong-key", endpoint=service.url), workers)
    with pytest.raises(TranscriptionFailed, match="AuthenticationFailure") as caught:
        await engine.transcribe(wma, language="en-US", phrases=())
    assert caught.value.code == "failed"
    assert service.refused > 0
    assert "a-wrong-key" not in f"{caught.value} {caplog.text} {AzureAccount('a-wrong-key', 'westeurope')!r}"


async def test_a_service_that_is_not_there_fails(workers: Workers, wma: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, and nobody listens
        engine = Azure(AzureAccount("key", endpoint=f"ws://127.0.0.1:{unused.getsockname()[1]}"), workers)
        with pytest.raises(TranscriptionFailed, match="ConnectionFailure") as caught:
            await engine.transcribe(wma, language="en-US", phrases=())
    assert caught.value.code == "failed"


async def test_a_slow_service_can_be_given_up(engine: Azure, service: AzureSpeech, wma: Path) -> None:
    service.hold()
    asking = asyncio.create_task(engine.transcribe(wma, language="en-US", phrases=()))
    await service.audio_came.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    service.release()
    service.says = [Phrase("Still there.")]
    assert (await engine.transcribe(wma, language="en-US", phrases=())).text == "Still there."


async def test_a_long_recording_is_sent_at_once(engine: Azure, service: AzureSpeech, tmp_path: Path) -> None:
    """Without the SDK's throttle property, twenty seconds would take seven and a half."""
    service.says = [Phrase("Silence.")]
    long = tmp_path / "long.wav"
    long.write_bytes(noise(20))
    await engine.transcribe(long, language="en-US", phrases=())
    assert len(service.heard[0].audio) == 44 + 20 * 32_000
    assert service.heard[0].seconds < 3


async def test_a_recording_without_sound_is_sent_to_nobody_and_has_no_transcript(
    engine: Azure, service: AzureSpeech, tmp_path: Path
) -> None:
    service.says = [Phrase("Thank you for watching!")]
    file = tmp_path / "silence.wav"
    file.write_bytes(silence(2))
    heard = await engine.transcribe(file, language="en-US", phrases=())
    assert heard == Transcript(None, engine="azure", seconds=2)
    assert not service.heard


async def test_what_is_no_audio_never_reaches_the_service(engine: Azure, service: AzureSpeech, tmp_path: Path) -> None:
    text = tmp_path / "text.wav"
    text.write_text("no audio")
    with pytest.raises(TranscriptionFailed) as caught:
        await engine.transcribe(text, language="en-US", phrases=())
    assert caught.value.code == "recording"
    assert service.heard == []
