"""`ivr serve`: says what is wrong before anything starts, what to do next once it runs, and stops when told to."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from shlex import quote as quoted
from urllib.parse import quote

import click

from ivr.cli.event_loop import fast_loop, spare_the_collector
from ivr.cli.serve_processes import ServeChild, ServeProcesses
from ivr.errors import DataUnusable, FlowError, FolderInUse, StoreUnavailable
from ivr.logs import quiet_loop, start_logging
from ivr.server.assembly import Running, running
from ivr.server.fatal import end_when_out_of_memory
from ivr.server.page_frame import CHAT
from ivr.server.plugs.plug import Example, Registration
from ivr.server.startup import check_settings, reserve_port
from ivr.setting_sources import can_be_flag, fields_of
from ivr.settings import Settings, SettingsError, load_settings, variable
from ivr.trace.folders import FLOWS

log = logging.getLogger(__name__)

PATIENCE = 10.0
"Seconds from SIGTERM to the end, whatever is still going on: nothing is lost by it, see docs/operations.md."
GRACE = 2.0
"Seconds more, after which workers that have not ended by themselves are killed."
_REFUSALS = (SettingsError, FlowError, FolderInUse, DataUnusable, StoreUnavailable)


def _flags(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command a flag for each setting."""
    for name, field in reversed(fields_of(Settings).items()):
        if can_be_flag(field):
            flag = "--" + name.replace("_", "-")
            command = click.option(flag, name, metavar="VALUE", help=f"{field.description} [{variable(name)}]")(command)
    return command


@click.command
@click.argument("flows", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--dev", is_flag=True, help="Development mode: no tokens, and only for this machine.")
@click.option(
    "--settings", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A TOML file of settings."
)
@_flags
def serve(flows: tuple[Path, ...], dev: bool, file: Path | None, **flags: str | None) -> None:
    """Answer calls with FLOWS: flow files or folders of flow files. Default: the folder flows.

    \b
    Try it on this machine:   ivr serve --dev flows/
    For a platform:           IVR_APP_ID=… IVR_PUBLIC_URL=https://… ivr serve flows/

    Edited flows are loaded while calls continue. The log is written to standard error, as lines of JSON.
    """
    try:
        loaded = load_settings(file=file, flags=flags)
        check_settings(loaded.settings, dev=dev)
        places = flows or _shipped()
        start_logging(loaded.settings.log_level)
        end_when_out_of_memory()
        for sentence in loaded.unknown:
            log.warning("unknown setting", extra={"reason": sentence})
        for sentence in loaded.doubtful:
            log.warning("doubtful setting", extra={"reason": sentence})
        if loaded.settings.workers > 1:
            raise click.exceptions.Exit(_serve_by_workers(loaded.settings, places))
        with asyncio.Runner(loop_factory=fast_loop()) as runner:
            runner.run(_serve(loaded.settings, places, dev=dev))
    except _REFUSALS as error:
        raise click.ClickException(str(error)) from error


def _serve_by_workers(settings: Settings, places: Sequence[Path]) -> int:
    """Serve from several processes, and return the exit status; raise SettingsError if the port cannot be had."""
    with reserve_port(settings) as reserved:
        own = settings.model_copy(update={"port": reserved.getsockname()[1]})

        def serve(child: ServeChild) -> int:
            try:
                with asyncio.Runner(loop_factory=fast_loop()) as runner:
                    runner.run(_serve(own, places, dev=False, child=child))
            except _REFUSALS as error:
                click.ClickException(str(error)).show()
                return 1
            return 0

        return ServeProcesses(settings.workers, serve, patience=PATIENCE + GRACE).run()


async def _serve(settings: Settings, places: Sequence[Path], *, dev: bool, child: ServeChild | None = None) -> None:
    loop = asyncio.get_running_loop()
    quiet_loop(loop)
    stop = asyncio.Event()

    def on_signal() -> None:
        stop.set()
        loop.call_later(PATIENCE, _give_up)

    def on_parent_gone(line: socket.socket) -> None:
        loop.remove_reader(line.fileno())  # it stays readable
        on_signal()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    if child is not None:
        loop.add_reader(child.line.fileno(), on_parent_gone, child.line)
    async with running(settings, places, dev=dev, watched=True, worker=child.number if child else 0) as server:
        spare_the_collector()
        if child is None or child.first:
            _announce(server, dev=dev)
        if child is not None:
            child.ready()
        await stop.wait()


def _give_up() -> None:
    log.error("drained too slowly", extra={"reason": "unfinished requests continue after the next start"})
    os._exit(1)


def _shipped() -> tuple[Path, ...]:
    if not FLOWS.is_dir():
        raise SettingsError("Give a flow to serve, such as: ivr serve --dev my-flow.yaml")
    return (FLOWS,)


def _announce(server: Running, *, dev: bool) -> None:
    """Print what is served and what to do next."""
    click.echo(f"Serving {', '.join(server.flows)} at {server.url} (Ctrl-C to stop).")
    for file in server.broken:
        click.echo(f"NOT SERVED, because it has errors: {file}. See: ivr check {file}")
    if server.console and not dev:
        click.echo(f"The console: {server.console}")
    if not dev:
        _tell_addresses(server)
        return
    click.echo("Development mode: requests need no token, and only this machine can connect.")
    if server.example:
        _show_example(server, server.example)
    click.echo(f"Start page:  {server.url}/   (phone, chat, console, flows and their errors, documentation)")
    click.echo(f"The console: {server.console}")
    click.echo(f"The chat:    {server.url}{CHAT}    (open it and write)")
    click.echo(f"The phone:   {server.phone}   (open it and press Call)")


def _show_example(server: Running, example: Example) -> None:
    path = example.path if server.default else f"{example.path}/{quote(server.flows[0])}"
    click.echo("To send a call as the platform does, from another terminal:\n")
    click.echo(f"  curl {server.url}{path} -H 'Content-Type: {example.content_type}' -d {quoted(example.body)}\n")


def _tell_addresses(server: Running) -> None:
    """Print what the operator has to register at the platforms."""
    for one in server.registrations:
        if one.starts:
            _tell_where_calls_begin(server, one)
        else:
            click.echo(f"Register {server.public}{one.path} as {one.what}.")


def _tell_where_calls_begin(server: Running, one: Registration) -> None:
    """Print where calls begin; the address that names no flow only where a call to it is answered."""
    call = f"{server.public}{one.path}"
    if server.default or server.routed:
        click.echo(f"Register {call} as {one.what}.")
        if not server.default:
            click.echo(f"{call} answers only the identities in IVR_ROUTES until IVR_DEFAULT_FLOW is set.")
        return
    click.echo(f"Register one of these as {one.what}:")
    for flow in server.flows:
        click.echo(f"  {call}/{flow}")
    click.echo(f"{call} answers no calls until IVR_DEFAULT_FLOW or IVR_ROUTES is set.")
