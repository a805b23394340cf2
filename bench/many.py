"""How the server grows: one process on SQLite, and one or two on PostgreSQL, beside the peer: `make bench-many`.

    python -m bench.many [--quick] [--json] [--write]

Servers, database and load share all cores, as on one machine that does everything, and take turns. So the rates are
this machine's; the processor time of a request, which counts every process of a server, and that of the database for
it, say what more cores would give.
"""

import argparse
import asyncio
import json
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import uvloop
from msgspec import Struct, to_builtins
from rich.console import Console

from bench import growth_page
from bench.calls import Exchange, full_call, json_call, last_operation, last_words, learn, open_call
from bench.load import drive
from bench.machine import this_machine
from bench.many_results import SCENARIOS, Found, Growth, LiveCalls, Round, show
from bench.peer_bot import peer_program
from bench.postgres_cluster import Cluster, postgres_cluster, postgres_programs
from bench.process_tree import tree_cpu, tree_memory
from bench.real_server import APP_ID, server_command, server_environment
from bench.run import AUDIO, CONNECTIONS, JSON_TURNS
from bench.subject import PYTHON, Subject, free_port
from bench.subject import running as running_on
from ivr.phone.net.identity import Identity, identity_served

WORKERS = (1, 2)
EACH = 2
"Connections over which the messages of one call go in turn: mostly to another process each time."
SEAL_KEY = "5e" * 32
"All servers of a database need the same."


class Extent(Struct, frozen=True):
    """How much is measured."""

    rounds: int
    seconds: float
    "Of one round."
    warm: float
    open_calls: int


FULL = Extent(rounds=5, seconds=4.0, warm=4.0, open_calls=10_000)
QUICK = Extent(rounds=1, seconds=1.5, warm=1.0, open_calls=1_000)


class Setup(Struct, frozen=True):
    """One way to serve."""

    name: str
    server: Subject
    database: str = ""
    "Of PostgreSQL; empty: it has none of it."
    peer: bool = False


