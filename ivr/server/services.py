"""What a `Request` of the engine is carried out by: one service per name, and the speech engine of the settings.

A service may be asked the same thing twice after a crash; the job is the key by which it can tell.
"""

from collections.abc import Sequence
from functools import partial
from typing import Protocol

from ivr.engine.commands import Request
from ivr.engine.events import Transcribed
from ivr.errors import IvrError, TranscriptionFailed
from ivr.flowfile.checks import Missing, Phrases
from ivr.ports import EngineCapabilities, SpeechToText
from ivr.settings import Settings
from ivr.speech.registry import ENGINES, SpeechNeeds, capabilities, missing_abilities
from ivr.storage import MediaStore


class ServiceError(IvrError):
    """A service's "no"; `code` is what the flow sees (`ServiceFailed.code`)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Service(Protocol):
    """Something outside that a call may wait for."""

    async def run(self, request: Request) -> Transcribed:
        """Carry out a request and return its answer; raise ServiceError if it cannot be done."""


class Transcription:
    """The service `transcribe`: a recording's words, by the speech engine of the settings."""

    def __init__(self, engine: SpeechToText, recordings: MediaStore) -> None:
        self._engine = engine
        self._recordings = recordings

    async def run(self, request: Request) -> Transcribed:
        """Ask the speech engine."""
        arguments = request.arguments
        phrases = arguments.get("phrases")
        try:
            async with self._recordings.path(str(arguments["media"])) as file:
                heard = await self._engine.transcribe(
                    file,
                    language=str(arguments["language"]),
                    phrases=phrases if isinstance(phrases, tuple | list) else (),
                )
        except TranscriptionFailed as error:
            raise ServiceError(error.code) from error
        except FileNotFoundError as error:
            raise ServiceError("recording") from error
        return Transcribed(heard.text, heard.confidence, heard.engine, heard.seconds)


# --- the speech engine of the settings --------------------------------------------------------------------------------


def concurrency_of(settings: Settings) -> int:
    """Return how many transcriptions may run at the same time."""
    return settings.jobs or ENGINES[settings.stt].at_once


def missing_of(settings: Settings) -> Missing:
    """Return what the engine cannot do, for the check of flows; nothing is loaded for it."""
    return partial(_missing, capabilities(settings.stt, dictation=settings.stt_dictation))


def phrases_of(settings: Settings) -> Phrases | None:
    """Return what the engine makes of phrases, for the check of flows; None: it takes them as hints, or not at all."""
    engine = ENGINES[settings.stt]
    return Phrases(only=True, lost=engine.unpronounceable) if engine.unpronounceable else None


def _missing(can: EngineCapabilities, language: str, phrases: bool, audio: str | None) -> Sequence[str]:
    return missing_abilities(can, SpeechNeeds(language, phrases, audio))
