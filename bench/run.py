"""What the server costs, beside a bot on Microsoft's SDK and a bare echo: a part of `make bench`.

    python -m bench.run [--quick] [--json]

One run, one machine: servers are held to one core and the load to another, all of them get calls from the same client,
and take turns. The server is the real `ivr serve` with its token check and its durable store on. Ratios travel from
machine to machine better than numbers do.
"""

import argparse
import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import uvloop
from msgspec import Struct, to_builtins
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bench.calls import (
    Conversation,
    Exchange,
    KnownBy,
    full_call,
    json_call,
    last_operation,
    last_words,
    learn,
    open_call,
)
from bench.compared import Beside, Compared, Memory, Rates, Results, Run, show
from bench.load import drive
from bench.machine import this_machine
from bench.peer_bot import peer_program
from bench.real_server import APP_ID, server_command, server_environment
from bench.subject import PYTHON, Subject, cores, free_port, running
from ivr.phone.net.identity import Identity, identity_served

CONNECTIONS = 64
AUDIO = 8 * 1024
JSON_TURNS = 20
"Menu answers in one JSON call."
AIMS = {
    ("full calls", "peer"): 0.95 if sys.version_info >= (3, 13) else 0.85,
    ("JSON turns", "echo"): 0.33,
}
"Our rate, divided by the other's."
HERE = Path(__file__).parent
SCRATCH = HERE.parent / "build" / "bench"
"On the same disk as a working copy: a folder in memory would make syncs free."


class Extent(Struct, frozen=True):
    """How much is measured."""

    rounds: int
    seconds: float
    "Of one round of one scenario against one server."
    warm: float
    "Seconds of calls before that: the peer's compiler needs some."
    open_calls: int = 10_000
    long_audio: int = 60_000_000
    "Bytes."


FULL = Extent(rounds=5, seconds=3.0, warm=4.0)
QUICK = Extent(rounds=1, seconds=1.0, warm=1.0, open_calls=2_000)


class Driven(Struct, frozen=True):
    """A server, and a call as it has to be written to it."""

    subject: Subject
    script: tuple[Exchange, ...]
    strict: bool = True
    "Its replies are compared with the learned ones."


CALLS: Mapping[str, Callable[[], Conversation]] = {
    "JSON turns": lambda: json_call(JSON_TURNS),
    "full calls": lambda: full_call(os.urandom(AUDIO)),
}


async def main(extent: Extent, console: Console) -> Results:
    """Measure everything."""
    async with open_bench(extent, console) as bench:
        return await bench.results()


@asynccontextmanager
async def open_bench(extent: Extent, console: Console) -> "AsyncIterator[Bench]":
    """Hold this process, and with it the load, to a core of its own; make a scratch folder, and keys to sign tokens."""
    server_core, load_core = cores()
    ours = os.sched_getaffinity(0)
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
                yield Bench(extent, progress, server_core, scratch, metadata, identity.token(time.time()))
    finally:
        os.sched_setaffinity(0, ours)
        shutil.rmtree(scratch)  # only now: creating files after deleting many is slow for minutes


