"""From the setting `IVR_STT` to a speech engine."""

from pathlib import Path

from ivr.ports import SpeechToText
from ivr.speech.none import NoSpeech
from ivr.speech.scripted import Scripted


def speech_engine(name: str, *, script: Path | None = None) -> SpeechToText:
    """Make the engine of that name; raise ValueError, with what to do, if it lacks something."""
    match name:
        case "none":
            return NoSpeech()
        case "scripted" if script is not None:
            return Scripted.read(script)
        case "scripted":
            raise ValueError("IVR_STT=scripted needs IVR_STT_SCRIPT, the JSON file with what is to be heard")
    raise ValueError(f"there is no speech engine called {name}")
