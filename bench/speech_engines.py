"""How well each speech engine understands: choices by phrases, words written down, sounds in which nobody speaks.

An engine is measured if it runs here: what it needs is installed, and its key is set. Phrases are graded by what a flow
would see: the phrase that was meant, another one, or nothing.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from msgspec import Struct
from rich.progress import Progress

from bench.processes import largest_worker, processor_time
from bench.speech_sets import PhraseSet
from bench.speech_words import word_errors, words_of
from bench.voices import Said
from ivr.audio.workers import Workers
from ivr.errors import TranscriptionFailed
from ivr.ports import SpeechToText
from ivr.settings import load_settings
from ivr.speech.said_phrase import said_phrase
from ivr.speech_settings import engine_of

AT_ONCE = 2
LANGUAGE = "en-US"


class Cost(Struct, frozen=True):
    """Of one recording."""

    latency: float
    "Median seconds, two recordings at a time."
    processor: float
    "Mean seconds of processor time, of all processes."


class Choices(Struct, frozen=True):
    """How one engine did on one set of phrases in one band."""

    engine: str
    set: str
    band: str
    number: int
    "Recordings in which one of the phrases was meant."
    right: float
    "Share in which it was understood."
    nothing: float
    "Share in which nothing was understood. The rest was taken for another phrase."
    strangers: int
    "Recordings in which none of the phrases was meant."
    fooled: float
    "Share of these that was taken for a phrase."
    cost: Cost


class Dictation(Struct, frozen=True):
    """How one engine did on one set of sentences in one band."""

    engine: str
    set: str
    band: str
    number: int
    "Recordings."
    words: int
    "Words in them."
    wrong: float
    "Words to insert, delete or replace, as a share of those: the word error rate."
    exact: float
    "Share of recordings without a wrong word."
    cost: Cost


class MadeUp(Struct, frozen=True):
    """What one engine understood where nobody spoke."""

    engine: str
    band: str
    sounds: int
    written: tuple[str, ...]
    "What it wrote down without phrases, with the name of the sound."
    chosen: tuple[str, ...]
    "What it took for one of the phrases of a menu."


class Start(Struct, frozen=True):
    """What the first recording takes, with the start of a worker process and what is loaded there."""

    engine: str
    seconds: float
    processor: float
    "Seconds."
    memory: int
    "Bytes of the largest worker process, at the end of all sets."


class PhraseTask(Struct, frozen=True):
    """Recordings for a set of phrases; each text is a phrase that is meant, not the words of it."""

    offered: PhraseSet
    band: str
    said: tuple[Said, ...]
    strange: tuple[Said, ...]

    @property
    def name(self) -> str:
        """The set's."""
        return self.offered.name


class WordTask(Struct, frozen=True):
    """Recordings to be written down."""

    name: str
    band: str
    said: tuple[Said, ...]


class QuietTask(Struct, frozen=True):
    """Recordings in which nobody speaks; each text is the name of a sound."""

    band: str
    sounds: tuple[Said, ...]
    offered: PhraseSet
    name: ClassVar[str] = "nobody"


Task = PhraseTask | WordTask | QuietTask
Row = Choices | Dictation | MadeUp


class Heard(Struct, frozen=True):
    """What an engine made of some recordings."""

    texts: tuple[str | None, ...]
    cost: Cost


async def measured(name: str, tasks: Sequence[Task], first: Path, progress: Progress) -> tuple[Start, list[Row]]:
    """Let an engine listen to everything, to `first` before; raise SettingsError if it does not run here."""
    workers = Workers(size=AT_ONCE)
    try:
        engine = engine_of(load_settings(flags={"stt": name, "stt_dictation": True}).settings, workers)
        began, used = time.perf_counter(), processor_time()
        await _text(engine, first, ("yes", "no"))
        seconds, used = time.perf_counter() - began, processor_time() - used
        rows = [await _row(engine, task) for task in progress.track(tasks, description=f"{name} listens")]
        return Start(name, seconds, used, largest_worker()), rows
    finally:
        await workers.close()


async def _row(engine: SpeechToText, task: Task) -> Row:
    match task:
        case PhraseTask():
            return await _choices(engine, task)
        case WordTask():
            return await _dictation(engine, task)
        case QuietTask(sounds=sounds, offered=offered):
            written = await listen(engine, sounds, ())
            chosen = await listen(engine, sounds, offered.phrases)
            return MadeUp(engine.name, task.band, len(sounds), _named(sounds, written), _named(sounds, chosen))


async def _choices(engine: SpeechToText, task: PhraseTask) -> Choices:
    offered = task.offered
    heard = await listen(engine, task.said, offered.phrases)
    fooled = await listen(engine, task.strange, offered.phrases)
    found = [_match(text, offered.phrases) for text in heard.texts]
    right = sum(
        offered.meaning(phrase) == offered.meaning(said.text) for phrase, said in zip(found, task.said, strict=True)
    )
    return Choices(
        engine=engine.name,
        set=offered.name,
        band=task.band,
        number=len(found),
        right=right / len(found),
        nothing=sum(phrase is None for phrase in found) / len(found),
        strangers=len(fooled.texts),
        fooled=sum(_match(text, offered.phrases) is not None for text in fooled.texts) / max(1, len(fooled.texts)),
        cost=heard.cost,
    )


async def _dictation(engine: SpeechToText, task: WordTask) -> Dictation:
    heard = await listen(engine, task.said, ())
    pairs = [(words_of(said.text), words_of(text)) for said, text in zip(task.said, heard.texts, strict=True)]
    wrong, words = [word_errors(*pair) for pair in pairs], sum(len(said) for said, _ in pairs)
    exact = wrong.count(0) / len(wrong)
    return Dictation(engine.name, task.name, task.band, len(pairs), words, sum(wrong) / words, exact, heard.cost)


async def listen(engine: SpeechToText, recordings: Sequence[Said], phrases: Sequence[str]) -> Heard:
    """Let an engine listen to recordings, two at a time."""
    places = asyncio.Semaphore(AT_ONCE)
    latencies: list[float] = []

    async def one(said: Said) -> str | None:
        async with places:
            began = time.perf_counter()
            text = await _text(engine, said.file, phrases)
            latencies.append(time.perf_counter() - began)
            return text

    used = processor_time()
    texts = await asyncio.gather(*(one(said) for said in recordings))
    used = processor_time() - used
    return Heard(tuple(texts), Cost(statistics.median(latencies or [0.0]), used / max(1, len(texts))))


async def _text(engine: SpeechToText, file: Path, phrases: Sequence[str]) -> str | None:
    try:
        return (await engine.transcribe(file, language=LANGUAGE, phrases=phrases)).text
    except TranscriptionFailed as error:
        print(f"{engine.name}: {error.code}: {error}", file=sys.stderr)
        return None


def _match(text: str | None, phrases: Sequence[str]) -> str | None:
    """Return the phrase that a text is, as typed words are compared on a line; None: none of them."""
    return said_phrase(text, phrases) if text else None


def _named(sounds: Sequence[Said], heard: Heard) -> tuple[str, ...]:
    return tuple(f"{said.text}: {text}" for said, text in zip(sounds, heard.texts, strict=True) if text)
