"""Puts the sound of a line together from what is installed, and says what is missing for more."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec

from ivr.audio.workers import Workers
from ivr.media.phrase_ear import PhraseEar
from ivr.media.prompt_renderer import Fetch, Speaker
from ivr.media.recorder import Recorder
from ivr.media.sound import Sound
from ivr.ports import Ear, Voice
from ivr.speech.engines.sphinx.engine import Sphinx
from ivr.speech.voices.espeak import installed_voice

_MISSING = {
    "espeakng_loader": ("Prompts are shown, not spoken.", "pip install 'ivr[phone]'"),
    "av": ("Prompts and audio files are silent, words have to be typed, and only WAV is recorded.", "pip install av"),
    "pocketsphinx": ("Words have to be typed.", "pip install pocketsphinx"),
}
"By module: what is missed without it, and how to get it. The voice alone is an extra; the others come with `ivr`."


def installed_ear(workers: Workers) -> Ear | None:
    """Return the ear that is installed, good for any number of calls; None: there is none."""
    return PhraseEar(Sphinx(workers)) if ear_is_installed() else None


def ear_is_installed() -> bool:
    """Return whether there is an ear without a service; it understands English."""
    return _installed("av") and _installed("pocketsphinx")


def sound_of_parts(
    voice: Voice | None, ear: Ear | None, workers: Workers, fetch: Fetch, *, prepares_at_once: int = 1
) -> Sound:
    """Return the sound of a line with this voice and this ear, good for any number of calls.

    So many texts are prepared at the same time, for all calls together.
    """
    speaker = Speaker(voice, fetch, workers, plays=_installed("av"), prepares_at_once=prepares_at_once)
    return Sound(speaker, Recorder.installed(), ear)


def installed_sound(workers: Workers, fetch: Fetch) -> Sound:
    """Return the best sound there is without a service, good for any number of calls."""
    return sound_of_parts(installed_voice(), installed_ear(workers), workers, fetch)


def _installed(module: str) -> bool:
    return find_spec(module) is not None


def missing(
    installed: Callable[[str], bool] = _installed, *, voice: Voice | None = None, ear: Ear | None = None
) -> Sequence[str]:
    """Return what this machine's phones cannot do, and what to do about it, in sentences.

    A `voice` or an `ear` that is there, whatever it is, is not missed.
    """
    there = {name for name, part in (("espeakng_loader", voice), ("pocketsphinx", ear)) if part is not None}
    return [
        f"{misses} To change that: {cure}"
        for name, (misses, cure) in _MISSING.items()
        if name not in there and not installed(name)
    ]
