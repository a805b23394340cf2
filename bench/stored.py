"""What a full store costs: `python -m bench.stored [--quick] [--json]`, a part of `make bench`.

A million calls that are over and 100,000 that are not are written straight into SQLite, as copies of two that a server
took. Then a server is started on them, and its console is looked at again and again while calls go on: what a caller
waits for must not grow with what is stored.
"""

import argparse
import asyncio
import http.client
import json
import os
import re
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from urllib.parse import urlencode

import uvloop
from msgspec import Struct, to_builtins
from rich.console import Console
from rich.table import Table

from bench.calls import json_call, learn, open_call
from bench.load import Load, drive
from bench.subject import Subject, cores, free_port, running
from ivr.phone.net.identity import Identity, identity_served
from ivr.store.data_folder import DataFolder
from ivr.store.tables import BLOCK

HERE = Path(__file__).parent
SCRATCH = HERE.parent / "build" / "bench"
APP_ID = "bench-app"
TOKEN = "the-token-of-the-bench"
CONNECTIONS = 16
SECONDS = 5.0
PAGES = ("/console", "/console/flows", "/console/flows/bench?period=all")
FULL = (1_000_000, 100_000)
"Calls that are over, and calls that are not."
QUICK = (20_000, 2_000)
PATIENCE = 300.0
"Seconds for a server to start."
DAY = 86400.0
OLD = 0.02
"The share of the calls over which is forgotten in the end."


class Stored(Struct, frozen=True):
    """What was found."""

    calls: int
    live: int
    start: float
    "Seconds until the server answers."
    memory: int
    "Bytes that stay resident."
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
    environment = {
        "IVR_APP_ID": APP_ID,
        "IVR_OPENID_METADATA": metadata,
        "IVR_OPENID_LOOPBACK": "true",
        "IVR_PUBLIC_URL": "https://bench.example",
        "IVR_DATA": str(folder),
        "IVR_CONSOLE_TOKEN": TOKEN,
        "IVR_IDLE": str(10 * DAY),
        "IVR_LOG_LEVEL": "info",
        **more,
    }
    command = ["ivr", "serve", str(HERE / "flow.yaml"), "--host", "127.0.0.1", "--port", str(port)]
    log = folder.parent / "server.log"
    async with running(command, port=port, core=cores()[0], log=log, environment=environment, patience=PATIENCE) as one:
        yield one


# --- the store -------------------------------------------------------------------------------------------------------


class Copied(Struct, frozen=True):
    """One call as a server stored it, to be written again under other names."""

    columns: tuple[object, ...]
    replies: list[tuple[str, bytes]]
    lines: list[tuple[int, str]]

    def row(self, number: int, started: float) -> tuple[object, ...]:
        """Return the columns of the n-th copy."""
        _, identity, channel, account, name, over, state, rest = self.columns
        new = f"{2**124 + number:032x}"  # a name that the load generator does not give
        assert isinstance(identity, str)
        assert isinstance(name, str)
        assert isinstance(state, str)
        assert isinstance(rest, bytes)
        state = state.replace(identity, new).replace(name, new)
        state = re.sub(r'"started":[0-9.]+', f'"started":{started}', state, count=1)
        rest = rest.replace(identity.encode(), new.encode()).replace(name.encode(), new.encode())
        return number, new, channel, account, new, over, state, rest


def fill(database: Path, calls: int, live: int) -> None:
    """Copy the two calls that are there until there are so many."""
    now = time.time()
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        over, open_ = (_copied(connection, over=flag) for flag in (1, 0))
        connection.execute("BEGIN")
        for first in range(3, calls + live + 3, 10_000):
            numbers = range(first, min(first + 10_000, calls + live + 3))
            copies = [(number, open_ if number >= calls + 3 else over) for number in numbers]
            started = {number: now - 30 * DAY * (1 - number / (calls + live)) for number, _ in copies}
            _write(connection, copies, started)
        connection.execute(f"INSERT OR IGNORE INTO block SELECT DISTINCT row / {BLOCK}, 1, 1 FROM call")
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _write(connection: sqlite3.Connection, copies: list[tuple[int, Copied]], started: dict[int, float]) -> None:
    connection.executemany(
        "INSERT INTO call VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (one.row(number, started[number]) for number, one in copies)
    )
    connection.executemany("INSERT INTO reply VALUES (?, ?, ?)", _of_each(copies, "replies"))
    connection.executemany("INSERT INTO trace VALUES (?, ?, ?)", _of_each(copies, "lines"))
    ended = ((number, started[number] + 60) for number, one in copies if one.columns[5])
    connection.executemany("INSERT INTO ended VALUES (?, ?)", ended)
    connection.executemany(
        "INSERT INTO media VALUES (?, ?)", ((f"{number:032x}.wma", number) for number, one in copies if one.columns[5])
    )


