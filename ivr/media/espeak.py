"""A voice: espeak-ng, in this process. The door of espeakng-loader, an extra (GPL-3, therefore optional).

The library has one state per process, so it speaks one sentence at a time. It gives up Python's lock while it works.
"""

import asyncio
import ctypes
import threading
from collections.abc import AsyncIterator
from functools import lru_cache
from importlib import import_module

from ivr.engine.commands import Gender, Text
from ivr.errors import SynthesisFailed
from ivr.media.wording import spoken

_SYNCHRONOUS = 2
_UTF8, _SSML = 0x1, 0x10
_VOICES = {"male": b"en-us", "female": b"en-us+f3"}
_ON_SAMPLES = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class EspeakVoice:
    """A `Voice` (`ivr.ports`), sentence by sentence."""

    async def speak(self, text: Text) -> AsyncIterator[bytes]:
        """Return the samples of a text; raise SynthesisFailed."""
        for sentence in spoken(text):
            try:
                samples = await asyncio.to_thread(_samples, sentence, text.voice)
            except OSError as error:
                raise SynthesisFailed(str(error)) from error
            yield samples


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

    def speak(self, ssml: str, gender: Gender) -> bytes:
        """Return 16 bit mono samples. Blocks for a few milliseconds per sentence."""
        text = ssml.encode()
        with self._lock:
            self._parts.clear()
            self._library.espeak_SetVoiceByName(_VOICES[gender])
            self._library.espeak_Synth(text, len(text) + 1, 0, 0, 0, _UTF8 | _SSML, None, None)
            self._library.espeak_Synchronize()
            return b"".join(self._parts)

    def _take(self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: int | None) -> int:
        if count > 0:
            self._parts.append(ctypes.string_at(samples, 2 * count))
        return 0


_loading = threading.Lock()


def _library() -> _Library:
    """Return the one instance; raise OSError if it does not work."""
    with _loading:  # the cache alone lets two threads begin: two first prompts at once would crash the process
        return _loaded()


@lru_cache(maxsize=1)
def _loaded() -> _Library:
    return _Library()


@lru_cache(maxsize=64)  # the same prompts are heard again and again
def _samples(ssml: str, gender: Gender) -> bytes:
    from ivr.audio.encode import resampled  # noqa: PLC0415  # an extra, and a slow import

    engine = _library()
    return resampled(engine.speak(ssml, gender), engine.rate)


def forget() -> None:
    """Drop the spoken texts that are remembered; for measuring."""
    _samples.cache_clear()
