"""The audio files of a flow: found beside it, looked at, and known by what is in them."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from math import ceil
from pathlib import Path

from msgspec import Struct

from ivr.audio.formats import sniff
from ivr.audio.soundness import Soundness, soundness_of_wav, soundness_of_wma
from ivr.flowfile import source
from ivr.flowfile.document import Document
from ivr.flowfile.model_parts import AudioPart
from ivr.flowfile.prompts import all_prompts, parts_of
from ivr.smallfiles import read_small

MAX_BYTES = 512 * 1024
"What the native line fetches (protocol 18)."
PLAYABLE = frozenset({"wma", "wav"})


class UnplayableAudio(Struct, frozen=True):
    """Why a file cannot be played."""

    message: str
    suggestion: str = ""


class AudioMention(Struct, frozen=True):
    """An audio part of a prompt, and where it stands."""

    audio: str
    text: str | None
    path: source.Path


def is_address(audio: str) -> bool:
    """Return whether an audio part names an address instead of a file."""
    return audio.startswith(("http://", "https://"))


def asset_id(data: bytes) -> str:
    """Return a file's name, made from its content."""
    return sha256(data).hexdigest()


def written(document: Document) -> Iterator[AudioMention]:
    """Go through all audio parts of a flow."""
    for prompt in all_prompts(document):
        for placed in parts_of(document, prompt):
            if isinstance(part := placed.part, AudioPart):
                yield AudioMention(part.audio, part.text, placed.path)


def collect(document: Document, folder: Path) -> Mapping[str, bytes | UnplayableAudio]:
    """Read the files of a flow, each once, by the name it gives them."""
    names = {part.audio for part in written(document) if not is_address(part.audio)}
    return {name: read(folder, name) for name in sorted(names)}


def read(folder: Path, name: str) -> bytes | UnplayableAudio:
    """Read a file of the flow's folder, or tell why it cannot be played. Links must not lead out of the folder."""
    try:
        root = folder.resolve(strict=True)
        path = (root / name).resolve(strict=True)
        if not path.is_relative_to(root):
            return UnplayableAudio(f'"{name}" is outside of the flow\'s folder.', "Put a copy beside the flow.")
        if not path.is_file():  # a pipe would keep us waiting for ever
            return _missing(name)
        size = path.stat().st_size
        if size > MAX_BYTES:
            message = f'"{name}" has {ceil(size / 1024):,} KB; {MAX_BYTES // 1024} KB can be played.'
            return UnplayableAudio(message, "Divide it, or lower its sample rate.")
        data = read_small(path, MAX_BYTES)
    except (OSError, ValueError, RuntimeError):  # not there, no folder on the way, a name with NUL, links in a circle
        return _missing(name)
    if sniff(data) not in PLAYABLE:
        return UnplayableAudio(f'"{name}" is neither WMA nor WAV.', "Convert it to one of these.")
    if not soundness(data).has_sound:
        return UnplayableAudio(f'"{name}" contains no sound.', "It is empty or incomplete: copy or export it again.")
    return data


def soundness(data: bytes) -> Soundness:
    """Return how much sound there is in a file that can be played."""
    return soundness_of_wma(data) if sniff(data) == "wma" else soundness_of_wav(data)


def _missing(name: str) -> UnplayableAudio:
    return UnplayableAudio(f'There is no file "{name}".', "It must be in the flow's folder.")
