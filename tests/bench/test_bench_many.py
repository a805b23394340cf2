"""How the server grows is measured with all of its processes, and a table says what came of it."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.console import Console

from bench.calls import Exchange
from bench.growth_page import growth_table
from bench.load import Load, drive
from bench.machine import Machine
from bench.many_results import SCENARIOS, Found, Growth, LiveCalls, Round, show
from bench.process_tree import tree_cpu, tree_memory

MACHINE = Machine("2026-01-02", "Processor X", 2, "3.11.9", "3.45.0", None)
SPINS = """
import os, sys
if os.fork() == 0:
    for _ in range(3_000_000): pass
    print("spun", flush=True)
sys.stdin.read()
"""


def test_a_server_is_measured_with_the_processes_that_it_has_started() -> None:
    process = subprocess.Popen([sys.executable, "-c", SPINS], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"spun\n"
        assert tree_cpu(process.pid) > 0.02
        assert len(tree_memory(process.pid)) == 2
    finally:
        process.communicate()


@asynccontextmanager
async def answering() -> AsyncIterator[tuple[int, list[list[bytes]]]]:
    """Answer each request, and keep which came over which connection."""
    seen: list[list[bytes]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine: list[bytes] = []
        seen.append(mine)
        while line := await reader.readline():
            mine.append(line)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], seen


async def test_the_messages_of_a_call_go_over_several_connections_in_turn() -> None:
    script = [Exchange((b"%d\n" % number,), b"", 0.0) for number in range(4)]
    async with answering() as (port, seen):
        load = await drive(port, script, connections=1, calls=2, each=2)
    assert (load.calls, load.requests) == (2, 8)
    assert seen == [[b"0\n", b"2\n"] * 2, [b"1\n", b"3\n"] * 2]


def test_the_table_has_servers_and_database_apart() -> None:
    rounds = [Round(Load(100, 25, 1.0, [0.002] * 100), cpu, 0.001, 300_000) for cpu in (0.01, 0.02, 0.09)]
    found = Found.of("PostgreSQL, 2 processes", SCENARIOS[0], rounds)
    assert (found.cpu_us, found.database_us, found.requests_per_second) == (200.0, 10.0, 100.0)
    live = LiveCalls(1000, 2048.0, 90 * 2**20)
    screen = Console(record=True, width=120, quiet=False)
    show(Growth(MACHINE, "15.14", 3, 1.0, [found], live, ["Without the peer."]), screen)
    text = screen.export_text()
    for part in ("PostgreSQL, 2 processes", "200", "Without the peer.", "2.0 KiB of tables", "90 MiB"):
        assert part in text


def test_the_page_says_what_many_live_calls_need() -> None:
    rounds = [Round(Load(1000, 250, 1.0, [0.002] * 1000), 0.12, 0.06, 3_000_000)]
    found = [Found.of("PostgreSQL, 2 processes", scenario, rounds) for scenario in SCENARIOS]
    text = growth_table(Growth(MACHINE, "15.14", 1, 1.0, found, LiveCalls(1000, 2000.0, 2**20), []))
    assert "| PostgreSQL, 2 processes | 1,000 | 2.0 ms | 2.0 ms | 120 µs | 60 µs | 2.9 KiB |" in text
    # 125,000 turns a second, 120 and 60 us each, at 60 % of a core.
    assert "125,000 turns a second" in text
    assert "the servers need 25 cores, and the database 12, with 375 MB of log a second and 2 GB of live calls" in text
