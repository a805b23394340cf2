"""How soon and how well each voice speaks: `ivr.speech.voices`, without the cache and without another voice behind it.

How well is what an engine understands of it: words wrong, wideband and on a phone line. That tells a voice that can be
understood from one that cannot; whether people like it, it does not tell.
"""

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct
from rich.progress import Progress

from bench.processes import largest_worker, processor_time
from bench.speech_engines import listen
from bench.speech_words import word_errors, words_of
from bench.voices import Said, in_band
from ivr.audio.formats import RATE
from ivr.audio.workers import Workers
from ivr.engine.commands import Text
from ivr.media.recorder import wav
from ivr.ports import SpeechToText, Voice
from ivr.settings import SettingsError, load_settings
from ivr.speech_settings import live_voice

BYTES_A_SECOND = 2 * RATE


class Spoken(Struct, frozen=True):
    """How one voice did on the prompts."""

    voice: str
    number: int
    "Prompts."
    start: float
    "Seconds to the first sound of the first prompt: what is loaded by then is loaded."
    first: float
    "Median seconds to the first sound of the others."
    slowest: float
    "Seconds."
    processor: float
    "Seconds of processor time for a second of sound."
    memory: int
    "Bytes of the largest worker process; 0: it speaks without one."
    wrong: tuple[tuple[str, float], ...]
    "Share of words that the listening engine gets wrong, by band; empty: there is no such engine."


async def measured(
    name: str, prompts: Sequence[str], folder: Path, listener: SpeechToText | None, progress: Progress
) -> Spoken:
    """Let a voice speak all prompts; raise SettingsError if it does not run here, or SynthesisFailed."""
    workers = Workers(size=1)
    try:
        settings = load_settings(flags={"voice": name, "voice_fallback": "none"}).settings
        voice = live_voice(settings, workers)
        if voice is None:
            raise SettingsError("It is not installed (pip install 'ivr[phone]')")
        waits, spoken, used = [], [], processor_time()
        for number, prompt in progress.track(list(enumerate(prompts)), description=f"{name} speaks"):
            samples, wait = await _speak(voice, prompt)
            (file := folder / f"{name}-{number}.wav").write_bytes(wav(samples).data)
            waits.append(wait)
            spoken.append((Said(prompt, file), len(samples) / BYTES_A_SECOND))
        used, memory = processor_time() - used, largest_worker()
    finally:
        await workers.close()
    seconds = sum(length for _, length in spoken)
    said = [one for one, _ in spoken]
    wrong = (
        () if listener is None else tuple([await _wrong(listener, said, folder, band) for band in ("wide", "phone")])
    )
    later = waits[1:] or waits
    return Spoken(
        name, len(said), waits[0], statistics.median(later), max(later), used / max(seconds, 0.1), memory, wrong
    )


async def _speak(voice: Voice, prompt: str) -> tuple[bytes, float]:
    """Return the samples of a prompt, and the seconds until the first of them."""
    began, wait, samples = time.perf_counter(), 0.0, bytearray()
    async for piece in voice.speak(Text(prompt, "female", "en-US")):
        if piece and not samples:
            wait = time.perf_counter() - began
        samples += piece
    return bytes(samples), wait


async def _wrong(listener: SpeechToText, said: Sequence[Said], folder: Path, band: str) -> tuple[str, float]:
    heard = await listen(listener, [Said(one.text, in_band(one.file, folder, band)) for one in said], ())
    pairs = [(words_of(one.text), words_of(text)) for one, text in zip(said, heard.texts, strict=True)]
    return band, sum(word_errors(*pair) for pair in pairs) / sum(len(words) for words, _ in pairs)
