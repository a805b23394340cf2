"""What the speech engines and the voices can do here, in what time and memory.

`make bench-speech`, or `python -m bench.speech [--quick] [--json] [--stt NAME] [--set NAME]`. Engines listen to people
(the few clips that packages ship), to sentences, phrases and digits of synthetic voices, and to sounds in which nobody
speaks; each wideband, as from a phone line (300-3400 Hz, 8 kHz, mu-law), and with noise on that line. Then the voices
speak. An engine or voice is measured if it runs here. **No caller was heard.**
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

from msgspec import Struct, to_builtins
from rich.console import Console
from rich.progress import Progress

from bench import speech_engines, speech_voices
from bench.speech_clips import People, cache_folder, people
from bench.speech_engines import AT_ONCE, PhraseTask, QuietTask, Row, Start, Task, WordTask
from bench.speech_sets import HELD_OUT, NUMBERS, PROMPTS, SETS, TEXTS, PhraseSet
from bench.speech_sounds import sounds
from bench.speech_tables import show
from bench.speech_voices import Spoken
from bench.voices import BANDS, Said, in_band, lacking, record, voices
from ivr.audio.workers import Workers
from ivr.errors import SynthesisFailed
from ivr.settings import SettingsError, load_settings
from ivr.speech.registry import Engine
from ivr.speech.voice_registry import VoiceName
from ivr.speech_settings import engine_of

ENGINES = tuple(name for name in get_args(Engine) if name not in {"none", "scripted"})
PEOPLE, MESSAGES, DIGIT_STRINGS, VOICES = "people", "messages", "digit strings", "voices"
ALL = (PEOPLE, MESSAGES, DIGIT_STRINGS, *(offered.name for offered in (*SETS, *HELD_OUT)), QuietTask.name, VOICES)
LISTENER = "whisper"
"Says what of a voice can be understood."
HELD_OUT_SPEAKERS = ("flite/awb", "flite/kal16", "espeak-ng/en-gb")
"Voices with which no threshold was set; they speak the sets of that name in turn."


class Extent(Struct, frozen=True):
    """How much is measured."""

    speakers: int = 4
    "Synthetic voices."
    bands: tuple[str, ...] = tuple(BANDS)
    every: int = 1
    "Of the phrases and sentences, every so many are said."


QUICK = Extent(speakers=2, bands=("wide", "phone"), every=3)


class Result(Struct, frozen=True):
    """What was found."""

    starts: tuple[Start, ...]
    rows: tuple[Row, ...]
    spoken: tuple[Spoken, ...]
    skipped: dict[str, str]
    "Engines, voices and packages with clips that are not here, and why."


async def measure(folder: Path, extent: Extent, engines: Sequence[str], sets: Sequence[str]) -> Result:
    """Make the speech of the sets, let every engine listen that runs here, and every voice speak, if that is wanted."""
    starts: list[Start] = []
    rows: list[Row] = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        clips = _fetched(progress) if PEOPLE in sets else People((), {})
        tasks = _tasks(folder, extent, clips, sets)
        first = record(folder, "yes", voices()[0], "wide").file
        skipped = {f"Clips of {name}": why for name, why in clips.lacking.items()}
        for name in engines:
            try:
                start, heard = await speech_engines.measured(name, tasks, first, progress)
            except SettingsError as error:
                skipped[name] = str(error)
            else:
                starts.append(start)
                rows += heard
        spoken = await _voices(folder, skipped, progress) if VOICES in sets else []
    return Result(tuple(starts), tuple(rows), tuple(spoken), skipped)


def _fetched(progress: Progress) -> People:
    work = progress.add_task("People's clips are fetched", total=None)
    try:
        return people(cache_folder())
    finally:
        progress.remove_task(work)


def _tasks(folder: Path, extent: Extent, clips: People, sets: Sequence[str]) -> Sequence[Task]:
    """Return everything that an engine has to listen to."""
    return [*_spoken(folder, extent, clips, sets), *(_without_speech(folder) if QuietTask.name in sets else ())]


def _spoken(folder: Path, extent: Extent, clips: People, sets: Sequence[str]) -> Iterator[Task]:
    speakers = voices()[: extent.speakers]

    def said(texts: Sequence[str], band: str) -> tuple[Said, ...]:
        return tuple(record(folder, text, voice, band) for text in texts for voice in speakers)

    for band in extent.bands:
        if clips.clips:
            heard = tuple(Said(clip.text, in_band(file, folder, band)) for clip, file in clips.clips)
            yield WordTask(PEOPLE, band, heard)
        for name, texts in ((MESSAGES, TEXTS), (DIGIT_STRINGS, NUMBERS)):
            if name in sets:
                yield WordTask(name, band, said(texts[:: extent.every], band))
        for offered in (one for one in SETS if one.name in sets):
            meant = tuple(
                Said(phrase, record(folder, words, voice, band).file)
                for words, phrase in offered.said[:: extent.every]
                for voice in speakers
            )
            yield PhraseTask(offered, band, meant, said(offered.strange[:: extent.every], band))
        for offered in (one for one in HELD_OUT if one.name in sets):
            yield _held_out(folder, offered, extent, band)


def _held_out(folder: Path, offered: PhraseSet, extent: Extent, band: str) -> PhraseTask:
    in_turn = cycle([voice for voice in HELD_OUT_SPEAKERS if voice in voices()] or voices())
    meant = tuple(
        Said(phrase, record(folder, words, next(in_turn), band).file) for words, phrase in offered.said[:: extent.every]
    )
    strange = tuple(record(folder, words, next(in_turn), band) for words in offered.strange[:: extent.every])
    return PhraseTask(offered, band, meant, strange)


def _without_speech(folder: Path) -> Iterator[Task]:
    for band in ("wide", "phone"):
        heard = tuple(Said(name, in_band(file, folder, band)) for name, file in sounds(folder).items())
        yield QuietTask(band, heard, _menu())


def _menu() -> PhraseSet:
    return max(SETS, key=lambda one: len(one.phrases))


async def _voices(folder: Path, skipped: dict[str, str], progress: Progress) -> Sequence[Spoken]:
    workers, spoken = Workers(size=AT_ONCE), []
    try:
        try:
            listener = engine_of(load_settings(flags={"stt": LISTENER}).settings, workers)
        except SettingsError:
            listener = None  # it is among the engines that were skipped
        for name in get_args(VoiceName):
            try:
                spoken.append(await speech_voices.measured(name, PROMPTS, folder, listener, progress))
            except (SettingsError, SynthesisFailed) as error:
                skipped[f"The voice {name}"] = str(error)
    finally:
        await workers.close()
    return spoken


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench.speech", description="Measure the speech engines and voices.")
    parser.add_argument("--quick", action="store_true", help="two synthetic voices and fewer phrases; less exact")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")
    parser.add_argument("--stt", choices=ENGINES, action="append", help="only this engine (repeatable)")
    parser.add_argument("--set", choices=ALL, action="append", help="only this (repeatable)")
    arguments = parser.parse_args()
    for program in lacking():
        print(f"{program} is not installed: its voices are left out (sudo apt-get install {program}).", file=sys.stderr)
    if not voices():
        sys.exit("No voice is installed to synthesise speech with.")
    with TemporaryDirectory() as scratch:
        found = asyncio.run(
            measure(
                Path(scratch),
                QUICK if arguments.quick else Extent(),
                arguments.stt or ENGINES,
                arguments.set or ALL,
            )
        )
    if arguments.json:
        print(json.dumps(to_builtins(found), indent=2))
    else:
        show(Console(), found.starts, found.rows, found.spoken, found.skipped)
