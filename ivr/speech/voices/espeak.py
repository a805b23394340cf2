"""A voice: espeak-ng, in this process. The door of espeakng-loader, an extra (GPL-3, therefore optional).

The library has one state per process, so it speaks one sentence at a time. It gives up Python's lock while it works.
"""

import asyncio
import ctypes
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec

from ivr.engine.commands import Gender, Text
from ivr.errors import SynthesisFailed
from ivr.ports import SampleRate
from ivr.speech.languages import with_region
from ivr.speech.packages import package_version
from ivr.speech.voice_cache import CachedVoice, VoiceIdentity
from ivr.speech.wording import in_words, spoken

_SYNCHRONOUS = 2
_UTF8, _SSML = 0x1, 0x10
_VARIANTS: Mapping[Gender, str] = {"male": "", "female": "+f3"}
_ON_SAMPLES = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


AT_ONCE = 4
"Texts that it is given at the same time: it has one state for the process, and shares the processors with the calls."


def installed_voice() -> CachedVoice | None:
    """Return this voice, good for any number of calls; None: it is not installed."""
    if not is_installed():
        return None
    voice = EspeakVoice()
    return CachedVoice(voice, voice.identity, at_once=AT_ONCE)


def spoken_languages() -> frozenset[str]:
    """Return the languages that it speaks: tags in lower case, and their first parts where it knows a region for them.

    Empty: it is not installed, or does not work.
    """
    if not is_installed():
        return frozenset()
    try:
        tags = _library().tags
    except OSError:
        return frozenset()
    return tags | {language for tag in tags if with_region(language := tag.partition("-")[0]).lower() in tags}


def is_installed() -> bool:
    """Return whether its library is there, and what resamples its sound."""
    return find_spec("espeakng_loader") is not None and find_spec("av") is not None


class EspeakVoice:
    """A `Voice` (`ivr.ports`), sentence by sentence, in the language of the text."""

    def __init__(self) -> None:
        # The package holds the library and its data. The library's own version is the same for many states of both.
        self._version = package_version("espeakng-loader")

    def identity(self, text: Text) -> VoiceIdentity:
        """Return what its sound depends on: voices go by language and gender."""
        return VoiceIdentity("espeak", self._version, text.voice, in_words(text))

    async def speak(self, text: Text, *, rate: SampleRate = 16_000) -> AsyncIterator[bytes]:
        """Return the samples of a text; raise SynthesisFailed."""
        for sentence in spoken(text):
            try:
                samples = await asyncio.to_thread(_samples, sentence, text.language, text.voice, rate)
            except OSError as error:
                raise SynthesisFailed(str(error)) from error
            yield samples


class _Description(ctypes.Structure):
    """What the library says of a voice (`espeak_VOICE` in its speak_lib.h)."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("unused", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("reserved", ctypes.c_void_p),
    )


class _Library:
    """The library, loaded once."""

    _lock = threading.Lock()

    def __init__(self) -> None:
        """Load it; raise OSError if it does not work."""
        loader = import_module("espeakng_loader")

        self._library = ctypes.CDLL(loader.get_library_path())
        self._parts: list[bytes] = []
        # Kept, or it would be gone when the library calls.
        self._callback = _ON_SAMPLES(self._take)
        data = str(loader.get_data_path()).encode()
        self.rate: int = self._library.espeak_Initialize(_SYNCHRONOUS, 0, data, 0)
        "Samples a second."
        if self.rate <= 0:
            raise OSError("espeak-ng cannot be initialized")
        self._library.espeak_SetSynthCallback(self._callback)
        self._voices = self._listed()

    @property
    def tags(self) -> frozenset[str]:
        """The language tags of its voices, in lower case."""
        return frozenset(self._voices)

    def voice(self, language: str) -> str:
        """Return the identifier of the voice for a language tag; raise SynthesisFailed if there is none."""
        tag = with_region(language).lower()
        while tag:
            if tag in self._voices:
                return self._voices[tag]
            tag = tag.rpartition("-")[0]
        raise SynthesisFailed(f'espeak-ng does not speak "{language}"')

    def speak(self, ssml: str, language: str, gender: Gender) -> bytes:
        """Return 16 bit mono samples; raise SynthesisFailed. Blocks for a few milliseconds per sentence."""
        text, voice = ssml.encode(), (self.voice(language) + _VARIANTS[gender]).encode()
        with self._lock:
            self._parts.clear()
            self._library.espeak_SetVoiceByName(voice)
            self._library.espeak_Synth(text, len(text) + 1, 0, 0, 0, _UTF8 | _SSML, None, None)
            self._library.espeak_Synchronize()
            return b"".join(self._parts)

    def _take(self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: int | None) -> int:
        if count > 0:
            self._parts.append(ctypes.string_at(samples, 2 * count))
        return 0

    def _listed(self) -> Mapping[str, str]:
        """Return the identifier of the best voice by language tag, in lower case."""
        self._library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Description))
        listed = self._library.espeak_ListVoices(None)
        found: dict[str, tuple[int, str]] = {}
        number = 0
        while listed[number]:
            description = listed[number].contents
            for priority, tag in _languages(description.languages):
                if tag not in found or priority < found[tag][0]:  # the lower, the better
                    found[tag] = priority, description.identifier.decode()
            number += 1
        return {tag: identifier for tag, (_, identifier) in found.items()}


def _languages(at: int) -> Iterator[tuple[int, str]]:
    """Read a voice's languages: for each a byte of priority and a text that ends with zero; then a zero."""
    while priority := ctypes.string_at(at, 1)[0]:
        tag = ctypes.string_at(at + 1)
        yield priority, tag.decode().lower()
        at += len(tag) + 2


_loading = threading.Lock()


def _library() -> _Library:
    """Return the one instance; raise OSError if it does not work."""
    with _loading:  # the cache alone lets two threads begin: two first prompts at once would crash the process
        return _loaded()


@lru_cache(maxsize=1)
def _loaded() -> _Library:
    return _Library()


def _samples(ssml: str, language: str, gender: Gender, rate: SampleRate) -> bytes:
    from ivr.audio.encode import resampled  # noqa: PLC0415  # a slow import

    engine = _library()
    return resampled(engine.speak(ssml, language, gender), engine.rate, rate)
