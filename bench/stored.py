"""What a full store costs: `python -m bench.stored [--quick] [--json]`, a part of `make bench`.

A million calls that are over, and then 100,000 that are not, are made as copies of two that a server took
(`bench.full_store`). A server is started on them, and its console is looked at again and again while calls go on: what
a caller waits for must not grow with what is stored.
"""

import argparse
import asyncio
import http.client
import json
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlencode

import uvloop
from msgspec import Struct, to_builtins
from rich.console import Console

from bench.calls import json_call, learn, open_call
from bench.compared import A_CALL, titled_table
from bench.full_store import DAY, DAYS, fill
from bench.load import Load, drive
from bench.real_server import APP_ID, server_command, server_environment
from bench.subject import PYTHON, Subject, cores, free_port, running
from ivr.phone.net.identity import Identity, identity_served
from ivr.store.data_folder import DataFolder

HERE = Path(__file__).parent
SCRATCH = HERE.parent / "build" / "bench"
TOKEN = "the-token-of-the-bench"
CONNECTIONS = 16
SECONDS = 5.0
PAGES = ("/console", "/console/flows", "/console/flows/bench?period=all")
FULL = (1_000_000, 100_000)
"Calls that are over, and calls that are not."
QUICK = (20_000, 2_000)
PATIENCE = 300.0
"Seconds for a server to start."
OLD = 0.02
"The share of the calls over which is forgotten in the end."


Waits: TypeAlias = tuple[float, float]
Pages: TypeAlias = dict[str, float]


class Stored(Struct, frozen=True):
    """What was found."""

    calls: int
    live: int
    size: int
    "Bytes of the database, both included."
    start: float
    "Seconds until the server answers, without calls in progress."
    start_live: float
    "The same with them."
    memory: int
    "Bytes that stay resident, without calls in progress."
    per_live: float
    "Bytes for each of them."
    listed: float
    "Seconds of `ivr calls --limit 20`."
    alone: tuple[float, float]
    "Milliseconds of a turn at p99 and at most, without anything else."
    looked_at: tuple[float, float]
    "The same while the console's pages are opened one after the other."
    first: dict[str, float]
    "Milliseconds of a page the first time."
    again: dict[str, float]
    "The same afterwards, while calls go on."
    whole: float
    "Seconds until the figures of the flow are of all calls."
    forgetting: tuple[float, float]
    "Milliseconds of a turn at p99 and at most while old calls are forgotten."
    forgotten: int
    forgotten_per_second: float


@asynccontextmanager
async def serving(folder: Path, metadata: str, **more: str) -> AsyncIterator[Subject]:
    """Run the real server on a data folder, on a core of its own."""
    port = free_port()
    idle = str(10 * DAY)
    environment = server_environment(
        folder, metadata, IVR_CONSOLE_TOKEN=TOKEN, IVR_IDLE=idle, **{"IVR_LOG_LEVEL": "info", **more}
    )
    command, log = server_command(port), folder.parent / "server.log"
    async with running(command, port=port, core=cores()[0], log=log, environment=environment, patience=PATIENCE) as one:
        yield one


# --- the console -----------------------------------------------------------------------------------------------------


