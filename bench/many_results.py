"""What a run of `bench.many` found, and its tables on a terminal."""

import statistics
from collections.abc import Sequence

from msgspec import Struct
from rich.console import Console

from bench.compared import titled_table
from bench.load import Load
from bench.machine import Machine

SCENARIOS = ("JSON turns", "full calls", "full calls, each message elsewhere")


class Round(Struct, frozen=True):
    """One round of one scenario against one setup."""

    load: Load
    cpu: float
    "Of the server, in seconds."
    database_cpu: float
    wal: int = 0
    "Bytes that the database wrote into its log."


class Found(Struct, frozen=True):
    """Medians over the rounds."""

    setup: str
    scenario: str
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    "Of the server's processes, for one request."
    database_us: float
    "Of PostgreSQL's processes, for one request."
    wal_bytes: float
    "That the database wrote into its log, for one request."

    @classmethod
    def of(cls, setup: str, scenario: str, rounds: Sequence[Round]) -> "Found":
        """Return the medians."""
        loads = [each.load for each in rounds]
        return cls(
            setup,
            scenario,
            statistics.median(load.rate for load in loads),
            statistics.median(load.percentile(0.50) for load in loads),
            statistics.median(load.percentile(0.99) for load in loads),
            statistics.median(1e6 * each.cpu / each.load.requests for each in rounds),
            statistics.median(1e6 * each.database_cpu / each.load.requests for each in rounds),
            statistics.median(each.wal / each.load.requests for each in rounds),
        )


class LiveCalls(Struct, frozen=True):
    """What calls in progress take where they are in PostgreSQL."""

    calls: int
    table_bytes: float
    "Of one call, indexes included."
    memory: int
    "Of a worker, resident, in bytes, with all of them."


class Growth(Struct, frozen=True):
    """Everything that one run found."""

    machine: Machine
    postgres: str
    rounds: int
    seconds: float
    found: list[Found]
    live: LiveCalls | None
    missing: list[str]


def show(found: Growth, screen: Console) -> None:
    """Print the tables."""
    screen.print(f"{found.machine}, PostgreSQL {found.postgres}. Medians of {found.rounds} rounds.")
    for scenario in SCENARIOS:
        table = titled_table(scenario, "", "req/s", "p50 ms", "p99 ms", "CPU us", "database us", "log bytes")
        for one in (each for each in found.found if each.scenario == scenario):
            database = f"{one.database_us:.0f}" if one.database_us else ""
            rate, p50, p99 = f"{one.requests_per_second:,.0f}", f"{one.p50_ms:.1f}", f"{one.p99_ms:.1f}"
            log = f"{one.wal_bytes:,.0f}" if one.database_us else ""
            table.add_row(one.setup, rate, p50, p99, f"{one.cpu_us:.0f}", database, log)
        screen.print(table)
    for line in found.missing:
        screen.print(line)
    if found.live:
        live = found.live
        screen.print(
            f"A call in progress in PostgreSQL ({live.calls:,} of them): {live.table_bytes / 1024:.1f} KiB of tables; "
            f"a process has {live.memory / 2**20:.0f} MiB."
        )
