"""What is made of Whisper's answers, with a fake of its library's model; the detector of voices is the real one."""

import os
import random
import subprocess
import sys
from array import array
from collections.abc import Iterator, Sequence
from math import pi, sin
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ivr.audio.encode import encoded
from ivr.errors import TranscriptionFailed
from ivr.ports import SpokenPiece, Transcript
from ivr.speech.engines.whisper.model_folder import NEEDED, VOCABULARIES

pytest.importorskip("faster_whisper", reason="faster-whisper is not installed (pip install 'ivr[local-speech]')")

from ivr.audio.decode import RecordingSamples
from ivr.speech.engines.whisper import whisper_jobs
from ivr.speech.engines.whisper.phrase_scores import Choice

RATE = 16_000


def piece(text: str, *, start: float = 0.0, end: float = 1.0, sure: float = -0.2) -> Any:
    return SimpleNamespace(text=text, start=start, end=end, avg_logprob=sure)


class FakeModel:
    """A `WhisperModel` that answers what it was given, and keeps what it was asked."""

    answers: Sequence[Any] = (piece(" Hello."),)
    english = True
    mel_bands = 80
    error: Exception | None = None

    def __init__(self, folder: str, **options: Any) -> None:
        if self.error:
            raise self.error
        self.folder, self.options = folder, options
        self.asked: list[dict[str, Any]] = []
        self.model = SimpleNamespace(
            is_multilingual=not self.english, n_mels=self.mel_bands, generate=lambda *_, **__: []
        )
        self.feature_extractor = SimpleNamespace(mel_filters=[()] * 80)
        self.supported_languages = ["en"] if self.english else ["en", "de", "no"]
        self.hf_tokenizer = SimpleNamespace(token_to_id=lambda _: 0)

    def encode(self, features: Any) -> Any:
        return features

    def transcribe(self, wave: Any, **options: Any) -> tuple[Iterator[Any], None]:
        self.asked.append({"seconds": len(wave) / RATE, **options})
        return iter(self.answers), None


class Ear:
    """The jobs over a folder of their own."""

    def __init__(self, folder: Path) -> None:
        for name in (*NEEDED, VOCABULARIES[0]):
            (folder / name).touch()
        self.folder = str(folder)
        self.model = whisper_jobs._loaded(self.folder, ())
        self._file = folder / "recording.wav"

    def dictation(self, sound: bytes, language: str = "en") -> Transcript:
        return whisper_jobs.dictation(self.source(sound), language=language, **self._common())

    def phrases(self, sound: bytes, phrases: Sequence[str] = ("sales", "support")) -> Transcript:
        return whisper_jobs.phrases(self.source(sound), phrases=phrases, language="en", **self._common())

    def source(self, sound: bytes) -> int:
        self._file.write_bytes(encoded(sound, "wav"))
        return os.open(self._file, os.O_RDONLY)

    def _common(self) -> dict[str, Any]:
        return {"folder": self.folder, "published": {}, "longest": 900.0}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeModel]:
    class Model(FakeModel):
        pass

    monkeypatch.setattr(whisper_jobs, "WhisperModel", Model)
    return Model


@pytest.fixture
def speech(recordings: Path) -> bytes:
    """Return somebody who speaks for 1.9 s."""
    return b"".join(RecordingSamples(os.open(recordings / "weather.wma", os.O_RDONLY), longest=60.0))


def samples(*values: float) -> bytes:
    return array("h", [round(value) for value in values]).tobytes()


def hum(seconds: float = 3.0, *tones: float) -> bytes:
    times = range(int(seconds * RATE))
    return samples(*(sum(6_000 * sin(2 * pi * tone * time / RATE) for tone in tones) for time in times))


def noise(level: float) -> bytes:
    chance = random.Random(2)
    return samples(*(chance.gauss(0, level) for _ in range(3 * RATE)))


def test_words_come_piece_by_piece_with_their_times(fake: type[FakeModel], tmp_path: Path, speech: bytes) -> None:
    fake.answers = [piece(" My flight", sure=-0.1), piece("  ", start=1.0), piece(" was late.", start=1.0, end=7.0)]
    heard = Ear(tmp_path).dictation(speech)
    assert heard == Transcript(
        "My flight was late.",
        0.831,  # e to the power of -(0.1 x 1 s + 0.2 x 6 s) / 7 s
        "whisper",
        1.888,
        (SpokenPiece(0.0, 1.0, "My flight"), SpokenPiece(1.0, 1.888, "was late.")),
    )


def test_what_the_model_is_unsure_of_is_not_written_down(fake: type[FakeModel], tmp_path: Path, speech: bytes) -> None:
    fake.answers = [piece(" Hello.", sure=-0.99), piece(" Thank you for watching.", sure=-1.01)]
    assert Ear(tmp_path).dictation(speech).text == "Hello."
    fake.answers = fake.answers[1:]
    assert Ear(tmp_path).dictation(speech) == Transcript(None, None, "whisper", 1.888)


def test_the_library_loads_a_folder_once_and_asks_no_hub(fake: type[FakeModel], tmp_path: Path, speech: bytes) -> None:
    ear = Ear(tmp_path)
    assert (ear.dictation(speech), ear.dictation(speech)) == (Transcript("Hello.", 0.819, "whisper", 1.888, ANY),) * 2
    assert ear.model.folder == str(tmp_path)
    assert ear.model.options["local_files_only"] is True
    assert ear.model.options["cpu_threads"] == 1
    assert [asked["seconds"] for asked in ear.model.asked] == [pytest.approx(1.888, abs=0.001)] * 2
    assert [asked["language"] for asked in ear.model.asked] == ["en", "en"]


ANY = (SpokenPiece(0.0, 1.0, "Hello."),)


