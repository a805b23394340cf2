"""Every speech engine by its name in `IVR_STT`: what it can do, how it is made, how many recordings it takes at a time.

`ENGINES` is the one place that knows them all. An engine's module is imported when the engine is made, since each
brings a library that no other needs. Engines import nothing from here, so that none of them depends on another.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from ivr.audio.formats import FORMATS
from ivr.audio.workers import Workers
from ivr.ports import EngineCapabilities, SpeechToText, Transcript
from ivr.speech.accounts import AzureAccount, OpenAiServer
from ivr.speech.engines.sphinx.pronunciation import unpronounceable
from ivr.speech.engines.whisper.model_folder import PACKAGED, WhisperModelFolder, model_folder
from ivr.speech.languages import without_region

Engine: TypeAlias = Literal["none", "scripted", "pocketsphinx", "whisper", "azure", "azure-fast", "openai"]
"What `IVR_STT` can be."

NOTHING = EngineCapabilities(languages=frozenset(), phrases="none", dictation=False, formats=frozenset())


class EngineOptions(Struct, frozen=True):
    """What an engine may be made with."""

    workers: Workers
    "They decode recordings."
    script: Path | None = None
    "Of the scripted engine."
    dictation: bool = False
    "Of pocketsphinx."
    whisper: Callable[[], WhisperModelFolder] = partial(model_folder, PACKAGED)
    "Finds and checks the model; it raises ValueError if there is none, or it is not what was published."
    azure: Callable[[], AzureAccount] = AzureAccount
    "Asked for the account only if it is needed: it raises ValueError if the settings for it are missing."
    openai: Callable[[], OpenAiServer] = OpenAiServer


class RegisteredEngine(Struct, frozen=True):
    """One speech engine."""

    make: Callable[[EngineOptions], SpeechToText]
    "Raises ValueError, with what to do, if something that the engine needs is missing."
    can: EngineCapabilities
    at_once: int
    "How many recordings it should be given at the same time."
    optional_dictation: bool = False
    "Whether the setting `IVR_STT_DICTATION` adds dictation to what it can do."
    unpronounceable: Callable[[str], str] | None = None
    "The characters of a phrase that it cannot listen for; None: it does not need to know how phrases sound."


class NoSpeech:
    """The `SpeechToText` that understands nothing: recordings are kept, and no call waits for words."""

    name = "none"

    async def transcribe(self, audio: Path, *, language: str, phrases: Sequence[str]) -> Transcript:
        """Return no words, at once."""
        return Transcript(text=None)


def _scripted(options: EngineOptions) -> SpeechToText:
    from ivr.speech.engines.scripted import Scripted  # noqa: PLC0415

    if options.script is None:
        raise ValueError("IVR_STT=scripted needs IVR_STT_SCRIPT, the JSON file with the transcripts")
    return Scripted.read(options.script)


def _pocketsphinx(options: EngineOptions) -> SpeechToText:
    from ivr.speech.engines.sphinx.engine import Sphinx  # noqa: PLC0415

    return Sphinx(options.workers, dictation=options.dictation)


def _whisper(options: EngineOptions) -> SpeechToText:
    from ivr.speech.engines.whisper.whisper_engine import Whisper  # noqa: PLC0415

    return Whisper(options.whisper(), options.workers)


def _azure(options: EngineOptions) -> SpeechToText:
    from ivr.speech.engines.azure import Azure  # noqa: PLC0415

    return Azure(options.azure(), options.workers)


def _azure_fast(options: EngineOptions) -> SpeechToText:
    from ivr.speech.engines.azure_fast import AzureFast  # noqa: PLC0415

    return AzureFast(options.azure(), options.workers)


def _openai(options: EngineOptions) -> SpeechToText:
    from ivr.speech.engines.openai import OpenAi  # noqa: PLC0415

    return OpenAi(options.openai(), options.workers)


_HOSTED = EngineCapabilities(languages=None, phrases="hints", dictation=True, formats=FORMATS)
"Which languages a service has is not known here; it answers `error.transcribe` to one that it has not."
_SCRIPTED = EngineCapabilities(languages=None, phrases="none", dictation=True, formats=FORMATS)
_WHISPER = EngineCapabilities(frozenset({"en"}), phrases="only", dictation=True, formats=FORMATS)
"A model may know other languages, and is asked for them; they are promised when they were measured."
_SPHINX = EngineCapabilities(frozenset({"en"}), phrases="only", dictation=False, formats=FORMATS)

ENGINES: Mapping[Engine, RegisteredEngine] = {
    # At once: pocketsphinx and Whisper share this machine's processors with the calls, and Whisper keeps one busy for
    # each recording. The hosted engines mostly wait, and a service's own limits begin not far above 16. The others take
    # no time.
    "none": RegisteredEngine(lambda _: NoSpeech(), NOTHING, at_once=64),
    "scripted": RegisteredEngine(_scripted, _SCRIPTED, at_once=64),
    "pocketsphinx": RegisteredEngine(
        _pocketsphinx, _SPHINX, at_once=4, optional_dictation=True, unpronounceable=unpronounceable
    ),
    "whisper": RegisteredEngine(_whisper, _WHISPER, at_once=2),
    "azure": RegisteredEngine(_azure, _HOSTED, at_once=16),
    "azure-fast": RegisteredEngine(_azure_fast, _HOSTED, at_once=16),
    "openai": RegisteredEngine(_openai, _HOSTED, at_once=16),
}


def capabilities(engine: Engine, *, dictation: bool = False) -> EngineCapabilities:
    """Return what the engine of that name can do; `dictation` is the setting. No engine is loaded for it."""
    registered = ENGINES[engine]
    if dictation and registered.optional_dictation:
        return replace(registered.can, dictation=True)
    return registered.can


class SpeechNeeds(Struct, frozen=True):
    """What one `record` state needs from an engine."""

    language: str
    phrases: bool
    format: str | None = None
    "As in `record`; None: whatever the channel sends."


def missing_abilities(can: EngineCapabilities, needs: SpeechNeeds) -> list[str]:
    """Return what a state needs and the engine cannot do, each as the rest of a sentence: "the speech engine …"."""
    if can == NOTHING:
        return ["gives no transcripts: the recording is kept without its words"]
    missing = []
    if not _speaks(can.languages, needs.language):
        missing.append(f"does not understand {needs.language}, but {' and '.join(sorted(can.languages or ()))} only")
    if not needs.phrases and not can.dictation:
        missing.append("gives no transcript without phrases (IVR_STT_DICTATION=on would, with many words wrong)")
    if needs.phrases and can.phrases == "none":
        missing.append("ignores phrases")
    if needs.format is not None and needs.format not in can.formats:
        missing.append(f"cannot read {needs.format}")
    return missing


def _speaks(languages: Iterable[str] | None, tag: str) -> bool:
    return languages is None or any(one in {tag, without_region(tag)} for one in languages)
