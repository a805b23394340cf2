"""What the speech engine of the settings can do, for the worker and for the check of flows."""

from collections.abc import Sequence
from functools import partial

from ivr.flowfile.checks import Missing, Phrases
from ivr.ports import EngineCapabilities
from ivr.settings import Settings
from ivr.speech.registry import ENGINES, SpeechNeeds, capabilities, missing_abilities


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
