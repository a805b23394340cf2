"""Call scripts: each with the bot it names, or with a server of our own for its flow, tokens checked."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from msgspec.structs import replace
from rich.console import Console

from ivr.cli.phone.own_bot_screen import mistakes_in_all
from ivr.cli.phone.terminal import print_metadata
from ivr.cli.terminal_text import plain
from ivr.flowfile.finding import Finding, as_text
from ivr.flowfile.flow_folder import SCRIPT_SUFFIX
from ivr.flowfile.load import asks_the_clock
from ivr.flowfile.yaml.reader import MAX_BYTES
from ivr.media.prompt_renderer import samples_of
from ivr.phone.callers.script.parsing import ScriptError, read_script
from ivr.phone.callers.script.playing import Played, StateOf, play
from ivr.phone.callers.script.steps import Script
from ivr.phone.platform import Platform, Target, platform, sound_of
from ivr.ports import CallKey
from ivr.server.assembly import running
from ivr.server.plugs.skype import CHANNEL
from ivr.settings import load_settings
from ivr.smallfiles import read_head
from ivr.storage import Archive
from ivr.store.data_folder import DataFolder
from ivr.store.location import StoreLocation
from ivr.store.opening import open_for_command


async def run_scripts(paths: Sequence[Path], target: Target, console: Console) -> bool:
    """Run scripts one after the other and say how they went; False: one failed."""
    files = [file for path in paths for file in (sorted(path.rglob(f"*{SCRIPT_SUFFIX}")) if path.is_dir() else [path])]
    failed = 0
    async with platform(target) as phone:
        print_metadata(target, phone.metadata)
        for file in files:
            played = await _run(file, phone)
            failed += played.failure is not None
            if played.failure:
                console.print(f"[red]failed[/]  {plain(str(file))}\n{plain(played.failure)}")
            else:
                console.print(f"[green]passed[/]  {plain(str(file))}")
            if played.warning:
                console.print(f"[yellow]{plain(played.warning)}[/]")
    console.print(f"{len(files)} call{'' if len(files) == 1 else 's'}, {failed} failed.")
    return failed == 0 and bool(files)


async def run_script(file: Path, target: Target) -> Played:
    """Run one script. What keeps it from being run at all is a failure, too."""
    async with platform(target) as phone:
        return await _run(file, phone)


async def _run(file: Path, phone: Platform) -> Played:
    try:
        script = await asyncio.to_thread(read_script, file, phone.target.who)
    except ScriptError as error:
        return Played(str(error), ())
    warnings: list[str] = []
    async with _bot(script, phone) as (bot, data):
        samples, state_of = partial(samples_of, workers=phone.workers), None
        async with AsyncExitStack() as stack:
            if data is not None:
                store = await open_for_command(data)
                stack.push_async_callback(store.close)
                state_of = _states(store.archive, phone.target.app_id)
            played = await play(script, phone, sound_of(phone), samples=samples, state_of=state_of, bot=bot)
        if data is not None:
            warnings += await asyncio.to_thread(mistakes_in_all, data)
    if clock := await asyncio.to_thread(_by_the_clock, script):
        warnings.append(clock)
    return replace(played, warning="\n".join(warnings) or None)


def _by_the_clock(script: Script) -> str | None:
    """Return a warning where the flow asks what time it is, and the script does not say."""
    if (
        script.flow is None
        or script.who.at
        or not asks_the_clock(str(script.flow), read_head(script.flow, MAX_BYTES + 1))
    ):
        return None
    message = "The flow asks the clock, and this script names no time: on another day it may go otherwise."
    suggestion = 'Add a time to its head, such as  at: "2026-12-01 10:00".'
    return as_text([Finding("clock", "warning", str(script.file), 1, 1, 0, message, suggestion)])


@asynccontextmanager
async def _bot(script: Script, phone: Platform) -> AsyncIterator[tuple[str | None, StoreLocation | None]]:
    if script.flow is None:
        yield script.bot, None
        return
    with tempfile.TemporaryDirectory() as folder:
        loaded = load_settings(
            flags={
                "app_id": phone.target.app_id,
                "openid_metadata": phone.metadata,
                "openid_loopback": True,
                "host": "127.0.0.1",
                "port": 0,
                "data": Path(folder),
                "store": "sqlite",  # in that folder: the one of this machine's settings may be a line's
            }
        )
        async with running(loaded.settings, [script.flow], dev=False, pretends=True) as server:
            yield f"{server.url}/call", StoreLocation(DataFolder(Path(folder)))


def _states(archive: Archive, account: str) -> StateOf:
    """Look up where a call stands, in what the server has saved."""

    async def state_of(call: str) -> str | None:
        found = await archive.named(CallKey(CHANNEL, account, call))
        record = await archive.call(found) if found else None
        return record.call.state if record else None

    return state_of
