"""What the speech engines get right, in what time and memory: `python -m bench.speech [--quick] [--json]`.

Speech is made at run time by flite and espeak-ng, as a wideband recording and as one from a phone line (300-3400 Hz,
8 kHz, mu-law). Phrases are graded by what a flow would see: the phrase that was said, another one, or nothing; and
whether words that are none of the phrases are taken for one. Dictation is graded by word error rate. An engine runs
here if it needs no more than what is installed and set. **Synthetic voices are not callers.**
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct, to_builtins
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.voices import BANDS, Said, lacking, record, voices
from ivr.audio.workers import Workers
from ivr.errors import TranscriptionFailed
from ivr.ports import SpeechToText
from ivr.settings import SettingsError, load_settings
from ivr.speech_settings import engine_of

ENGINES = ("pocketsphinx", "azure", "azure-fast", "openai")
AT_ONCE = 2

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
TIMES = ("nine a m", "ten thirty a m", "noon", "two p m", "four fifteen p m", "half past five")
SETS = {
    "yes or no": ("yes", "yeah", "yes please", "no", "nope", "no thanks"),
    "digit": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "menu of twenty": (
        *("sales", "technical support", "billing", "opening hours", "lost luggage", "new reservation"),
        *("cancel my order", "talk to an agent", "account balance", "change my address", "flight times", "main menu"),
        *("john smith", "maria garcia", "doctor miller", "customer service", "shipping", "returns", "warranty", "jobs"),
    ),
    "day and time": tuple(f"{day} at {hour}" for day in DAYS for hour in TIMES),
}
SAME = {"yeah": "yes", "yes please": "yes", "nope": "no", "no thanks": "no"}
"Phrases that lead to the same place: a flow's guard asks for the meaning, not for the word."
STRANGE = (
    *("what is the weather like today", "purple elephants", "can you hear me", "the quick brown fox", "my dog is ill"),
    *("hold on a second", "turn left at the church", "seven apples and a pear"),
)
"Said where none of it was offered."
TEXTS = (
    "my flight was two hours late and nobody told us why",
    "please call me back tomorrow morning before eleven",
    "i would like to change the address of my account",
    "the printer does not work since the last update",
    "i left a black bag on the train to the airport",
)
CHOSEN = 12
"Phrases of a large set that are said; all of them are offered."


class Row(Struct, frozen=True):
    """How one engine did on one set in one band."""

    engine: str
    set: str
    band: str
    number: int
    "Recordings."
    right: float
    "Share heard as what was meant; of dictation, 1 less the word error rate."
    nothing: float
    "Share in which nothing was understood."
    fooled: float | None
    "Share of strange words taken for a phrase; None: not asked."
    latency: float
    "Median seconds of a recording, two at a time."


class Result(Struct, frozen=True):
    """What was found."""

    rows: tuple[Row, ...]
    memory: int
    "Bytes of the largest worker process, at most."
    skipped: dict[str, str]
    "Engines that do not run here, and why."


class Task(Struct, frozen=True):
    """One set of recordings for an engine."""

    name: str
    band: str
    said: tuple[Said, ...]
    phrases: tuple[str, ...]
    strange: tuple[Said, ...] = ()


async def measure(folder: Path, *, quick: bool, dictation: bool) -> Result:
    """Make the speech, and let every engine listen that runs here."""
    tasks = list(_tasks(folder, quick=quick))
    rows: list[Row] = []
    skipped: dict[str, str] = {}
    memory = 0
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for name in ENGINES:
            workers = Workers(size=AT_ONCE)
            try:
                settings = load_settings(flags={"stt": name, "stt_dictation": dictation}).settings
                engine = engine_of(settings, workers)
                for task in progress.track(tasks, description=f"{name} listens"):
                    rows.append(await _row(engine, task))
                    memory = max(memory, _largest_worker())
            except SettingsError as error:
                skipped[name] = str(error)
            finally:
                await workers.close()
    return Result(tuple(rows), memory, skipped)


def _tasks(folder: Path, *, quick: bool) -> Iterator[Task]:
    chance = random.Random(1)
    speakers = voices()[:2] if quick else voices()
    for band in BANDS:
        strange = tuple(record(folder, text, voice, band) for text in STRANGE for voice in speakers)
        for name, phrases in SETS.items():
            chosen = phrases if len(phrases) <= 20 and not quick else chance.sample(phrases, min(CHOSEN, len(phrases)))
            said = tuple(record(folder, text, voice, band) for text in chosen for voice in speakers)
            yield Task(name, band, said, phrases, strange)
        yield Task(
            "dictation", band, tuple(record(folder, text, voice, band) for text in TEXTS for voice in speakers), ()
        )


async def _row(engine: SpeechToText, task: Task) -> Row:
    heard, latencies = await _listen(engine, task.said, task.phrases)
    pairs = list(zip(task.said, heard, strict=True))
    if task.phrases:
        right = sum(_meaning(text) == _meaning(said.text) for said, text in pairs) / len(pairs)
        strange, _ = await _listen(engine, task.strange, task.phrases)
        fooled = sum(text in task.phrases for text in strange) / len(strange)
    else:
        wrong = sum(_errors(said.text.split(), _words(text)) for said, text in pairs)
        right, fooled = 1 - wrong / sum(len(said.text.split()) for said, _ in pairs), None
    nothing = sum(text is None for text in heard) / len(heard)
    return Row(engine.name, task.name, task.band, len(pairs), right, nothing, fooled, statistics.median(latencies))


async def _listen(
    engine: SpeechToText, recordings: Sequence[Said], phrases: Sequence[str]
) -> tuple[list[str | None], list[float]]:
    places = asyncio.Semaphore(AT_ONCE)
    latencies = []

    async def one(said: Said) -> str | None:
        async with places:
            begun = time.perf_counter()
            try:
                transcript = await engine.transcribe(said.file, language="en-US", phrases=phrases)
            except TranscriptionFailed as error:
                print(f"{engine.name}: {error.code}: {error}", file=sys.stderr)
                return None
            latencies.append(time.perf_counter() - begun)
        # A service that writes prose gives "Yes." for "yes".
        return _match(transcript.text, phrases)

    return list(await asyncio.gather(*(one(said) for said in recordings))), latencies or [0.0]


def _meaning(text: str | None) -> str | None:
    return SAME.get(text, text) if text else None


def _match(text: str | None, phrases: Sequence[str]) -> str | None:
    plain = " ".join(_words(text))
    return next((phrase for phrase in phrases if phrase == plain), text)


def _words(text: str | None) -> list[str]:
    return "".join(char if char.isalnum() or char in "' " else " " for char in (text or "").lower()).split()


def _errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """Count the words to insert, delete or replace (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for number, word in enumerate(said, 1):
        before, row[0] = row[0], number
        for place, other in enumerate(heard, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (word != other))
    return row[-1]


def _largest_worker() -> int:
    """Return the most memory that one worker process of ours ever had."""
    children = [
        child for file in Path("/proc/self/task").glob("*/children") for child in file.read_text("ascii").split()
    ]
    return max((_most(Path("/proc") / child / "status") for child in children), default=0)


def _most(status: Path) -> int:
    lines = status.read_text("utf-8").splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def show(result: Result) -> None:
    """Print a table for each engine."""
    console = Console()
    for engine in dict.fromkeys(row.engine for row in result.rows):
        table = Table("set", "band", "spoken", "right", "nothing", "false matches", "median", title=engine, box=SIMPLE)
        for row in result.rows:
            if row.engine == engine:
                fooled = "" if row.fooled is None else f"{row.fooled:.0%}"
                shares = (f"{row.right:.0%}", f"{row.nothing:.0%}", fooled, f"{row.latency * 1000:.0f} ms")
                table.add_row(row.set, row.band, str(row.number), *shares)
        console.print(table)
    console.print(f"The largest worker process used {result.memory / 2**20:.0f} MiB. Voices: {', '.join(voices())}.")
    console.print("For dictation, right is 1 minus the word error rate. Synthetic voices are not callers.")
    for name, why in result.skipped.items():
        console.print(f"Not run: {name}. {why}.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench.speech", description="Measure the available speech engines.")
    parser.add_argument("--quick", action="store_true", help="two voices and fewer phrases; less exact")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")
    arguments = parser.parse_args()
    for program in lacking():
        print(f"{program} is not installed: its voices are left out (sudo apt-get install {program}).", file=sys.stderr)
    if not voices():
        sys.exit("No voice is installed to synthesise speech with.")
    with TemporaryDirectory() as scratch:
        found = asyncio.run(measure(Path(scratch), quick=arguments.quick, dictation=True))
    if arguments.json:
        print(json.dumps(to_builtins(found), indent=2))
    else:
        show(found)
