"""Transcription as the engine orders it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest

from ivr.engine.commands import Argument, Request
from ivr.engine.events import ServiceAnswered, Transcribed
from ivr.errors import TranscriptionFailed
from ivr.media_storage import SMALL
from ivr.ports import CallKey, Transcript
from ivr.services.service import ServiceError
from ivr.services.transcription import Transcription
from ivr.storage import Order
from ivr.store.media_files import MediaFiles
from ivr.store.memory.memory_media import MemoryMedia

AUDIO = b"audio" * SMALL
"A recording that is a file."


class Ear:
    """A speech engine that tells what it was given."""

    name = "ear"

    def __init__(self, error: TranscriptionFailed | None = None) -> None:
        self.heard: tuple[bytes, str, Sequence[str]] | None = None
        self.lent: Path | None = None
        self.error = error

    async def transcribe(self, audio: Path, *, language: str, phrases: Sequence[str]) -> Transcript:
        self.heard = (audio.read_bytes(), language, phrases)
        self.lent = audio
        if self.error:
            raise self.error
        return Transcript("hello", 0.5)


@pytest.fixture
async def recordings(tmp_path: Path) -> AsyncIterator[MediaFiles]:
    one = MediaFiles(tmp_path)
    yield one
    await one.close()


async def _order(recordings: MediaFiles, phrases: Sequence[str] = ("sales", "support")) -> Order:
    file = recordings.new("audio/wav")
    file.add(AUDIO)
    await file.keep()
    return order_for(file.media, phrases)


def order_for(media: str, phrases: Sequence[str] = ()) -> Order:
    arguments: dict[str, Argument] = {"media": media, "language": "de-AT", "phrases": tuple(phrases)}
    request = Request("1.1", "transcribe", arguments, 5.0)
    return Order("0" * 32, CallKey("skype", "app", "c1"), request, attempts=1)


async def test_the_engine_gets_audio_language_and_phrases_and_its_words_are_the_answer(recordings: MediaFiles) -> None:
    ear = Ear()
    answer = await Transcription(ear, recordings).run(await _order(recordings))
    assert answer == ServiceAnswered("1.1", Transcribed("hello", 0.5))
    assert ear.heard == (AUDIO, "de-AT", ("sales", "support"))


@pytest.mark.parametrize("error", [None, TranscriptionFailed("failed", "the engine")], ids=["heard", "failed"])
async def test_a_small_recording_is_a_file_for_as_long_as_the_engine_runs(error: TranscriptionFailed | None) -> None:
    name = "0" * 32 + ".wav"
    ear = Ear(error)
    with pytest.raises(ServiceError) if error else nullcontext():
        await Transcription(ear, MemoryMedia({name: b"small"})).run(order_for(name))
    assert ear.heard == (b"small", "de-AT", ())
    assert ear.lent is not None
    assert not ear.lent.exists()


async def test_an_engines_no_keeps_its_code(recordings: MediaFiles) -> None:
    ear = Ear(TranscriptionFailed("recording", "not audio"))
    with pytest.raises(ServiceError) as caught:
        await Transcription(ear, recordings).run(await _order(recordings))
    assert caught.value.code == "recording"


@pytest.mark.parametrize("media", ["0" * 32 + ".wav", "../../etc/passwd"])
async def test_a_recording_that_is_not_there_is_a_failure_of_the_recording(recordings: MediaFiles, media: str) -> None:
    with pytest.raises(ServiceError) as caught:
        await Transcription(Ear(), recordings).run(order_for(media))
    assert caught.value.code == "recording"