class ManyBench:
    """What one run needs."""

    def __init__(self, extent: Extent, console: Console, scratch: Path, metadata: str, token: str) -> None:
        self.extent = extent
        self._console = console
        self._scratch = scratch
        self._metadata = metadata
        self._token = token
        self._cluster: Cluster | None = None

    async def growth(self) -> Growth:
        """Measure everything."""
        missing: list[str] = []
        async with AsyncExitStack() as stack:
            try:
                programs = postgres_programs()
                self._cluster = stack.enter_context(postgres_cluster(self._scratch / "postgres", programs))
            except LookupError as error:
                missing.append(str(error))
            setups = [setup async for setup in self._setups(stack, missing)]
            found = [one for scenario in SCENARIOS for one in await self._scenario(scenario, setups)]
            live = await self._live(next((one for one in setups if one.database), None))
            version = self._cluster.version if self._cluster else ""
        return Growth(this_machine(), version, self.extent.rounds, self.extent.seconds, found, live, missing)

    async def _setups(self, stack: AsyncExitStack, missing: list[str]) -> AsyncIterator[Setup]:
        yield Setup("SQLite, 1 process", await stack.enter_async_context(self._serving("sqlite", {})))
        for workers in WORKERS if self._cluster else ():
            database = f"workers_{workers}"
            assert self._cluster is not None
            settings = {
                "IVR_STORE": self._cluster.create(database),
                "IVR_SEAL_KEY": SEAL_KEY,
                "IVR_WORKERS": str(workers),
            }
            name = f"PostgreSQL, {workers} process{'es' if workers > 1 else ''}"
            yield Setup(name, await stack.enter_async_context(self._serving(database, settings)), database)
        try:
            program = peer_program()
        except LookupError as error:
            missing.append(str(error))
        else:
            port = free_port()
            peer = self._running([str(port)], "peer", port, program=program)
            yield Setup("the peer", await stack.enter_async_context(peer), peer=True)

    async def _scenario(self, scenario: str, setups: Sequence[Setup]) -> list[Found]:
        """Let all setups take turns over one kind of call."""
        scripts = {one.name: await self._learned(one, scenario) for one in setups}
        for one in setups:
            await self._round(one, scripts[one.name], scenario, self.extent.warm)
        rounds: dict[str, list[Round]] = {one.name: [] for one in setups}
        for number in range(self.extent.rounds):
            first = number % len(setups)
            for one in [*setups[first:], *setups[:first]]:
                self._console.print(f"{scenario}: {one.name}, round {number + 1} of {self.extent.rounds}")
                rounds[one.name].append(await self._round(one, scripts[one.name], scenario, self.extent.seconds))
        return [Found.of(name, scenario, each) for name, each in rounds.items()]

    async def _round(self, one: Setup, script: Sequence[Exchange], scenario: str, seconds: float) -> Round:
        each = EACH if scenario.endswith("elsewhere") else 1
        before, database_before, wal = tree_cpu(one.server.pid), self._database_cpu(one), self._wal(one)
        load = await drive(one.server.port, script, connections=CONNECTIONS, seconds=seconds, each=each)
        cpu, database_cpu = tree_cpu(one.server.pid) - before, self._database_cpu(one) - database_before
        return Round(load, cpu, database_cpu, self._wal(one) - wal)

    def _database_cpu(self, one: Setup) -> float:
        return tree_cpu(self._cluster.subject.pid) if one.database and self._cluster else 0.0

    def _wal(self, one: Setup) -> int:
        """Return how many bytes the database has written into its log so far."""
        if not one.database or self._cluster is None:
            return 0
        return int(self._cluster.ask("postgres", "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"))

    async def _learned(self, one: Setup, scenario: str) -> tuple[Exchange, ...]:
        call = json_call(JSON_TURNS) if scenario == SCENARIOS[0] else full_call(os.urandom(AUDIO))
        known_by = last_words if one.peer else last_operation
        return await asyncio.to_thread(learn, one.server.port, self._token, call, known_by=known_by)

    async def _live(self, one: Setup | None) -> LiveCalls | None:
        """Begin many calls that stay in progress, and look what they take."""
        if one is None or self._cluster is None:
            return None
        self._console.print(f"{self.extent.open_calls} calls in progress")
        opening = await asyncio.to_thread(learn, one.server.port, self._token, open_call())
        size = "SELECT pg_database_size(current_database())"
        self._cluster.ask(one.database, "CHECKPOINT")
        before = int(self._cluster.ask(one.database, size))
        load = await drive(one.server.port, opening, connections=CONNECTIONS, calls=self.extent.open_calls)
        tables = (int(self._cluster.ask(one.database, size)) - before) / load.calls
        return LiveCalls(load.calls, tables, tree_memory(one.server.pid)[0])

    @asynccontextmanager
    async def _serving(self, name: str, settings: Mapping[str, str]) -> AsyncIterator[Subject]:
        port = free_port()
        environment = server_environment(self._scratch / name, self._metadata, **settings)
        async with self._running(server_command(port), name, port, environment) as server:
            yield server

    def _running(
        self,
        command: Sequence[str],
        name: str,
        port: int,
        environment: Mapping[str, str] | None = None,
        program: Sequence[str] = PYTHON,
    ) -> AbstractAsyncContextManager[Subject]:
        self._console.print(f"starting {name}")
        log = self._scratch / f"{name}.log"
        return running_on(command, port=port, core=None, log=log, environment=environment, program=program)


async def main(extent: Extent, console: Console) -> Growth:
    """Measure everything, in a folder on a disk: in memory, syncs would be free."""
    scratch = Path(tempfile.mkdtemp(prefix="ivr-bench-", dir="/var/tmp"))
    scratch.chmod(0o755)  # PostgreSQL runs as somebody else
    identity = Identity(APP_ID)
    try:
        async with identity_served(identity) as metadata:
            return await ManyBench(extent, console, scratch, metadata, identity.token(time.time())).growth()
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench.many", description="Measure servers on SQLite and on PostgreSQL.")
    parser.add_argument("--quick", action="store_true", help="half a minute instead of five; less exact")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")
    parser.add_argument("--write", action="store_true", help="put what was found into docs/speed.md, too")
    arguments = parser.parse_args()
    result = uvloop.run(main(QUICK if arguments.quick else FULL, Console(stderr=True)))
    if arguments.write:
        growth_page.write(result)
    if arguments.json:
        print(json.dumps(to_builtins(result), indent=2))
    else:
        show(result, Console())
