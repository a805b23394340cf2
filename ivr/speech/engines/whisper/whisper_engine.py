"""The engine `whisper`: writes down what is said, or tells which of some phrases it was, inside this machine.

The libraries are loaded in worker processes alone, which have no network; nothing here imports them.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from ivr.audio.confinement import ProcessLimits
from ivr.audio.workers import Job, Workers
from ivr.errors import TranscriptionFailed
from ivr.ports import Transcript
from ivr.speech.engines.whisper.model_folder import WhisperModelFolder
from ivr.speech.languages import without_region
from ivr.speech.wav import LONGEST, open_recording

MOST_PHRASES = 1000
"As with other engines: an order no longer fits into its packet."

_JOBS = "ivr.speech.engines.whisper.whisper_jobs"
_ORDERS = 2000
"Recordings after which a process, and with it a loaded model, is replaced."
_LOAD = Job(f"{_JOBS}:load", bool, cpu=120.0, wall=120.0, orders=_ORDERS)
_PHRASES = Job(f"{_JOBS}:phrases", Transcript, cpu=120.0, wall=300.0, orders=_ORDERS)
_DICTATION = Job(f"{_JOBS}:dictation", Transcript, cpu=300.0, wall=300.0, orders=_ORDERS)

_MEMORY = 2560 << 20
"""Bytes of address space with which small weights work. Up to 1.9 GB were seen in use with recordings of minutes, of
which 0.4 GB are touched: libraries are mapped, and each thread keeps some for itself. Without room a recording is lost.
"""
_SMALL = 150 << 20
"Bytes of weights that are small: Whisper's sizes tiny and base."


class Whisper:
    """A `SpeechToText` without any network."""

    name = "whisper"

    def __init__(self, model: WhisperModelFolder, workers: Workers) -> None:
        """Have the model loaded when `workers` prepare; raise ValueError if the library for it is not installed."""
        if find_spec("faster_whisper") is None:
            raise ValueError("IVR_STT=whisper needs faster-whisper: pip install 'ivr[local-speech]'")
        self._workers = workers
        self._limits = ProcessLimits(memory=_MEMORY + max(0, model.weights - _SMALL))
        self._model = {"folder": str(model.path), "published": dict(model.published)}
        workers.prepare_with(self._job(_LOAD), **self._model)

    async def transcribe(self, audio: Path, *, language: str, phrases: Sequence[str]) -> Transcript:
        """Listen for the phrases; without any, write down what is said."""
        if len(phrases) > MOST_PHRASES:
            raise TranscriptionFailed("failed", f"more than {MOST_PHRASES} phrases")
        asked: dict[str, Any] = {**self._model, "language": without_region(language), "longest": LONGEST}
        with await open_recording(audio) as source:
            if not phrases:
                return await self._workers.run(self._job(_DICTATION), source, **asked)
            return await self._workers.run(self._job(_PHRASES), source, phrases=list(phrases), **asked)

    def _job(self, job: Job[Any]) -> Job[Any]:
        return replace(job, limits=self._limits)
