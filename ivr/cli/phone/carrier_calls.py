"""`ivr phone --as`: a carrier of lines over the web is played, by hand, by script, many times at once, or by order."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Protocol

import click
from rich.console import Console

from ivr.audio.workers import Workers
from ivr.cli.event_loop import on_first_signal, until_signal
from ivr.cli.keyboard import Keyboard
from ivr.cli.phone.carrier_flags import CarrierFlags
from ivr.cli.phone.jambonz_line import jambonz_line
from ivr.cli.phone.load_report import load_bar, load_table, print_load, say_interrupted
from ivr.cli.phone.one_telephone import OneTelephone
from ivr.cli.phone.screen import Screen
from ivr.cli.phone.terminal import Typist, speak_aloud
from ivr.cli.phone.twiml_line import twiml_line
from ivr.cli.terminal_text import plain
from ivr.flowfile.finding import Finding, as_text
from ivr.flowfile.flow_folder import SCRIPT_SUFFIX
from ivr.media.installed import installed_sound
from ivr.media.prompt_renderer import samples_of
from ivr.media.sound import Sound
from ivr.phone.callers.dialler import LoadPlan
from ivr.phone.callers.load_test import run_load_test
from ivr.phone.callers.script.parsing import ScriptError, read_script
from ivr.phone.callers.script.playing import ScriptCaller
from ivr.phone.callers.script.steps import Script
from ivr.phone.callers.turn_based import TurnBased
from ivr.phone.handset import Handset
from ivr.phone.phone_events import Ended
from ivr.phone.placed_call import Caller
from ivr.phone.platform import PlacesCalls


class CarrierLine(PlacesCalls, Protocol):
    """An open line of one carrier."""

    findings: list[str]
    "What the bot did that it must not do, in sentences."
    notes: list[str]
    "What the bot has to know of this carrier, in sentences."
    telephone: OneTelephone
    "Answers the calls that the bot orders."

    async def fetch(self, url: str) -> bytes:
        """Return an audio file that the bot names; raise Unplayable."""


LINES: Mapping[str, Callable[[CarrierFlags], AbstractAsyncContextManager[CarrierLine]]] = {
    "twilio": twiml_line,
    "telnyx": twiml_line,
    "signalwire": twiml_line,
    "plivo": twiml_line,
    "jambonz": jambonz_line,
}
"How the line of a carrier is opened, by its name."


async def call_as_carrier(
    flags: CarrierFlags,
    console: Console,
    *,
    scripts: Sequence[Path],
    plan: LoadPlan | None,
    as_json: bool,
    aloud: bool,
    wire: bool,
) -> bool:
    """Play a carrier; False: something failed."""
    workers = Workers()
    try:
        async with LINES[flags.carrier](flags) as line:
            for note in line.notes:
                click.echo(note, err=True)
            sound = installed_sound(workers, line.fetch)
            if flags.orders:
                line.telephone.unanswered = lambda why: console.print(f"A call was not answered: {plain(why)}.")
                click.echo("Waiting for calls that the bot orders (Ctrl-C to stop).", err=True)
            if scripts:
                placed = _Ordered(line).place if flags.orders else line.place
                succeeded = await until_signal(
                    _run_scripts(scripts, placed, line, sound=sound, workers=workers, console=console)
                )
            elif flags.orders:
                succeeded = await _take_orders(line, sound, console, wire=wire)
            elif plan is not None:
                succeeded = await _report_load(plan, line, console, as_json=as_json)
            elif aloud:
                screen = Screen(console, wire=wire)
                succeeded = (await until_signal(speak_aloud(line, sound, screen, console))).by != "platform"
            else:
                succeeded = await until_signal(_talk(line, sound, console, wire=wire))
            for finding in line.findings:
                console.print(f"[red]{plain(finding)}[/]")
            return succeeded and not line.findings
    finally:
        await workers.close()


def _typist(console: Console, *, wire: bool) -> Typist:
    keyboard = Keyboard(lambda question: console.print(question, end=""))
    return Typist(Screen(console, wire=wire), keyboard.line, ends_by_silence=True)


async def _talk(line: CarrierLine, sound: Sound, console: Console, *, wire: bool) -> bool:
    return (await line.place(TurnBased(_typist(console, wire=wire), sound))).by != "platform"


async def _take_orders(line: CarrierLine, sound: Sound, console: Console, *, wire: bool) -> bool:
    """Answer the calls that the bot orders, each at the same keyboard, until a signal."""
    line.telephone.handset = lambda: TurnBased(_typist(console, wire=wire), sound)
    line.telephone.over = lambda _: console.print("Waiting for the next call.")
    stop = asyncio.Event()
    with on_first_signal(stop.set):
        await stop.wait()
    return True


class Place(Protocol):
    """Holds a call to its end."""

    async def __call__(self, handset: Handset, *, who: Caller | None, bot: str | None) -> Ended:
        """Return how it ended."""


class _Ordered:
    """The next call that the bot orders."""

    def __init__(self, line: CarrierLine) -> None:
        self._line = line

    async def place(self, handset: Handset, *, who: Caller | None, bot: str | None) -> Ended:
        """Wait for it, and hold it to its end."""
        over: asyncio.Queue[Ended] = asyncio.Queue()
        telephone = self._line.telephone
        telephone.handset, telephone.over = lambda: handset, over.put_nowait
        try:
            return await over.get()
        finally:
            telephone.handset = None


# --- scripts ---------------------------------------------------------------------------------------------------------


async def _run_scripts(
    paths: Sequence[Path],
    place: Place,
    line: CarrierLine,
    *,
    sound: Sound,
    workers: Workers,
    console: Console,
) -> bool:
    files = [file for path in paths for file in (sorted(path.rglob(f"*{SCRIPT_SUFFIX}")) if path.is_dir() else [path])]
    scripts = [await asyncio.to_thread(_readable, file) for file in files]
    failed = 0
    for script in scripts:
        caller = ScriptCaller(script, samples=partial(samples_of, workers=workers))
        before = len(line.findings)
        await caller.finish(await place(TurnBased(caller, sound), who=script.who, bot=script.bot))
        failed += caller.failure is not None
        if caller.failure is not None:
            console.print(f"[red]failed[/]  {plain(str(script.file))}\n{plain(caller.failure)}")
        elif len(line.findings) == before:
            console.print(f"[green]passed[/]  {plain(str(script.file))}")
    console.print(f"{len(scripts)} call{'' if len(scripts) == 1 else 's'}, {failed} failed.")
    return failed == 0 and bool(scripts)


def _readable(file: Path) -> Script:
    """Read a script of a caller whom a carrier connects; raise ScriptError."""
    script = read_script(file, Caller(caller=""))
    wrong = {"flow": script.flow is not None, "at": script.who.at is not None}
    for name in (name for name, is_there in wrong.items() if is_there):
        message = f'"{name}" has no effect with --as: the bot is a server that runs already.'
        raise ScriptError(as_text([Finding("script", "error", str(file), 1, 1, 0, message, "")]))
    return script


# --- many at once ----------------------------------------------------------------------------------------------------


async def _report_load(plan: LoadPlan, line: CarrierLine, console: Console, *, as_json: bool) -> bool:
    """Place the calls and print what was measured; False: one of them failed, or it was interrupted."""
    stop = asyncio.Event()
    with load_bar(plan, shown=not as_json) as progress, on_first_signal(stop.set):
        measured = await run_load_test(line, plan, progress=progress, stop=stop)
    print_load(measured, load_table(measured), console, as_json=as_json)
    if stop.is_set():
        say_interrupted(measured.calls, plan)
    return not measured.errors and not stop.is_set()