class Bench:
    """Everything that is measured, one after the other."""

    def __init__(self, extent: Extent, progress: Progress, core: int, scratch: Path, metadata: str, token: str) -> None:
        self.extent = extent
        self._progress = progress
        self._core = core
        self.scratch = scratch
        self._metadata = metadata
        self._token = token

    async def results(self) -> Results:
        """Measure everything."""
        try:
            program, missing = peer_program(), []
        except LookupError as error:
            program, missing = (), [str(error)]
        async with AsyncExitStack() as stack:
            servers = [await stack.enter_async_context(each) for each in self._servers(program)]
            compared = [await self._compared(name, call, servers) for name, call in CALLS.items()]
        extent = self.extent
        return Results(this_machine(), extent.rounds, extent.seconds, compared, await self.memory(), missing)

    def _servers(self, program: Sequence[str]) -> Iterator[AbstractAsyncContextManager[Subject]]:
        """Return the server, the echo, and the peer if it is there."""
        yield self.serving("rates")
        port = free_port()
        yield self.running(["bench.echo", str(port)], "echo", port)
        if program:
            port = free_port()
            yield self.running([str(port)], "peer", port, program=program)

    async def _compared(self, name: str, call: Callable[[], Conversation], servers: Sequence[Subject]) -> Compared:
        """Let all servers take turns over one kind of call; which of them begins changes from round to round."""
        server, echo, *peer = servers
        ours = await self.learned(server, call(), last_operation)
        driven = {"server": Driven(server, ours)}
        if peer:
            driven["peer"] = Driven(peer[0], await self.learned(peer[0], call(), last_words))
        driven["echo"] = Driven(echo, ours, strict=False)
        for who, one in driven.items():
            self.say(f"{name}: {who} gets warm")
            await self._run(one, self.extent.warm)
        runs: dict[str, list[Run]] = {who: [] for who in driven}
        for number in range(self.extent.rounds):
            first = number % len(driven)
            for who in [*driven][first:] + [*driven][:first]:
                self.say(f"{name}: {who}, round {number + 1} of {self.extent.rounds}")
                runs[who].append(await self._run(driven[who], self.extent.seconds))
        others = {
            who: Beside.of(runs["server"], its, AIMS.get((name, who))) for who, its in runs.items() if who != "server"
        }
        return Compared(name, Rates.of(runs["server"]), others)

    async def _run(self, one: Driven, seconds: float) -> Run:
        before = one.subject.cpu()
        load = await drive(one.subject.port, one.script, connections=CONNECTIONS, seconds=seconds, strict=one.strict)
        return Run(load, one.subject.cpu() - before)

    async def memory(self) -> Memory:
        """Measure a fresh server: idle but warm, with many calls in progress, with one long recording coming in."""
        async with self.serving("memory") as server:
            warm = await self.learned(server, full_call(os.urandom(AUDIO)), last_operation)
            await drive(server.port, warm, connections=CONNECTIONS, calls=CONNECTIONS * 20)
            idle = server.memory()
            self.say(f"{self.extent.open_calls} calls in progress")
            opening = await self.learned(server, open_call(), last_operation)
            load = await drive(server.port, opening, connections=CONNECTIONS, calls=self.extent.open_calls)
            with_calls = server.memory()
            upload = full_call(bytes(self.extent.long_audio))
            self.say(f"one recording of {self.extent.long_audio / 1e6:.0f} MB")
            server.reset_peak()
            before = server.memory()
            learned = (await self.learned(server, upload, last_operation))[2]
            return Memory(
                idle=idle,
                per_call=(with_calls - idle) / load.calls,
                calls=load.calls,
                during_upload=server.peak() - before,
                upload_mb_per_second=self.extent.long_audio / 1e6 / learned.seconds,
            )

    async def learned(self, subject: Subject, call: Conversation, known_by: KnownBy) -> tuple[Exchange, ...]:
        """Hold a call once with a server, and keep it for repetition."""
        return await asyncio.to_thread(learn, subject.port, self._token, call, known_by=known_by)

    def serving(self, name: str, *, wrapper: Sequence[str] = ()) -> AbstractAsyncContextManager[Subject]:
        """Run the real server; `wrapper` is a module of ours that runs it, and its arguments."""
        port = free_port()
        environment = server_environment(self.scratch / name, self._metadata)
        return self.running([*wrapper, *server_command(port)], name, port, environment)

    def running(
        self,
        command: Sequence[str],
        name: str,
        port: int,
        environment: Mapping[str, str] | None = None,
        program: Sequence[str] = PYTHON,
    ) -> AbstractAsyncContextManager[Subject]:
        """Run anything on the server's core."""
        self.say(f"starting {name}")
        log = self.scratch / f"{name}.log"
        return running(command, port=port, core=self._core, log=log, environment=environment, program=program)

    def say(self, what: str) -> None:
        """Show what is going on."""
        for task in self._progress.task_ids:
            self._progress.remove_task(task)
        self._progress.add_task(what)


def as_json(results: Results) -> str:
    return json.dumps(to_builtins(results), indent=2)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench", description="Measure the server beside other servers.")
    parser.add_argument("--quick", action="store_true", help="a few seconds instead of a minute; less exact")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")
    arguments = parser.parse_args()
    screen = Console(stderr=True)
    found = uvloop.run(main(QUICK if arguments.quick else FULL, screen))
    if arguments.json:
        print(as_json(found))
    else:
        show(found, Console())