def _of_each(copies: list[tuple[int, Copied]], what: str) -> Iterator[tuple[object, ...]]:
    return ((number, *each) for number, one in copies for each in getattr(one, what))


def _copied(connection: sqlite3.Connection, *, over: int) -> Copied:
    columns = connection.execute("SELECT * FROM call WHERE over = ?", (over,)).fetchone()
    replies = connection.execute(
        "SELECT message, body FROM reply WHERE call = ? ORDER BY rowid", columns[:1]
    ).fetchall()
    lines = connection.execute("SELECT line, body FROM trace WHERE call = ? ORDER BY line", columns[:1]).fetchall()
    return Copied(columns, replies, lines)


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

    def looks(self, pages: tuple[str, ...], until: float) -> dict[str, float]:
        """Open pages one after the other, until then; give the slowest time of each."""
        worst = dict.fromkeys(pages, 0.0)
        while time.perf_counter() < until:
            for page in pages:
                worst[page] = max(worst[page], self.opens(page)[0])
        return worst


def _waits(load: Load) -> tuple[float, float]:
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
                for conversation in (json_call(2), open_call()):
                    await asyncio.to_thread(learn, server.port, token, conversation)
            screen.print(f"writing {calls:,} ended calls, and {live:,} live ones")
            await asyncio.to_thread(fill, folder.database, calls, live)
            return await _measured(folder.path, metadata, token, calls, live, screen)
    finally:
        shutil.rmtree(scratch)


async def _measured(folder: Path, metadata: str, token: str, calls: int, live: int, screen: Console) -> Stored:
    begun = time.perf_counter()
    async with serving(folder, metadata) as server:
        start = time.perf_counter() - begun
        screen.print("turns, then turns while the console is used")
        script = await asyncio.to_thread(learn, server.port, token, json_call(5))
        await drive(server.port, script, connections=CONNECTIONS, seconds=1.0)
        memory = server.memory()
        alone = await drive(server.port, script, connections=CONNECTIONS, seconds=SECONDS)
        operator = await asyncio.to_thread(Operator, server.port)
        first, whole = await asyncio.to_thread(_first_looks, operator)
        ends = time.perf_counter() + SECONDS
        again = asyncio.create_task(asyncio.to_thread(operator.looks, PAGES, ends))
        later = await drive(server.port, script, connections=CONNECTIONS, seconds=SECONDS)
        slowest = await again
    old = 30 * (1 - OLD)
    screen.print("turns while old calls are erased")
    limit = time.time() - old * DAY
    before = _count(folder, limit)
    async with serving(folder, metadata, IVR_RETENTION=str(old)) as server:
        begun = time.perf_counter()
        load = await drive(server.port, script, connections=CONNECTIONS, seconds=SECONDS)
        forgotten = before - _count(folder, limit)
        rate = forgotten / (time.perf_counter() - begun)
    return Stored(
        calls, live, start, memory, _waits(alone), _waits(later), first, slowest, whole, _waits(load), forgotten, rate
    )


def _first_looks(operator: Operator) -> tuple[dict[str, float], float]:
    """Open each page for the first time on a quiet server, and the flow's until its figures are of all calls."""
    begun = time.perf_counter()
    first = {page: operator.opens(page)[0] for page in PAGES}
    while "still counting" in operator.opens(PAGES[-1])[1]:
        pass
    return first, time.perf_counter() - begun


def _count(folder: Path, before: float) -> int:
    with closing(sqlite3.connect(folder / "calls.db")) as connection:
        (number,) = connection.execute("SELECT count(*) FROM ended WHERE at < ?", (before,)).fetchone()
        return int(number)


def show(found: Stored, screen: Console) -> None:
    """Print the table."""
    table = Table(title=f"{found.calls:,} stored calls, {found.live:,} in progress, {CONNECTIONS} connections")
    for heading in ("", "measured"):
        table.add_column(heading, justify="left" if not heading else "right")
    table.add_row("start", f"{found.start:.1f} s")
    table.add_row("memory", f"{found.memory / 2**20:.0f} MiB")
    for name, waits in (
        ("a turn, alone", found.alone),
        ("a turn, while the console is used", found.looked_at),
        ("a turn, while calls are erased", found.forgetting),
    ):
        table.add_row(f"{name}: p99, most", f"{waits[0]:.0f} ms, {waits[1]:.0f} ms")
    for page in PAGES:
        table.add_row(f"{page}: first, slowest later", f"{found.first[page]:,.0f} ms, {found.again[page]:,.0f} ms")
    table.add_row("until the flow's figures include all calls", f"{found.whole:.1f} s")
    table.add_row("calls erased", f"{found.forgotten:,}, {found.forgotten_per_second:,.0f} a second")
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
