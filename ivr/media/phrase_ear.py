"""The phone's ear: which of the offered phrases was said, by pocketsphinx, which may say that it was none."""

import asyncio
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ivr.errors import TranscriptionFailed
from ivr.media.recorder import wav
from ivr.ports import SpeechToText

log = logging.getLogger(__name__)


class PhraseEar:
    """An `Ear` (`ivr.ports`) on top of a speech engine that listens for phrases."""

    def __init__(self, engine: SpeechToText) -> None:
        self._engine = engine

    async def understand(self, samples: bytes, phrases: Sequence[str], *, language: str) -> str | None:
        """Return the phrase that was said; None: none of them, or it is not known."""
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            await asyncio.to_thread(_write, Path(file.name), samples)
            try:
                found = await self._engine.transcribe(Path(file.name), language=language, phrases=phrases)
            except TranscriptionFailed as error:
                log.warning("nothing understood", extra={"reason": str(error)})
                return None
        return found.text


def _write(file: Path, samples: bytes) -> None:
    file.write_bytes(wav(samples).data)
