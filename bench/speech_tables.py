"""The tables of `bench.speech`."""

from collections.abc import Iterable, Mapping, Sequence

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench.speech_engines import Choices, Cost, Dictation, MadeUp, Row, Start
from bench.speech_voices import Spoken

COST = ("median", "processor")


def show(
    console: Console, starts: Iterable[Start], rows: Sequence[Row], spoken: Sequence[Spoken], skipped: Mapping[str, str]
) -> None:
    """Print what was found of each engine, then of the voices, then what is not here."""
    for start in starts:
        _engine(console, start, [row for row in rows if row.engine == start.engine])
    if spoken:
        console.print(_voices(spoken))
    console.print("People read aloud or acted, a few of them; all others are synthetic voices. No caller was heard.")
    for name, why in skipped.items():
        console.print(f"Not measured: {name}. {why.rstrip('.')}.")


def _engine(console: Console, start: Start, rows: Sequence[Row]) -> None:
    words = Table("written down", "band", "spoken", "words", "wrong", "exact", *COST, title=start.engine, box=SIMPLE)
    choices = Table("choices", "band", "spoken", "right", "nothing", "strangers", "taken", *COST, box=SIMPLE)
    for row in rows:
        match row:
            case Dictation():
                counts = (str(row.number), str(row.words), f"{row.wrong:.1%}", f"{row.exact:.0%}")
                words.add_row(row.set, row.band, *counts, *_cost(row.cost))
            case Choices():
                shares = (f"{row.right:.0%}", f"{row.nothing:.0%}", str(row.strangers), f"{row.fooled:.0%}")
                choices.add_row(row.set, row.band, str(row.number), *shares, *_cost(row.cost))
            case MadeUp():
                pass
    console.print(words, choices)
    for row in rows:
        if isinstance(row, MadeUp):
            _made_up(console, row)
    console.print(
        f"The first recording took {start.seconds:.1f} s, {start.processor:.1f} s of processor time, with the start of "
        f"a worker process. The largest one used {start.memory / 2**20:.0f} MiB."
    )


def _made_up(console: Console, row: MadeUp) -> None:
    found = f"{len(row.written)} became words, {len(row.chosen)} a choice"
    console.print(f"Nobody speaks, {row.band}: of {row.sounds} sounds {found}.")
    for kind, texts in (("words", row.written), ("choice", row.chosen)):
        for each in texts:
            console.print(f"  {kind}: {each}", markup=False)


def _cost(cost: Cost) -> tuple[str, str]:
    return f"{cost.latency * 1000:.0f} ms", f"{cost.processor * 1000:.0f} ms"


def _voices(spoken: Sequence[Spoken]) -> Table:
    headings = ("prompts", "first of all", "first sound", "slowest", "processor", "worker", "heard wrong")
    table = Table("voice", *headings, box=SIMPLE)
    for row in spoken:
        heard = ", ".join(f"{share:.0%} {band}" for band, share in row.wrong)
        times = (f"{each * 1000:.0f} ms" for each in (row.start, row.first, row.slowest))
        memory = f"{row.memory / 2**20:.0f} MiB" if row.memory else ""
        table.add_row(row.voice, str(row.number), *times, f"{row.processor:.3f} s/s", memory, heard)
    return table
