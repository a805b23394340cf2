"""The engine `pocketsphinx`: listens for the phrases of a record state, inside this machine.

English only. Without phrases it gives no transcript, since a quarter to two thirds of its words would be wrong;
IVR_STT_DICTATION=on gives them nevertheless. The library is loaded in worker processes alone.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

from ivr.audio.workers import Job, Workers
from ivr.errors import TranscriptionFailed
from ivr.ports import Transcript
from ivr.speech.engines.sphinx.pronunciation import spoken
from ivr.speech.languages import without_region
from ivr.speech.wav import LONGEST, open_recording

log = logging.getLogger(__name__)

MOST_PHRASES = 1000
"Beyond that, phrases sound alike, and an order no longer fits into its packet."

_PHRASES = Job("ivr.speech.engines.sphinx.listen:phrases", Transcript, cpu=120.0, wall=300.0)
_DICTATION = Job("ivr.speech.engines.sphinx.listen:dictation", Transcript, cpu=300.0, wall=300.0)


class Sphinx:
    """A `SpeechToText` without any network."""

    name = "pocketsphinx"

    def __init__(self, workers: Workers, *, dictation: bool = False) -> None:
        self._workers = workers
        self._dictation = dictation
        self._warned: set[str] = set()

    async def transcribe(self, audio: Path, *, language: str, phrases: Sequence[str]) -> Transcript:
        """Listen for the phrases; without any, write down what is said if that was asked for."""
        if without_region(language) != "en":
            raise TranscriptionFailed("failed", f"pocketsphinx understands only English, not {language}")
        if not phrases and not self._dictation:
            self._once(
                "no transcript without phrases: pocketsphinx would get too many words wrong",
                "dictation",
            )
            return Transcript(None, engine=self.name)
        with await open_recording(audio) as source:
            if not phrases:
                return await self._workers.run(_DICTATION, source, longest=LONGEST)
            return await self._workers.run(_PHRASES, source, phrases=self._sayable(phrases), longest=LONGEST)

    def _sayable(self, phrases: Sequence[str]) -> list[str]:
        if len(phrases) > MOST_PHRASES:
            raise TranscriptionFailed("failed", f"more than {MOST_PHRASES} phrases")
        for phrase in phrases:
            if not spoken(phrase):
                self._once("a phrase cannot be pronounced in English and is ignored", phrase)
        return list(phrases)

    def _once(self, message: str, what: str) -> None:
        """Warn of the same thing once, and not for every call."""
        if what not in self._warned:
            self._warned.add(what)
            log.warning("speech engine", extra={"reason": message, "phrase": what})