def test_a_long_recording_is_cut_at_a_pause(
    fake: type[FakeModel], tmp_path: Path, speech: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whisper_jobs, "_PART", 5 * RATE)
    rest = bytes(RATE)  # half a second
    ear = Ear(tmp_path)
    heard = ear.dictation((speech + rest) * 4)
    assert heard.seconds == pytest.approx(4 * 2.388, abs=0.01)
    lengths = [asked["seconds"] for asked in ear.model.asked]
    assert sum(lengths) == pytest.approx(heard.seconds, abs=0.001)  # nothing is heard twice, nothing is left out
    assert lengths[:-1] == [pytest.approx(4.6, abs=0.3)]  # in the rest after the second sentence
    assert [one.start for one in heard.spoken] == [0.0, pytest.approx(lengths[0], abs=0.001)]


def test_who_makes_no_pause_is_cut_at_the_end_of_a_part(
    fake: type[FakeModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whisper_jobs, "_PART", RATE)
    monkeypatch.setattr(whisper_jobs, "get_speech_timestamps", lambda wave, _: [{"start": 0, "end": len(wave)}])
    ear = Ear(tmp_path)
    ear.dictation(noise(3_000))
    assert [asked["seconds"] for asked in ear.model.asked] == [1.0] * 3


@pytest.mark.parametrize("phrases", [True, False], ids=["phrases", "dictation"])
def test_a_line_that_is_off_is_not_shown_to_the_model(fake: type[FakeModel], tmp_path: Path, phrases: bool) -> None:
    ear = Ear(tmp_path)
    heard = ear.phrases(bytes(4 * RATE)) if phrases else ear.dictation(bytes(4 * RATE))
    assert heard == Transcript(None, None, "whisper", 2.0)
    assert ear.model.asked == []


@pytest.mark.parametrize(
    "sound",
    [noise(30), noise(3_000), hum(3.0, 440.0), hum(3.0, 697.0, 1209.0), hum(3.0, 50.0, 100.0, 150.0)],
    ids=["hiss", "loud noise", "dial tone", "key", "mains"],
)
def test_where_nobody_speaks_no_phrase_is_looked_for(
    fake: type[FakeModel], tmp_path: Path, sound: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whisper_jobs, "choose", lambda *_: pytest.fail("the model was asked"))
    assert Ear(tmp_path).phrases(sound) == Transcript(None, None, "whisper", 3.0)


def test_phrases_are_looked_for_where_somebody_speaks(
    fake: type[FakeModel], tmp_path: Path, speech: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [Choice("sales", 0.9), Choice(None, 0.1)]
    asked = []

    def choose(_model: Any, _tokenizer: Any, wave: Any, phrases: Sequence[str]) -> Choice:
        asked.append((len(wave) / RATE, phrases))
        return answers[len(asked) - 1]

    monkeypatch.setattr(whisper_jobs, "choose", choose)
    ear = Ear(tmp_path)
    assert ear.phrases(bytes(10 * RATE) + speech + bytes(10 * RATE)) == Transcript("sales", 0.9, "whisper", 11.888)
    assert ear.phrases(speech) == Transcript(None, None, "whisper", 1.888)
    assert asked[0][0] < 3.5  # the silence around the words is left out
    assert [phrases for _, phrases in asked] == [("sales", "support")] * 2
    assert ear.phrases(speech * 18).text is None  # 34 s are no phrase
    assert len(asked) == 2


def test_another_language_is_asked_for_if_the_model_knows_it(
    fake: type[FakeModel], tmp_path: Path, speech: bytes
) -> None:
    fake.english = False
    ear = Ear(tmp_path)
    assert whisper_jobs.load(folder=ear.folder, published={}) is True
    ear.dictation(speech, "de")
    ear.dictation(speech, "nb")
    assert [asked["language"] for asked in ear.model.asked] == ["de", "no"]
    with pytest.raises(TranscriptionFailed, match="understands other languages, not xx"):
        ear.dictation(speech, "xx")


def test_an_english_model_is_not_asked_for_another_language(
    fake: type[FakeModel], tmp_path: Path, speech: bytes
) -> None:
    with pytest.raises(TranscriptionFailed, match="this Whisper model understands only English, not de") as failure:
        Ear(tmp_path).dictation(speech, "de")
    assert failure.value.code == "failed"


def test_a_model_with_another_picture_of_sound_must_bring_it(fake: type[FakeModel], tmp_path: Path) -> None:
    fake.mel_bands = 128
    with pytest.raises(TranscriptionFailed, match=r"wants 128 mel bands: preprocessor_config\.json"):
        Ear(tmp_path)


def test_what_the_library_says_of_a_damaged_model_is_passed_on(fake: type[FakeModel], tmp_path: Path) -> None:
    fake.error = RuntimeError("Unsupported model binary version")
    with pytest.raises(TranscriptionFailed, match="cannot be loaded: Unsupported model binary version"):
        Ear(tmp_path)


def test_the_worker_looks_at_the_files_again(fake: type[FakeModel], tmp_path: Path) -> None:
    with pytest.raises(TranscriptionFailed, match=r"it has no model\.bin"):
        whisper_jobs.load(folder=str(tmp_path), published={})
    Ear(tmp_path)
    with pytest.raises(TranscriptionFailed, match=r"model\.bin is not the file that was published"):
        whisper_jobs.load(folder=str(tmp_path), published={"model.bin": "0" * 64})


def test_the_server_loads_none_of_the_libraries(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom ivr.speech.registry import ENGINES\nimport ivr.speech.engines.whisper.whisper_engine\n"
        "print(sorted({'ctranslate2', 'faster_whisper', 'numpy', 'huggingface_hub'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
