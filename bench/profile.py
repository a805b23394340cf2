"""Where the processor time of a request goes: `make bench ARGS=--profile`.

Three looks, from the inside out: the stages of a turn in tight loops (`bench.stages`), then the real server under load,
thread by thread, and what sockets and the parsing of HTTP cost alone (`bench.sockets`).
"""

import argparse
import json

import uvloop
from msgspec import Struct, to_builtins
from rich.console import Console

from bench.calls import Exchange, last_operation
from bench.compared import titled_table
from bench.load import drive
from bench.machine import Machine, this_machine
from bench.run import CALLS, CONNECTIONS, FULL, QUICK, Bench, Extent, open_bench
from bench.stages import MESSAGES, Stage, Stages
from bench.store_stages import store_stages
from bench.subject import Subject, free_port
from ivr.store.sqlite.sqlite_calls import SqliteStore

SOCKETS = "sockets and HTTP alone"


class Threads(Struct, frozen=True):
    """What the threads of a server use for a request of one kind of call."""

    call: str
    us: dict[str, float]
    "Microseconds of processor time, by thread."
    waits: float
    "How often a thread stopped to wait."
    stops: float
    "How often a thread was made to stop."


class Profile(Struct, frozen=True):
    """Everything that was found."""

    machine: Machine
    stages: list[Stage]
    threads: list[Threads]
    sockets: dict[str, float]
    "Microseconds of processor time for a request by `bench.sockets`, by kind of call."


async def main(extent: Extent, console: Console) -> Profile:
    """Measure everything."""
    async with open_bench(extent, console) as bench:
        bench.say("stages")
        stages = Stages()
        measured = stages.measured()
        store = await SqliteStore.open(bench.scratch / "stages.db", seal_key="00" * 32, seal_file=bench.scratch / "key")
        try:
            measured += await store_stages(store, stages.situations, 2 * bench.extent.open_calls // 10)
        finally:
            await store.close()
        threads, sockets = [], {}
        async with bench.serving("profile", wrapper=["bench.named_threads"]) as server:
            port = free_port()
            async with bench.running(["bench.sockets", str(port)], "sockets", port) as canned:
                for name, call in CALLS.items():
                    script = await bench.learned(server, call(), last_operation)
                    threads.append(await _threads(bench, server, name, script))
                    sockets[name] = sum((await _threads(bench, canned, name, script, strict=False)).us.values())
    return Profile(this_machine(), measured, threads, sockets)


async def _threads(
    bench: Bench, server: Subject, name: str, script: tuple[Exchange, ...], *, strict: bool = True
) -> Threads:
    """Put a server under load, and look at its threads before and after."""
    bench.say(f"threads: {name}")
    extent = bench.extent
    await drive(server.port, script, connections=CONNECTIONS, seconds=extent.warm, strict=strict)
    used, switches = server.threads(), server.switches()
    load = await drive(
        server.port, script, connections=CONNECTIONS, seconds=extent.rounds * extent.seconds, strict=strict
    )
    used, switches = server.threads() - used, server.switches() - switches
    us = {thread: used_ / 1000 / load.requests for thread, used_ in used.most_common()}
    return Threads(name, us, switches["voluntary"] / load.requests, switches["nonvoluntary"] / load.requests)


def show(found: Profile, screen: Console) -> None:
    """Print the tables."""
    screen.print(f"{found.machine}. Microseconds of processor time.")
    table = titled_table("Stages of a turn, in tight loops", "", *MESSAGES, "mean")
    for stage in found.stages:
        table.add_row(stage.name, *(f"{us:.1f}" for us in stage.us), f"{stage.mean:.1f}")
    screen.print(table)
    table = titled_table("Threads of the server, for a request", "", *(each.call for each in found.threads))
    for name in dict.fromkeys(name for each in found.threads for name in each.us):
        table.add_row(name, *(f"{each.us.get(name, 0.0):.1f}" for each in found.threads))
    table.add_row("sum", *(f"{sum(each.us.values()):.1f}" for each in found.threads))
    table.add_row("a thread waits, times", *(f"{each.waits:.2f}" for each in found.threads))
    table.add_row("a thread is stopped, times", *(f"{each.stops:.2f}" for each in found.threads))
    table.add_row(SOCKETS, *(f"{found.sockets[each.call]:.1f}" for each in found.threads))
    screen.print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench.profile", description="Where the processor time of a request goes.")
    parser.add_argument("--quick", action="store_true", help="a few seconds instead of a minute; less exact")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")
    arguments = parser.parse_args()
    profile = uvloop.run(main(QUICK if arguments.quick else FULL, Console(stderr=True)))
    if arguments.json:
        print(json.dumps(to_builtins(profile), indent=2))
    else:
        show(profile, Console())
