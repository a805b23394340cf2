"""The speech engine that the settings ask for, and what flows ask of it that it has not."""

from collections.abc import Sequence
from functools import partial

from ivr.audio.workers import Workers
from ivr.flowfile.checks.speech import Missing, Phrases
from ivr.ports import EngineCapabilities, SpeechToText
from ivr.settings import Settings, SettingsError, revealed
from ivr.speech.abilities import SpeechNeeds, at_once, capabilities, wants_more_than
from ivr.speech.accounts import AzureAccount, OpenAiServer
from ivr.speech.engines.sphinx.words import lost
from ivr.speech.registry import speech_engine


def engine_of(settings: Settings, workers: Workers) -> SpeechToText:
    """Make the engine; raise SettingsError, with what to do, if it lacks something.

    `workers` decode recordings, and stay the caller's: they are to be closed after the last transcription.
    """
    try:
        return speech_engine(
            settings.stt,
            workers=workers,
            script=settings.stt_script,
            dictation=settings.stt_dictation,
            azure=lambda: AzureAccount(
                revealed(settings.azure_key), settings.azure_region or "", settings.azure_endpoint or ""
            ),
            openai=lambda: OpenAiServer(settings.openai_url, revealed(settings.openai_key), settings.openai_model),
        )
    except ValueError as error:
        raise SettingsError(str(error)) from error


def concurrency_of(settings: Settings) -> int:
    """Return how many transcriptions may run at the same time."""
    return settings.jobs or at_once(settings.stt)


def missing_of(settings: Settings) -> Missing:
    """Return what the engine has not, for the check of flows; nothing is loaded for it."""
    return partial(_missing, capabilities(settings.stt, dictation=settings.stt_dictation))


def phrases_of(settings: Settings) -> Phrases | None:
    """Return what the engine makes of phrases, for the check of flows; None: it takes them as hints, or not at all."""
    can = capabilities(settings.stt, dictation=settings.stt_dictation)
    return Phrases(only=True, lost=lost) if can.phrases == "only" else None


def _missing(can: EngineCapabilities, language: str, phrases: bool, audio: str | None) -> Sequence[str]:
    return wants_more_than(can, SpeechNeeds(language, phrases, audio))
