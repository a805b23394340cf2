"""Nothing but the release of hibari that was looked through is run: not by the server, and not by a worker."""

import os
import py_compile
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ivr.audio.workers import Workers
from ivr.setting_sources import SettingsError
from ivr.speech.packages import package_folder
from ivr.speech.voice_registry import VoiceOptions, voice_of
from ivr.speech.voices.hibari.hibari_voice import HibariVoice
from ivr.speech.voices.hibari.voice_package import check_package, checked_package
from ivr.speech_settings import SpeechSettings, live_voice, load_models
from tests.local_speech import needs_hibari

pytestmark = needs_hibari


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the package, which is found instead of it."""
    installed = package_folder("hibari")
    assert installed
    copy = tmp_path / "hibari"
    shutil.copytree(installed, copy, copy_function=linked, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.syspath_prepend(tmp_path)
    return copy


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    workers = Workers(size=1)
    yield workers
    await workers.close()


def linked(source: str, target: str) -> None:
    """Link a file: it is replaced in a test, never written to."""
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copy2(source, target)


def replaced(file: Path, content: bytes) -> None:
    file.unlink()
    file.write_bytes(content)


def test_the_release_is_taken(folder: Path) -> None:
    assert checked_package() == folder


@pytest.mark.parametrize("name", ["assets/hibari.onnx", "assets/tagger.json.gz", "g2p/lexicon.py", "__init__.py"])
async def test_a_changed_file_is_named_and_nothing_starts(folder: Path, workers: Workers, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    replaced(folder / name, bytes(content))
    with pytest.raises(ValueError, match=f"hibari/{name} is not the file that was published: its SHA-256 is"):
        voice_of("hibari", VoiceOptions(workers))


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "dsp.py").unlink()
    with pytest.raises(ValueError, match=r"hibari/dsp\.py cannot be read: No such file or directory\. Install its"):
        check_package(folder)


@pytest.mark.parametrize("name", ["dsp.abi3.so", "tts/__init__.py", "g2p/more.py"])
def test_a_file_too_many_is_named(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("")
    with pytest.raises(ValueError, match=rf"hibari/{name} is no file of hibari-tts 0\.2\.1\. Uninstall that package"):
        check_package(folder)


def test_a_folder_that_is_elsewhere_is_a_file_too_many(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (folder / "more").symlink_to(tmp_path / "other")
    with pytest.raises(ValueError, match="hibari/more is no file of"):
        check_package(folder)


def test_a_package_that_is_not_there_is_said_how_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    with pytest.raises(ValueError, match=r"The voice hibari needs a package that is not installed: pip install 'ivr\["):
        checked_package()


def test_a_server_without_it_does_not_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    with pytest.raises(SettingsError, match="The voice hibari needs a package that is not installed"):
        live_voice(SpeechSettings(voice="hibari"), Workers())


async def test_a_server_whose_worker_finds_something_else_does_not_start(folder: Path, workers: Workers) -> None:
    live_voice(SpeechSettings(voice="hibari"), workers)
    (folder / "more.py").write_text("raise SystemExit")
    with pytest.raises(SettingsError, match=r"cannot begin: .*hibari/more\.py is no file of hibari-tts"):
        await load_models(workers)


async def test_compiled_files_beside_the_sources_are_not_run(folder: Path, workers: Workers, tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text("raise SystemExit")
    for name in ("__init__", "tts", "dsp", "g2p/__init__", "g2p/oov"):
        file = folder / f"{name}.py"
        planted = file.parent / "__pycache__" / f"{file.stem}.cpython-{tag()}.pyc"
        py_compile.compile(str(other), str(planted), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    HibariVoice(workers)
    await workers.prepare()


def tag() -> str:
    return f"{sys.version_info[0]}{sys.version_info[1]}"