class Operator:
    """Somebody who looks at the console."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        form = urlencode({"token": TOKEN})
        self._connection.request("POST", "/console/login", form, {"Content-Type": "application/x-www-form-urlencoded"})
        answer = self._connection.getresponse()
        answer.read()
        self._cookie = (answer.headers["Set-Cookie"] or "").partition(";")[0]

    def opens(self, page: str) -> tuple[float, str]:
        """Open a page; give the milliseconds, and what it says."""
        begun = time.perf_counter()
        self._connection.request("GET", page, headers={"Cookie": self._cookie})
        answer = self._connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            raise SystemExit(f"{page}: {answer.status}")
        return 1000 * (time.perf_counter() - begun), text

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def looks(self, pages: tuple[str, ...], until: float) -> dict[str, float]:
        """Open pages one after the other, until then; give the slowest time of each."""
        worst = dict.fromkeys(pages, 0.0)
        while time.perf_counter() < until:
            for page in pages:
                worst[page] = max(worst[page], self.opens(page)[0])
        return worst


def _waits(load: Load) -> Waits:
    return load.percentile(0.99), load.percentile(1.0)


# --- everything ------------------------------------------------------------------------------------------------------


async def measure(calls: int, live: int, screen: Console) -> Stored:
    """Make the store, and measure a server on it."""
    scratch = SCRATCH / f"stored-{os.getpid()}"
    folder = DataFolder(scratch / "data")
    scratch.mkdir(parents=True)
    identity = Identity(APP_ID)
    os.sched_setaffinity(0, {cores()[1]})
    try:
        async with identity_served(identity) as metadata:
            token = identity.token(time.time())
            async with serving(folder.path, metadata) as server:
                for conversation in (json_call(1), open_call()):
                    await asyncio.to_thread(learn, server.port, token, conversation)
            screen.print(f"making {calls:,} calls that are over")
            await asyncio.to_thread(fill, folder.database, calls, live=False)
            start, memory = await _started(folder.path, metadata)
            listed = await asyncio.to_thread(_listed, folder.path)
            screen.print(f"making {live:,} calls in progress")
            await asyncio.to_thread(fill, folder.database, live, live=True)
            size = folder.database.stat().st_size
            start_live, more = await _started(folder.path, metadata)
            found = await _used(folder.path, metadata, token, screen)
            forgetting = await _forgetting(folder.path, metadata, token, screen)
            return Stored(
                calls, live, size, start, start_live, memory, (more - memory) / live, listed, *found, *forgetting
            )
    finally:
        shutil.rmtree(scratch)


async def _started(folder: Path, metadata: str) -> tuple[float, int]:
    """Start a server and stop it again; return the seconds until it answered, and its memory then."""
    begun = time.perf_counter()
    async with serving(folder, metadata) as server:
        return time.perf_counter() - begun, server.memory()


def _listed(folder: Path) -> float:
    begun = time.perf_counter()
    command = [*PYTHON, "ivr", "calls", "--limit", "20"]
    listed = subprocess.run(command, env=os.environ | {"IVR_DATA": str(folder)}, capture_output=True, check=True)
    if listed.stdout.count(b"\n") < 20:
        raise SystemExit(f"ivr calls --limit 20 says:\n{listed.stdout.decode()}")
    return time.perf_counter() - begun


async def _used(folder: Path, metadata: str, token: str, screen: Console) -> tuple[Waits, Waits, Pages, Pages, float]:
    """Take turns, alone and while the console is used."""
    screen.print("turns, then turns while the console is used")
    async with serving(folder, metadata) as server:
        script = await asyncio.to_thread(learn, server.port, token, json_call(5))
        await drive(server.port, script, connections=CONNECTIONS, seconds=1.0)
        alone = await drive(server.port, script, connections=CONNECTIONS, seconds=SECONDS)
        with closing(await asyncio.to_thread(Operator, server.port)) as operator:
            first, whole = await asyncio.to_thread(_first_looks, operator)
            ends = time.perf_counter() + SECONDS
            again = asyncio.create_task(asyncio.to_thread(operator.looks, PAGES, ends))
            later = await drive(server.port, script, connections=CONNECTIONS, seconds=SECONDS)
            slowest = await again
    return _waits(alone), _waits(later), first, slowest, whole


async def _forgetting(folder: Path, metadata: str, token: str, screen: Console) -> tuple[Waits, int, float]:
    """Take turns while old calls are erased."""
    screen.print("turns while old calls are erased")
    old = DAYS * (1 - OLD)
    limit = time.time() - old * DAY
    before = _count(folder, limit)
    async with serving(folder, metadata, IVR_RETENTION=str(old)) as server:
        script = await asyncio.to_thread(learn, server.port, token, json_call(5))
        begun = time.perf_counter()
        load = await drive(server.port, script, connections=CONNECTIONS, seconds=SECONDS)
        forgotten = before - _count(folder, limit)
        return _waits(load), forgotten, forgotten / (time.perf_counter() - begun)


def _first_looks(operator: Operator) -> tuple[dict[str, float], float]:
    """Open each page for the first time on a quiet server, and the flow's until its figures are of all calls."""
    begun = time.perf_counter()
    first = {page: operator.opens(page)[0] for page in PAGES}
    while "still counting" in operator.opens(PAGES[-1])[1]:
        pass
    return first, time.perf_counter() - begun


def _count(folder: Path, before: float) -> int:
    with closing(sqlite3.connect(folder / "calls.db")) as connection:
        (number,) = connection.execute("SELECT count(*) FROM call WHERE ended < ?", (before,)).fetchone()
        return int(number)


def show(found: Stored, screen: Console) -> None:
    """Print the table."""
    table = titled_table(f"{found.calls:,} calls that are over, {found.live:,} in progress", "", "measured", "aim")
    table.add_row("size of the database", f"{found.size / 1e9:.1f} GB", "")
    table.add_row("start, without those in progress", f"{found.start:.1f} s", "2 s")
    table.add_row("start with them", f"{found.start_live:.1f} s", "6 s")
    table.add_row("memory, without those in progress", f"{found.memory / 2**20:.0f} MiB", "")
    table.add_row("memory of one in progress", f"{found.per_live / 1024:.1f} KiB", f"{A_CALL // 1024} KiB")
    table.add_row("ivr calls --limit 20", f"{found.listed:.1f} s", "")
    for name, waits in (
        ("a turn, alone", found.alone),
        ("a turn, while the console is used", found.looked_at),
        ("a turn, while calls are erased", found.forgetting),
    ):
        table.add_row(f"{name}: p99, most", f"{waits[0]:.0f} ms, {waits[1]:.0f} ms", "")
    for page in PAGES:
        table.add_row(f"{page}: first, slowest later", f"{found.first[page]:,.0f} ms, {found.again[page]:,.0f} ms", "")
    table.add_row("until the flow's figures include all calls", f"{found.whole:.1f} s", "")
    table.add_row("calls erased", f"{found.forgotten:,}, {found.forgotten_per_second:,.0f} a second", "")
    screen.print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench.stored", description="Measure a server whose store is full.")
    parser.add_argument("--quick", action="store_true", help="20,000 calls instead of a million")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")
    arguments = parser.parse_args()
    result = uvloop.run(measure(*(QUICK if arguments.quick else FULL), Console(stderr=True)))
    if arguments.json:
        print(json.dumps(to_builtins(result), indent=2))
    else:
        show(result, Console())
