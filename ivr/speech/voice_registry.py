"""Every voice by its name in `IVR_VOICE`, how it is made, and what stands in front of it.

The one place that knows them all; a service's module is imported when its voice is made.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

from ivr.audio.workers import Workers
from ivr.ports import Voice
from ivr.speech.accounts import AzureAccount, VoiceServer
from ivr.speech.voice_cache import CachedVoice, KeepableVoice, SpeechMemory
from ivr.speech.voice_folder import VoiceFolder
from ivr.speech.voice_names import VoiceNames
from ivr.speech.voice_outage import FallbackVoice, RestingVoice
from ivr.speech.voices import espeak

VoiceName: TypeAlias = Literal["espeak", "hibari", "openai", "azure"]
"What `IVR_VOICE` can be."

CACHE_SIZE = 256 << 20
"Bytes of the folder of spoken texts, where nothing else is set: two hours of speech."


class VoiceOptions(Struct, frozen=True):
    """What a voice may be made with."""

    workers: Workers
    "They decode what a service sends."
    names: VoiceNames = VoiceNames()
    server: Callable[[], VoiceServer] = VoiceServer
    "Asked for the account only if it is needed: it raises ValueError if the settings for it are missing."
    azure: Callable[[], AzureAccount] = AzureAccount
    cache: Path | None = None
    "The folder where spoken texts are kept."
    cache_size: int = CACHE_SIZE
    "Bytes."
    fallback: tuple[VoiceName, ...] = ("espeak",)
    "Which voices speak what the first one cannot, in this order."
    rests: bool = True
    "Whether a service that has failed is not asked for a while, and the log says so; else every text is tried."


class RegisteredVoice(Struct, frozen=True):
    """One voice."""

    make: Callable[[VoiceOptions], KeepableVoice | None]
    """Raises ValueError, with what to do, if something that it needs is missing. None: it is not installed, and nobody
    needs to be told: espeak-ng speaks where it is there."""
    at_once: int
    "How many texts it is given at the same time."
    languages: Callable[[], frozenset[str] | None] = lambda: None
    "Returns what it speaks, as `Capabilities.languages` has it; None: only the service knows."


class NamedVoice(Struct, frozen=True):
    """A voice of a chain."""

    name: VoiceName
    voice: CachedVoice


def _espeak(_: VoiceOptions) -> KeepableVoice | None:
    return espeak.EspeakVoice() if espeak.is_installed() else None


def _openai(options: VoiceOptions) -> KeepableVoice:
    from ivr.speech.voices.openai_voice import OpenAiVoice  # noqa: PLC0415

    return OpenAiVoice(options.server(), options.names, options.workers)


def _azure(options: VoiceOptions) -> KeepableVoice:
    from ivr.speech.voices.azure_voice import AzureVoice  # noqa: PLC0415

    return AzureVoice(options.azure(), options.names)


def _hibari(options: VoiceOptions) -> KeepableVoice:
    from ivr.speech.voices.hibari.hibari_voice import HibariVoice  # noqa: PLC0415

    return HibariVoice(options.workers)


VOICES: Mapping[VoiceName, RegisteredVoice] = {
    "espeak": RegisteredVoice(_espeak, espeak.AT_ONCE, espeak.spoken_languages),
    # A text takes a tenth of a second. To wait for it is quicker than to have a second worker load the voice.
    "hibari": RegisteredVoice(_hibari, at_once=1, languages=lambda: frozenset({"en"})),
    # A service's own limits begin not far above 16.
    "openai": RegisteredVoice(_openai, at_once=16),
    "azure": RegisteredVoice(_azure, at_once=16),
}


def languages_of(names: Sequence[VoiceName]) -> frozenset[str] | None:
    """Return what some of these voices speak, as `Capabilities.languages` has it; None: only a service knows."""
    found: frozenset[str] = frozenset()
    for name in names:
        languages = VOICES[name].languages()
        if languages is None:
            return None
        found |= languages
    return found


def voice_chain(name: VoiceName, options: VoiceOptions) -> tuple[NamedVoice, ...]:
    """Return a voice and those that speak what it cannot, in order, each with its cache in front of it.

    Raises ValueError, with what to do, if something that one of them needs is missing, and OSError if the folder cannot
    be used.
    """
    made = {each: VOICES[each].make(options) for each in dict.fromkeys((name, *options.fallback))}
    memory = SpeechMemory()
    folder = VoiceFolder(options.cache, most=options.cache_size) if options.cache else None
    return tuple(
        NamedVoice(
            each,
            CachedVoice(
                RestingVoice(voice, each, time.monotonic) if options.rests else voice,
                voice.identity,
                at_once=VOICES[each].at_once,
                memory=memory,
                folder=folder,
            ),
        )
        for each, voice in made.items()
        if voice is not None
    )


def voice_of(name: VoiceName, options: VoiceOptions) -> Voice | None:
    """Return a voice with all that stands behind it, good for any number of calls; None: none is installed.

    Raises ValueError and OSError as `voice_chain` does.
    """
    voices = [named.voice for named in voice_chain(name, options)]
    return FallbackVoice(voices) if len(voices) > 1 else next(iter(voices), None)
