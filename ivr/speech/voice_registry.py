"""Every voice by its name in `IVR_VOICE`, how it is made, and what stands in front of it.

The one place that knows them all; a service's module is imported when its voice is made.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

from ivr.audio.workers import Workers
from ivr.ports import Voice
from ivr.speech.accounts import AzureAccount, VoiceServer
from ivr.speech.voice_cache import CachedVoice
from ivr.speech.voice_folder import VoiceFolder
from ivr.speech.voice_names import VoiceNames
from ivr.speech.voice_outage import FallbackVoice, RestingVoice
from ivr.speech.voices.espeak import installed_voice, spoken_languages

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
    fallback: bool = True
    "Whether espeak-ng speaks what a service cannot, where it is installed."


class RegisteredService(Struct, frozen=True):
    """A service that speaks."""

    make: Callable[[VoiceOptions], tuple[Voice, str]]
    """Returns the voice, and what its sound depends on besides the text; raises ValueError, with what to do, if
    something that it needs is missing."""
    at_once: int
    "How many texts it is given at the same time."


def _openai(options: VoiceOptions) -> tuple[Voice, str]:
    from ivr.speech.voices.openai_voice import OpenAiVoice  # noqa: PLC0415

    server = options.server()
    return OpenAiVoice(server, options.names, options.workers), f"openai {server!r} {options.names!r}"


def _azure(options: VoiceOptions) -> tuple[Voice, str]:
    from ivr.speech.voices.azure_voice import AzureVoice  # noqa: PLC0415

    return AzureVoice(options.azure(), options.names), f"azure {options.names!r}"


def _hibari(options: VoiceOptions) -> tuple[Voice, str]:
    from ivr.speech.voices.hibari.hibari_voice import HibariVoice  # noqa: PLC0415
    from ivr.speech.voices.hibari.voice_package import VERSION  # noqa: PLC0415

    return HibariVoice(options.workers), f"hibari {VERSION}"


SERVICES: Mapping[VoiceName, RegisteredService] = {
    # As many as there are workers.
    "hibari": RegisteredService(_hibari, at_once=2),
    # A service's own limits begin not far above 16.
    "openai": RegisteredService(_openai, at_once=16),
    "azure": RegisteredService(_azure, at_once=16),
}


def languages_of(name: VoiceName) -> frozenset[str] | None:
    """Return what a voice speaks, as `Capabilities.languages` has it; None: only the service knows."""
    if name == "hibari":
        return spoken_languages() | {"en"}
    return spoken_languages() if name == "espeak" else None


def voice_of(name: VoiceName, options: VoiceOptions) -> Voice | None:
    """Return a voice with all that stands in front of it, good for any number of calls; None: it is not installed.

    Raises ValueError, with what to do, if something that a service needs is missing, and OSError if the folder cannot
    be used.
    """
    installed = installed_voice()
    if name == "espeak":  # as fast as the folder
        return RestingVoice(installed, time.monotonic) if installed else None
    service = SERVICES[name]
    voice, identity = service.make(options)
    folder = VoiceFolder(options.cache, most=options.cache_size) if options.cache else None
    kept = CachedVoice(RestingVoice(voice, time.monotonic), identity, at_once=service.at_once, folder=folder)
    return FallbackVoice(kept, installed) if installed and options.fallback else kept
