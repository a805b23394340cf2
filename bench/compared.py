"""What a run of `bench.run` found: the server beside the peer and the echo, its memory, and the aims."""

import statistics
from collections.abc import Callable, Sequence

from msgspec import Struct, field
from rich.console import Console
from rich.table import Table

from bench.load import Load
from bench.machine import Machine

A_CALL = 4 * 1024
"Bytes that a call in progress may take."
AN_UPLOAD = 8 * 2**20
"Bytes that may come on top while a long recording comes in."
LEGEND = """\
A JSON turn presses a key in a menu; a full call is incoming, recognize, record
with 8 KB of audio, hang-up. The server checks tokens, and every turn is durable
before its reply. The peer, a bot on Microsoft's Node SDK, checks none and keeps
its state in memory. The echo gets the server's bytes. Times are the client's,
CPU is the server's for one request, over all its threads."""


class Run(Struct, frozen=True):
    """One round of one scenario against one server."""

    load: Load
    cpu: float
    "Processor time of the server, in seconds, over all its threads."

    @property
    def cpu_us(self) -> float:
        """Microseconds of processor time for a request: what is left of a comparison on a busy machine."""
        return 1e6 * self.cpu / self.load.requests


class Rates(Struct, frozen=True):
    """One scenario against one server: medians over the rounds."""

    requests_per_second: float
    calls_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float

    @classmethod
    def of(cls, runs: Sequence[Run]) -> "Rates":
        """Return the medians."""
        return cls(
            requests_per_second=statistics.median(run.load.rate for run in runs),
            calls_per_second=statistics.median(run.load.calls / run.load.seconds for run in runs),
            p50_ms=statistics.median(run.load.percentile(0.50) for run in runs),
            p99_ms=statistics.median(run.load.percentile(0.99) for run in runs),
            cpu_us=statistics.median(run.cpu_us for run in runs),
        )


class Beside(Struct, frozen=True):
    """The server beside another one: medians of what each round gave, so that a slow minute slows both."""

    rates: Rates
    "The other one's."
    rate: float
    "Our requests per second, divided by its."
    cpu: float
    "Our processor time for a request, divided by its."
    aim: float | None
    "For `rate`."

    @classmethod
    def of(cls, ours: Sequence[Run], its: Sequence[Run], aim: float | None) -> "Beside":
        """Compare round by round."""

        def median(ratio: Callable[[Run, Run], float]) -> float:
            return round(statistics.median(map(ratio, ours, its)), 3)

        return cls(
            rates=Rates.of(its),
            rate=median(lambda we, it: we.load.rate / it.load.rate),
            cpu=median(lambda we, it: we.cpu_us / it.cpu_us),
            aim=aim,
        )


class Compared(Struct, frozen=True):
    """One scenario."""

    name: str
    server: Rates
    others: dict[str, Beside]
    "By name: the peer where there is one, and the echo."


class Memory(Struct, frozen=True):
    """What stays resident, in bytes."""

    idle: int
    per_call: float
    calls: int
    during_upload: int
    "At the highest, above idle, while one long recording came in."
    upload_mb_per_second: float


class Results(Struct, frozen=True):
    """Everything that one run found."""

    machine: Machine
    rounds: int
    seconds: float
    "Of one round of one scenario against one server."
    compared: list[Compared]
    memory: Memory
    missing: list[str] = field(default_factory=list)
    "What could not be measured, and why."


def show(results: Results, screen: Console) -> None:
    """Print the tables."""
    screen.print(f"{results.machine}. One core for a server, one for the load, medians of {results.rounds} rounds.")
    screen.print(_figures(results.compared))
    screen.print(LEGEND)
    screen.print(_ratios(results.compared))
    for missing in results.missing:
        screen.print(missing)
    screen.print(_memory(results.memory))


def _figures(compared: Sequence[Compared]) -> Table:
    table = titled_table("What each server does", "", "req/s", "calls/s", "p50 ms", "p99 ms", "CPU us")
    for each in compared:
        all_rates = {each.name: each.server} | {f"  {name}": beside.rates for name, beside in each.others.items()}
        for name, rates in all_rates.items():
            table.add_row(
                name, f"{rates.requests_per_second:,.0f}", f"{rates.calls_per_second:,.0f}", f"{rates.p50_ms:.1f}",
                f"{rates.p99_ms:.1f}", f"{rates.cpu_us:.1f}", style="dim" if name.startswith(" ") else "",
            )  # fmt: skip
    return table


def _ratios(compared: Sequence[Compared]) -> Table:
    table = titled_table("Beside the others", "", "rate", "aim", "p99", "CPU")
    for each in compared:
        for name, beside in each.others.items():
            aim = "" if beside.aim is None else f"{beside.aim:.2f}"
            p99 = f"{each.server.p99_ms / beside.rates.p99_ms:.2f}"
            table.add_row(f"{each.name}, {name} = 1", f"{beside.rate:.2f}", aim, p99, f"{beside.cpu:.2f}")
    return table


def _memory(memory: Memory) -> Table:
    table = titled_table("Memory of the server", "", "measured", "aim")
    table.add_row("idle, warm", f"{memory.idle / 2**20:.0f} MiB", "")
    row = f"a call in progress ({memory.calls:,} of them)"
    table.add_row(row, f"{memory.per_call / 1024:.1f} KiB", f"{A_CALL / 1024:.0f} KiB")
    row = f"{memory.during_upload / 2**20:.1f} MiB"
    table.add_row("above idle, during a 60 MB recording", row, f"{AN_UPLOAD / 2**20:.0f} MiB")
    table.add_row("speed of that recording", f"{memory.upload_mb_per_second:,.0f} MB/s", "")
    return table


def titled_table(title: str, *headings: str) -> Table:
    """Return an empty table; the column without a heading is on the left."""
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="left" if not heading else "right")
    return table
