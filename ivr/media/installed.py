"""Puts the sound of a line together from what is installed, and says what is missing for more."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec

from ivr.audio.workers import Workers
from ivr.media.espeak import EspeakVoice
from ivr.media.phrase_ear import PhraseEar
from ivr.media.prompt_renderer import Fetch, Speaker
from ivr.media.recorder import Recorder
from ivr.media.sound import Sound
from ivr.speech.engines.sphinx.engine import Sphinx

_MISSING = {
    "espeakng_loader": ("Prompts are shown, not spoken.", "pip install 'ivr[phone]'"),
    "av": ("Prompts and audio files are silent, words have to be typed, and only WAV is recorded.", "pip install av"),
    "pocketsphinx": ("Words have to be typed.", "pip install pocketsphinx"),
}
"By module: what is missed without it, and how to get it. The voice alone is an extra; the others come with `ivr`."


def installed_sound(workers: Workers, fetch: Fetch) -> Sound:
    """Return the best sound there is, good for any number of calls."""
    codecs = _installed("av")
    voice = EspeakVoice() if codecs and _installed("espeakng_loader") else None
    renderer = Speaker(voice, fetch, workers, plays=codecs)
    ear = PhraseEar(Sphinx(workers)) if codecs and _installed("pocketsphinx") else None
    return Sound(renderer, Recorder.installed(), ear)


def _installed(module: str) -> bool:
    return find_spec(module) is not None


def missing(installed: Callable[[str], bool] = _installed) -> Sequence[str]:
    """Return what this machine's phones cannot do, and what to do about it, in sentences."""
    return [f"{misses} To change that: {cure}" for name, (misses, cure) in _MISSING.items() if not installed(name)]
