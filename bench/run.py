"""What the server costs, beside a bare echo: `make bench`, or `python -m bench.run [--quick] [--json]`.

One run, one machine: servers are held to one core and the load to another, both servers get the same bytes from the
same client, and take turns. The server is the real `ivr serve` with its token check and its durable store on. Ratios
travel from machine to machine better than numbers do.
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import uvloop
from msgspec import Struct, to_builtins
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.calls import Exchange, full_call, json_call, learn, open_call
from bench.load import Load, drive
from bench.subject import Subject, cores, free_port, running
from ivr.phone.net.identity import Identity, identity_served

APP_ID = "bench-app"
CONNECTIONS = 64
AUDIO = 8 * 1024
LONG_AUDIO = 60_000_000
OPEN_CALLS = 10_000
JSON_TURNS = 20
"Menu answers in one JSON call."
HERE = Path(__file__).parent
SCRATCH = HERE.parent / "build" / "bench"
"On the same disk as a working copy: a folder in memory would make syncs free."


class Extent(Struct, frozen=True):
    """How much is measured."""

    rounds: int
    seconds: float
    "Of one round of one scenario against one server."
    open_calls: int = OPEN_CALLS


FULL = Extent(rounds=3, seconds=3.0)
QUICK = Extent(rounds=1, seconds=1.0, open_calls=2_000)


class Rates(Struct, frozen=True):
    """One scenario against one server: medians over the rounds."""

    requests_per_second: float
    calls_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    "Processor time of one request: what is left of a comparison on a busy machine."


class Compared(Struct, frozen=True):
    """One scenario."""

    name: str
    server: Rates
    echo: Rates
    aim: float
    "The ratio aimed at."

    @property
    def ratio(self) -> float:
        """The server's rate as a share of the echo's."""
        return self.server.requests_per_second / self.echo.requests_per_second


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

    compared: list[Compared]
    memory: Memory


async def main(extent: Extent, console: Console) -> Results:
    server_core, load_core = cores()
    os.sched_setaffinity(0, {load_core})
    if server_core == load_core:
        console.print("Only one core: server and load share it, so the figures are lower than on two cores.")
    scratch = SCRATCH / str(os.getpid())
    scratch.mkdir(parents=True)
    identity = Identity(APP_ID)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    try:
        async with identity_served(identity) as metadata:
            with Progress(*columns, console=console, transient=True) as progress:
                bench = Bench(extent, progress, server_core, scratch, metadata, identity.token(time.time()))
                return Results(await bench.rates(), await bench.memory())
    finally:
        shutil.rmtree(scratch)  # only now: creating files after deleting many is slow for minutes


class Run(Struct, frozen=True):
    """One round of one scenario against one server."""

    load: Load
    cpu: float
    "Processor time of the server, in seconds."


class Bench:
    """Everything that is measured, one after the other."""

    def __init__(self, extent: Extent, progress: Progress, core: int, scratch: Path, metadata: str, token: str) -> None:
        self._extent = extent
        self._progress = progress
        self._core = core
        self._scratch = scratch
        self._metadata = metadata
        self._token = token

    async def rates(self) -> list[Compared]:
        """Let server and echo take turns over both kinds of call."""
        port = free_port()
        async with self._serving("rates") as server, self._running(["bench.echo", str(port)], "echo", port) as echo:
            scripts = {
                ("JSON turns", 0.5): await self._learned(server, "json"),
                ("full calls", 0.25): await self._learned(server, "full"),
            }
            for script in scripts.values():  # both warm
                await drive(server.port, script, connections=CONNECTIONS, seconds=0.5)
                await drive(echo.port, script, connections=CONNECTIONS, seconds=0.5, strict=False)
            return [await self._compare(name, aim, script, server, echo) for (name, aim), script in scripts.items()]

    async def memory(self) -> Memory:
        """Measure a fresh server: idle but warm, with many calls in progress, with one long recording coming in."""
        async with self._serving("memory") as server:
            warm = await self._learned(server, "full")
            await drive(server.port, warm, connections=CONNECTIONS, calls=CONNECTIONS * 20)
            idle = server.memory()
            self._say(f"{self._extent.open_calls} calls in progress")
            opening = await asyncio.to_thread(learn, server.port, self._token, open_call())
            load = await drive(server.port, opening, connections=CONNECTIONS, calls=self._extent.open_calls)
            with_calls = server.memory()
            self._say(f"one recording of {LONG_AUDIO / 1e6:.0f} MB")
            server.reset_peak()
            before = server.memory()
            upload = (await asyncio.to_thread(learn, server.port, self._token, full_call(bytes(LONG_AUDIO))))[2]
            return Memory(
                idle=idle,
                per_call=(with_calls - idle) / load.calls,
                calls=load.calls,
                during_upload=server.peak() - before,
                upload_mb_per_second=LONG_AUDIO / 1e6 / upload.seconds,
            )

    async def _compare(
        self, name: str, aim: float, script: Sequence[Exchange], server: Subject, echo: Subject
    ) -> Compared:
        runs: dict[str, list[Run]] = {"server": [], "echo": []}
        for number in range(self._extent.rounds):
            for who, subject in (("echo", echo), ("server", server)):
                self._say(f"{name}: {who}, round {number + 1} of {self._extent.rounds}")
                before = subject.cpu()
                load = await drive(
                    subject.port,
                    script,
                    connections=CONNECTIONS,
                    seconds=self._extent.seconds,
                    strict=who == "server",
                )
                runs[who].append(Run(load, subject.cpu() - before))
        return Compared(name, _medians(runs["server"]), _medians(runs["echo"]), aim)

    async def _learned(self, server: Subject, kind: str) -> tuple[Exchange, ...]:
        conversation = json_call(JSON_TURNS) if kind == "json" else full_call(os.urandom(AUDIO))
        return await asyncio.to_thread(learn, server.port, self._token, conversation)

    def _serving(self, name: str) -> AbstractAsyncContextManager[Subject]:
        port = free_port()
        environment = {
            "IVR_APP_ID": APP_ID,
            "IVR_OPENID_METADATA": self._metadata,
            "IVR_OPENID_LOOPBACK": "true",
            "IVR_PUBLIC_URL": "https://bench.example",
            "IVR_DATA": str(self._scratch / name),
            "IVR_LOG_LEVEL": "warning",
        }
        command = ["ivr", "serve", str(HERE / "flow.yaml"), "--host", "127.0.0.1", "--port", str(port)]
        return self._running(command, name, port, environment)

    def _running(
        self, command: Sequence[str], name: str, port: int, environment: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[Subject]:
        self._say(f"starting {name}")
        log = self._scratch / f"{name}.log"
        return running(command, port=port, core=self._core, log=log, environment=environment)

    def _say(self, what: str) -> None:
        for task in self._progress.task_ids:
            self._progress.remove_task(task)
        self._progress.add_task(what)


def _medians(runs: Sequence[Run]) -> Rates:
    return Rates(
        requests_per_second=statistics.median(run.load.rate for run in runs),
        calls_per_second=statistics.median(run.load.calls / run.load.seconds for run in runs),
        p50_ms=statistics.median(run.load.percentile(0.50) for run in runs),
        p99_ms=statistics.median(run.load.percentile(0.99) for run in runs),
        cpu_us=statistics.median(1e6 * run.cpu / run.load.requests for run in runs),
    )


def show(results: Results, console: Console) -> None:
    """Print the tables."""
    table = Table(title=f"One core, {CONNECTIONS} connections, token check and durable store on")
    for heading in ("", "req/s", "of echo", "aim", "calls/s", "p50 ms", "p99 ms", "CPU us"):
        table.add_column(heading, justify="left" if not heading else "right")
    for each in results.compared:
        server, echo = each.server, each.echo
        table.add_row(
            each.name, f"{server.requests_per_second:,.0f}", f"{each.ratio:.2f}", f"{each.aim:.2f}",
            f"{server.calls_per_second:,.0f}", f"{server.p50_ms:.1f}", f"{server.p99_ms:.1f}",
            f"{server.cpu_us:.0f}",
        )  # fmt: skip
        table.add_row(
            "  echo", f"{echo.requests_per_second:,.0f}", "1.00", "", f"{echo.calls_per_second:,.0f}",
            f"{echo.p50_ms:.1f}", f"{echo.p99_ms:.1f}", f"{echo.cpu_us:.0f}", style="dim",
        )  # fmt: skip
    console.print(table)
    console.print(
        "A JSON turn presses a key in a menu. A full call is incoming, recognize, record with "
        f"{AUDIO // 1024} KB of audio, hang-up.\nThe echo gets the same bytes from the same client. "
        "Times are the client's; CPU is the server's, for a request."
    )
    memory = results.memory
    table = Table(title="Memory of the server")
    for heading in ("", "measured", "aim"):
        table.add_column(heading, justify="left" if not heading else "right")
    table.add_row("idle, warm", f"{memory.idle / 2**20:.0f} MiB", "")
    table.add_row(f"a call in progress ({memory.calls:,} of them)", f"{memory.per_call / 1024:.1f} KiB", "4 KiB")
    table.add_row("above idle, during a 60 MB recording", f"{memory.during_upload / 2**20:.1f} MiB", "8 MiB")
    table.add_row("speed of that recording", f"{memory.upload_mb_per_second:,.0f} MB/s", "")
    console.print(table)


def as_json(results: Results) -> str:
    compared = [{**to_builtins(each), "ratio": round(each.ratio, 3)} for each in results.compared]
    return json.dumps({"compared": compared, "memory": to_builtins(results.memory)}, indent=2)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench", description="Measure the server beside a bare echo.")
    parser.add_argument("--quick", action="store_true", help="a few seconds instead of a minute; less exact")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")
    arguments = parser.parse_args()
    screen = Console(stderr=True)
    found = uvloop.run(main(QUICK if arguments.quick else FULL, screen))
    if arguments.json:
        print(as_json(found))
    else:
        show(found, Console())
