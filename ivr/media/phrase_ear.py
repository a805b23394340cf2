"""An ear: which of the offered phrases was said, by any speech engine. It may say that it was none."""

import asyncio
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ivr.errors import TranscriptionFailed
from ivr.media.recorder import wav
from ivr.ports import SpeechToText
from ivr.speech.said_phrase import said_phrase

log = logging.getLogger(__name__)

LONGEST_WAIT = 10.0
"Seconds; a caller has given up by then."
AT_ONCE = 4
"Utterances that an engine is given at the same time, where it runs on this machine."


class PhraseEar:
    """An `Ear` (`ivr.ports`) on top of a speech engine."""

    def __init__(self, engine: SpeechToText, *, at_once: int = AT_ONCE) -> None:
        """Use an engine; `at_once` is how many utterances it gets at the same time."""
        self._engine = engine
        self._places = asyncio.Semaphore(at_once)

    async def understand(self, samples: bytes, phrases: Sequence[str], *, language: str) -> str | None:
        """Return the phrase that was said, or, without phrases, what was; None: none of them, or it is not known."""
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            await asyncio.to_thread(_write, Path(file.name), samples)
            try:
                async with asyncio.timeout(LONGEST_WAIT), self._places:
                    found = await self._engine.transcribe(Path(file.name), language=language, phrases=phrases)
            except TranscriptionFailed as error:
                log.warning("nothing understood", extra={"reason": str(error)})
                return None
            except TimeoutError:
                log.warning("nothing understood", extra={"reason": "the speech engine took too long"})
                return None
        if not phrases:
            return found.text
        return said_phrase(found.text, phrases) if found.text else None


def _write(file: Path, samples: bytes) -> None:
    file.write_bytes(wav(samples).data)
