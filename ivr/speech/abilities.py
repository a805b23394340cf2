"""What each engine can do, and where a flow wants more than that; nothing of an engine is loaded to know it."""

from collections.abc import Iterable
from typing import Literal, TypeAlias, assert_never

from msgspec import Struct

from ivr.audio.formats import FORMATS
from ivr.ports import EngineCapabilities
from ivr.speech.languages import without_region

Engine: TypeAlias = Literal["none", "scripted", "pocketsphinx", "azure", "azure-fast", "openai"]
"What `IVR_STT` can be."

HOSTED = EngineCapabilities(languages=None, phrases="hints", dictation=True, formats=FORMATS)
"Which languages a service has is for the service to say; it says `error.transcribe` if it must."
ANYTHING = EngineCapabilities(languages=None, phrases="none", dictation=True, formats=FORMATS)
"The scripted engine hears whatever its script says."
NOTHING = EngineCapabilities(languages=frozenset(), phrases="none", dictation=False, formats=frozenset())


class SpeechNeeds(Struct, frozen=True):
    """What one `record` state wants of an engine."""

    language: str
    phrases: bool
    format: str | None = None
    "As in `record`; None: whatever the channel sends."


def capabilities(engine: Engine, *, dictation: bool = False) -> EngineCapabilities:
    """Return what the engine of that name can do; `dictation` is the setting, and matters to pocketsphinx alone."""
    match engine:
        case "pocketsphinx":
            return EngineCapabilities(frozenset({"en"}), phrases="only", dictation=dictation, formats=FORMATS)
        case "azure" | "azure-fast" | "openai":
            return HOSTED
        case "scripted":
            return ANYTHING
        case "none":
            return NOTHING
        case _:
            assert_never(engine)


def at_once(engine: Engine) -> int:
    """Return how many recordings the engine of that name should have in hand at the same time."""
    match engine:
        case "pocketsphinx":
            return 4  # they share this machine's processors with the calls
        case "azure" | "azure-fast" | "openai":
            return 16  # they mostly wait; a service's own limits begin not far above
        case "scripted" | "none":
            return 64  # they take no time
        case _:
            assert_never(engine)


def wants_more_than(can: EngineCapabilities, wanted: SpeechNeeds) -> list[str]:
    """Return what a state wants and the engine has not, each as the rest of a sentence: "the speech engine …"."""
    if can == NOTHING:
        return ["gives no transcripts: the recording is kept without its words"]
    missing = []
    if not _speaks(can.languages, wanted.language):
        missing.append(f"does not understand {wanted.language}, but {' and '.join(sorted(can.languages or ()))} only")
    if not wanted.phrases and not can.dictation:
        missing.append("gives no transcript without phrases (IVR_STT_DICTATION=on would, with many words wrong)")
    if wanted.phrases and can.phrases == "none":
        missing.append("passes phrases over")
    if wanted.format is not None and wanted.format not in can.formats:
        missing.append(f"cannot read {wanted.format}")
    return missing


def _speaks(languages: Iterable[str] | None, tag: str) -> bool:
    return languages is None or any(one in {tag, without_region(tag)} for one in languages)
