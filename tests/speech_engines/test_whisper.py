"""The engine `whisper` with the packaged model, as a caller is heard by it. Models are slow to load: few tests."""

import re
from collections.abc import AsyncIterator
from difflib import SequenceMatcher
from pathlib import Path

import pytest
import pytest_asyncio

from ivr.audio.workers import Job, Workers
from ivr.errors import TranscriptionFailed
from ivr.setting_sources import SettingsError
from ivr.speech.engines.whisper.model_folder import WhisperModelFolder, model_folder
from ivr.speech.engines.whisper.whisper_engine import MOST_PHRASES, Whisper
from ivr.speech_settings import SpeechSettings, engine_of, load_models
from tests.local_speech import needs_whisper
from tests.speech_engines import worker_memory

pytestmark = [needs_whisper, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whisper() -> AsyncIterator[Whisper]:
    workers = Workers(size=1)
    yield Whisper(model_folder("packaged"), workers)
    await workers.close()


def words_of(text: str | None) -> list[str]:
    """The words alone: whether the model writes capitals and stops depends on how a processor rounds."""
    return re.findall("[a-z]+", (text or "").lower())


@pytest.mark.parametrize(
    ("recording", "words"),
    [
        ("weather.wma", "The weather is lovely today."),
        ("printer.wma", "The printer on the second floor does not work."),
    ],
)
async def test_a_sentence_that_nobody_listed_is_written_down(
    whisper: Whisper, recordings: Path, recording: str, words: str
) -> None:
    heard = await whisper.transcribe(recordings / recording, language="en-US", phrases=())
    assert words_of(heard.text) == words_of(words)
    assert heard.engine == "whisper"
    assert 0.5 < (heard.confidence or 0.0) <= 1.0
    assert heard.spoken[-1].end <= (heard.seconds or 0.0)


async def test_a_phrase_is_given_as_its_author_wrote_it_or_none(whisper: Whisper, recordings: Path) -> None:
    menu = ["Technical Support", "sales", "lost luggage", "goodbye"]
    for recording, phrase in (("technical-support.wma", "Technical Support"), ("weather.wma", None)):
        heard = await whisper.transcribe(recordings / recording, language="en-US", phrases=menu)
        assert heard.text == phrase


async def test_words_at_the_border_of_two_windows_are_kept(whisper: Whisper, recordings: Path) -> None:
    heard = await whisper.transcribe(recordings / "message.ogg", language="en-US", phrases=())
    assert (heard.seconds or 0.0) > 33.0
    words, written = words_of(heard.text), words_of((recordings / "message.txt").read_text())
    alike = SequenceMatcher(None, written, words, autojunk=False).ratio()
    assert alike > 0.9
    assert SequenceMatcher(None, written[60:], words[60:], autojunk=False).ratio() > 0.9


async def test_what_an_english_model_does_not_know_is_refused(whisper: Whisper, recordings: Path) -> None:
    with pytest.raises(TranscriptionFailed, match="only English, not de"):
        await whisper.transcribe(recordings / "yes.wav", language="de-DE", phrases=())
    with pytest.raises(TranscriptionFailed, match="more than 1000 phrases"):
        await whisper.transcribe(recordings / "yes.wav", language="en", phrases=["yes"] * (MOST_PHRASES + 1))


async def test_the_clients_of_a_hub_are_there_and_have_no_network(whisper: Whisper) -> None:
    """Under the limits of the engine's own worker, after it has loaded the model."""
    limits = whisper._limits
    attempt = Job("tests.speech_engines.misbehaviour:asks_a_hub", str, cpu=60.0, wall=60.0, limits=limits)
    assert await whisper._workers.run(attempt) == "[Errno 1] Operation not permitted"


async def test_the_limit_on_memory_is_far_from_what_recordings_need(whisper: Whisper, recordings: Path) -> None:
    """How much it is differs from recording to recording: with a limit just above, one in thirty was lost."""
    await whisper.transcribe(recordings / "message.ogg", language="en-US", phrases=())
    measuring = Job(f"{worker_memory.__name__}:most_address_space", int, cpu=60.0, wall=60.0, limits=whisper._limits)
    needed = await whisper._workers.run(measuring)
    assert 1 << 29 < needed < 0.75 * whisper._limits.memory


@pytest.fixture
def copy(tmp_path: Path) -> WhisperModelFolder:
    """Return the packaged model in a folder of the test, with the same bytes to be expected."""
    packaged = model_folder("packaged")
    folder = tmp_path / "model"
    folder.mkdir()
    for file in packaged.path.iterdir():
        (folder / file.name).symlink_to(file)
    return WhisperModelFolder(folder, packaged.published)


def tampered(model: WhisperModelFolder, name: str) -> None:
    """Change one byte in the middle of a file."""
    file = model.path / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.unlink()
    file.write_bytes(data)


async def test_weights_that_were_changed_after_the_check_are_not_loaded(copy: WhisperModelFolder) -> None:
    workers = Workers(size=1)
    Whisper(copy, workers)
    tampered(copy, "model.bin")
    with pytest.raises(SettingsError, match=r"model\.bin is not the file that was published"):
        await load_models(workers)
    await workers.close()
    with pytest.raises(ValueError, match=r"model\.bin is not the file that was published"):
        copy.check()


async def test_a_server_does_not_start_with_a_folder_that_is_no_model(copy: WhisperModelFolder) -> None:
    workers = Workers(size=1)
    settings = SpeechSettings(stt="whisper", whisper_model=str(copy.path))
    (copy.path / "tokenizer.json").unlink()
    with pytest.raises(SettingsError, match=r"has no tokenizer\.json"):
        engine_of(settings, workers)
    (copy.path / "tokenizer.json").write_text("{}")
    engine_of(settings, workers)
    with pytest.raises(SettingsError, match="cannot be loaded"):
        await load_models(workers)
    await workers.close()


async def test_a_server_does_not_start_with_the_vocabulary_of_another_model(copy: WhisperModelFolder) -> None:
    (copy.path / "vocabulary.json").write_text('["a", "b"]')
    workers = Workers(size=1)
    engine_of(SpeechSettings(stt="whisper", whisper_model=str(copy.path)), workers)
    with pytest.raises(SettingsError, match=r"cannot be loaded: .*token was not found"):
        await load_models(workers)
    await workers.close()
