"""A speech engine that hears what a file says it hears: for tests, demonstrations, and trying out failures.

The file is JSON, answers by the SHA-256 of the audio, `*` for all other audio:

    {"*": {"text": "my flight was late", "confidence": 0.9, "delay": 1.5}, "9f86…": {"error": "recording"}}
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from ivr.errors import TranscriptionFailed
from ivr.ports import Transcript
from ivr.smallfiles import open_regular, read_small

ANY = "*"
MAX_SCRIPT = 4 << 20
"Bytes of a script."


class ScriptedAnswer(Struct, frozen=True, forbid_unknown_fields=True):
    """What is heard in one recording."""

    text: str | None = None
    confidence: float | None = None
    delay: float = 0.0
    "Seconds before the answer."
    error: Literal["timeout", "failed", "recording"] | None = None


class Scripted:
    """A `SpeechToText` that reads its answers from a script."""

    name = "scripted"

    def __init__(self, script: Mapping[str, ScriptedAnswer]) -> None:
        self._script = script

    @classmethod
    def read(cls, file: Path) -> "Scripted":
        """Load a script; raise ValueError, with the place, if it is not one."""
        try:
            return cls(msgspec.json.decode(read_small(file, MAX_SCRIPT), type=dict[str, ScriptedAnswer]))
        except OSError as error:
            raise ValueError(f"{file} cannot be read: {error.strerror}") from error
        except msgspec.DecodeError as error:
            raise ValueError(f"{file} is not a script: {error}") from error

    async def transcribe(self, audio: Path, *, language: str, phrases: Sequence[str]) -> Transcript:
        """Return the scripted answer, after its delay."""
        line = self._script.get(await asyncio.to_thread(_sha256, audio)) or self._script.get(ANY)
        if line is None:
            raise TranscriptionFailed("failed", "the script has no answer for this recording")
        await asyncio.sleep(line.delay)
        if line.error:
            raise TranscriptionFailed(line.error, "the script says so")
        return Transcript(line.text, line.confidence)


def _sha256(audio: Path) -> str:
    with open_regular(audio) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
