"""How fast calls are replayed, and in how much memory: `python -m bench.replay [--quick] [--json]`.

Cases of ten turns on one core, without the disk: read, replayed, judged. Then a whole store, as `ivr replay --live`
goes through it: one call after the other, so that the number of calls makes no difference to the memory.
"""

import argparse
import asyncio
import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct, to_builtins
from msgspec.structs import replace
from rich.console import Console

from bench.compared import titled_table
from ivr.call_record import CallRecord, Commit, Stepped
from ivr.cli.stored_calls import StoredCalls
from ivr.engine.call import Facts, new_call
from ivr.engine.events import CallEnded, CallReceived, ChoiceMade, Event
from ivr.engine.flow import Flow
from ivr.engine.machine import step
from ivr.flowfile.load import LoadedFlow, load_flow
from ivr.ports import CallKey
from ivr.store.data_folder import DataFolder
from ivr.store.location import StoreLocation
from ivr.store.opening import open_for_command
from ivr.store.sqlite.sqlite_calls import SqliteStore
from ivr.trace.files import dumps, loads
from ivr.trace.recorded import case_of
from ivr.trace.replay import replay

HERE = Path(__file__).parent
FLOW = HERE.parent / "flows" / "flight-desk.yaml"
SCRATCH = HERE.parent / "build" / "bench"
TURNS = 10
AIM = 1000.0
"Cases a second."
STARTED = 1_795_168_800.0
AT_ONCE = 500


class Replayed(Struct, frozen=True):
    """What replaying costs."""

    cases_per_second: float
    "Cases of ten turns, on one core."
    traces: int
    "Stored calls that were gone through."
    traces_per_second: float
    growth: int
    "Bytes by which the memory grew between the first tenth of them and the end."


QUICK = (1.0, 5_000)
FULL = (3.0, 100_000)
"Seconds of processor time for replays of one call; stored calls to go through."


def measure(seconds: float, traces: int) -> Replayed:
    """Measure both; the store is made in a scratch folder first, at some ten thousand calls a second."""
    loaded = load_flow(FLOW)
    flow = loaded.served()
    record, trace = ten_turns(flow)
    rate = _rate(flow, dumps(case_of(record, trace, flow, {})), seconds)
    folder = SCRATCH / f"replay-{time.time_ns()}"
    folder.mkdir(parents=True)
    try:
        asyncio.run(_fill(folder, loaded, record, trace, traces))
        speed, growth = _stream(folder, flow)
    finally:
        shutil.rmtree(folder)
    return Replayed(rate, traces, speed, growth)


def ten_turns(flow: Flow) -> tuple[CallRecord, Sequence[Stepped]]:
    """Make a call of somebody who wants to hear the times again and again."""
    call = new_call(flow.hash, Facts(id="0" * 32, channel="skype"))
    trace: list[Stepped] = []
    for turn in range(TURNS + 1):
        event: Event = CallReceived("29:caller", "28:bot", "en")
        if turn == TURNS:
            event = CallEnded("caller", call.asked[-1].op)
        elif turn:
            event = ChoiceMade(call.asked[-1].op, "times", "keys")
        after = step(flow, call, event, now=STARTED + 5 * turn)
        trace.append(Stepped(event, STARTED + 5 * turn, after.commands, after.path))
        call = after.call
    return CallRecord("0" * 32, CallKey("skype", "bench", "0"), call, version=1, steps=len(trace)), trace


def _rate(flow: Flow, file: bytes, seconds: float) -> float:
    number, begun = 0, time.process_time()  # not the clock: other processes are not our concern
    while (elapsed := time.process_time() - begun) < seconds:
        for _ in range(50):
            if replay(loads(file, "bench"), flow).verdict != "same":
                raise RuntimeError("a call does not replay as same on its own flow")
        number += 50
    return number / elapsed


async def _fill(folder: Path, loaded: LoadedFlow, record: CallRecord, trace: Sequence[Stepped], number: int) -> None:
    store = await SqliteStore.open(folder / "calls.db", seal_key="00" * 32, seal_file=folder / "seal.key")
    if loaded.bundle is not None:
        await store.save_flow(record.call.flow, loaded.bundle.encode())
    for start in range(0, number, AT_ONCE):
        commits = (
            Commit(replace(record, id=f"{each:032x}", key=CallKey("skype", "bench", str(each))), tuple(trace))
            for each in range(start, min(start + AT_ONCE, number))
        )
        await asyncio.gather(*(store.commit(commit) for commit in commits))
    await store.close()


def _stream(folder: Path, flow: Flow) -> tuple[float, int]:
    """Go through a store as `ivr replay --live` does; give calls a second, and by how much the memory grew."""
    with StoredCalls(open_for_command(StoreLocation(DataFolder(folder)))) as archive:
        warm = archive.count("all") // 10
        settled = most = 0
        begun = time.perf_counter()
        for number, one in enumerate(archive.stored(), 1):
            assert one.record is not None
            replay(case_of(one.record, one.trace, flow, {}), flow)
            if number == warm:
                settled = most = _resident()
            elif number % 1000 == 0:
                most = max(most, _resident())
        return number / (time.perf_counter() - begun), most - settled


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096


def rows(found: Replayed) -> list[tuple[str, str, str]]:
    """Return what was found as rows of a table: what, found, aim."""
    return [
        (f"cases of {TURNS} turns replayed, one core", f"{found.cases_per_second:,.0f}/s", f"{AIM:,.0f}/s"),
        (f"stored calls replayed ({found.traces:,} of them)", f"{found.traces_per_second:,.0f}/s", ""),
        ("growth of memory", f"{found.growth / 2**20:.1f} MiB", "flat"),
    ]


def show(found: Replayed, screen: Console) -> None:
    """Print the table."""
    table = titled_table("Replay", "", "measured", "aim")
    for row in rows(found):
        table.add_row(*row)
    screen.print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench.replay", description="Measure how fast calls are replayed.")
    parser.add_argument("--quick", action="store_true", help="a few seconds instead of a minute; less exact")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")
    arguments = parser.parse_args()
    result = measure(*(QUICK if arguments.quick else FULL))
    if arguments.json:
        print(json.dumps(to_builtins(result), indent=2))
    else:
        show(result, Console())
