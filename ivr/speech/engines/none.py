"""The speech engine that understands nothing: recordings are kept, nobody waits for words."""

from collections.abc import Sequence
from pathlib import Path

from ivr.ports import Transcript


class NoSpeech:
    """A `SpeechToText` without an engine."""

    name = "none"

    async def transcribe(self, audio: Path, *, language: str, phrases: Sequence[str]) -> Transcript:
        """Understand nothing, at once."""
        return Transcript(text=None)
