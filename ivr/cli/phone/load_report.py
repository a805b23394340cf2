"""The phone under load: a bar while it runs, then a table, or JSON."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
import msgspec
from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ivr.cli.event_loop import on_first_signal
from ivr.cli.phone.terminal import print_metadata
from ivr.phone.callers.dialler import LoadPlan
from ivr.phone.callers.load_test import Latency, LoadResult, run_load_test
from ivr.phone.net.guard import Guard
from ivr.phone.net.load_client import LoadClient
from ivr.phone.net.post import WebPost
from ivr.phone.platform import Target, platform


async def report_load(plan: LoadPlan, target: Target, console: Console, *, as_json: bool) -> bool:
    """Place the calls and print what was measured; False: something went wrong in one of them, or was interrupted.

    The first signal stops dialling and hangs up the open calls; the next one ends the command at once.
    """
    stop = asyncio.Event()
    guard = Guard(target.allowed)
    web = WebPost(guard, connections=plan.concurrency)
    client = LoadClient(guard, web)
    try:
        async with platform(target, post=client) as phone:
            print_metadata(target, phone.metadata)
            with load_bar(plan, shown=not as_json) as progress, on_first_signal(stop.set):
                measured = await run_load_test(phone, plan, progress=progress, stop=stop)
    finally:
        client.close()
        await web.close()
    print_load(measured, load_table(measured), console, as_json=as_json)
    if stop.is_set():
        say_interrupted(measured.calls, plan)
    return not measured.errors and not stop.is_set()


@contextmanager
def load_bar(plan: LoadPlan, *, shown: bool) -> Iterator[Callable[[int], None]]:
    """Show a bar on standard error while a load runs; it is told how many calls are over."""
    columns = (TextColumn("Calls"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not shown) as bar:
        task = bar.add_task("calls", total=plan.calls)
        yield lambda over: bar.update(task, completed=over)


def print_load(measured: Struct, table: Table, console: Console, *, as_json: bool) -> None:
    """Print what was measured: for people its table, for programs itself."""
    if as_json:
        console.out(msgspec.json.format(msgspec.json.encode(measured)).decode(), highlight=False)
    else:
        console.print(table)


def say_interrupted(calls: int, plan: LoadPlan) -> None:
    """Print that a load was stopped after so many calls."""
    click.echo(f"Interrupted: {calls:,} of {plan.calls:,} calls were placed.", err=True)


def load_table(measured: LoadResult) -> Table:
    """Return what was measured, for people."""
    table = Table(show_header=False, title=f"{measured.calls} calls, {measured.requests} requests")
    rows = {
        "time": f"{measured.seconds:.1f} s",
        "calls/s": f"{measured.calls_per_second:,.1f}",
        "requests/s": f"{measured.requests_per_second:,.1f}",
        "reply p50 / p90 / p99 / max": times(measured.reply),
        "the same, to recordings": times(measured.reply_to_recordings),
        "messages sent again": f"{measured.repeats}; a caller waited {measured.longest_wait:,.1f} ms at most",
        "ended by": ", ".join(f"{how} {count}" for how, count in sorted(measured.endings.items())),
        "errors": ", ".join(f"{kind} {count}" for kind, count in sorted(measured.errors.items())) or "none",
        "this phone": f"{measured.phone_microseconds} µs of processor time for a request",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def times(found: Latency | None) -> str:
    """Return reply times as a table shows them."""
    if found is None:
        return "none"
    return f"{found.p50:,.1f} / {found.p90:,.1f} / {found.p99:,.1f} / {found.max:,.1f} ms"
