"""`ivr phone --sip`: calls of a SIP address, by hand, by script, or many at once."""

import asyncio
import wave
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.table import Table

from ivr.cli.event_loop import on_first_signal, until_signal
from ivr.cli.keyboard import Keyboard
from ivr.cli.phone.load_report import load_bar, print_load, say_interrupted, times
from ivr.cli.phone.sip_screen import SipScreen
from ivr.cli.terminal_text import plain
from ivr.engine.events import PHONE_KEYS
from ivr.errors import IvrError, SynthesisFailed
from ivr.flowfile.flow_folder import SCRIPT_SUFFIX
from ivr.media.capture import CapturedSound
from ivr.phone.callers.dialler import LoadPlan
from ivr.phone.callers.script.parsing import ScriptError, read_script
from ivr.phone.callers.script.steps import Script
from ivr.phone.placed_call import Caller
from ivr.sip.sip_call import Credentials
from ivr.softphone.dial_target import DialTarget, dial_target
from ivr.softphone.sip_load import SipLoadResult, run_sip_load
from ivr.softphone.softphone import NO_VOICE, Softphone, can_speak, softphone
from ivr.softphone.softphone_call import SoftphoneCall
from ivr.softphone.sound_script import check_script, play_by_sound
from ivr.useragent.open_files import make_room_for

FILES_A_CALL, FILES_BESIDE = 2, 100
"Open files: the ports for sound of each call; what else a process needs."


class TooManyCalls(IvrError):
    """More calls at once than this process can hold."""


class SipFlags(Struct, frozen=True):
    """What the command line says of a SIP call."""

    address: str
    caller: str | None
    user: str | None
    password: str | None
    authorities: Path | None
    record: Path | None

    def target(self, caller: str | None = None) -> DialTarget:
        """Return whom to call, and as whom; raise NotDiallable. `caller` is who a script says."""
        credentials = Credentials(self.user, self.password) if self.user and self.password else None
        return dial_target(
            self.address, caller=caller or self.caller, credentials=credentials, authorities=self.authorities
        )


async def call_sip(
    flags: SipFlags, console: Console, *, scripts: Sequence[Path], plan: LoadPlan | None, as_json: bool
) -> bool:
    """Make the calls; False: something went wrong in one of them."""
    target = flags.target()
    if plan:
        return await _report_load(target, plan, console, as_json=as_json)
    if scripts:
        return await until_signal(_run_scripts(flags, scripts, console))
    return await until_signal(_talk(target, console, flags.record))


# --- by hand ---------------------------------------------------------------------------------------------------------


async def _talk(target: DialTarget, console: Console, record: Path | None) -> bool:
    """Hold one call; lines are typed whenever one likes."""
    screen = SipScreen(console)
    async with softphone(target) as phone:
        try:
            call = await phone.dial(screen.show, keep=record is not None)
        except (IvrError, OSError):
            return False  # the screen has said why
        typing = asyncio.create_task(_type(phone, call, screen))
        try:
            ended = await call.leg.ended()
        finally:
            typing.cancel()
            call.hang_up()
            await asyncio.gather(typing, return_exceptions=True)
            if record is not None:
                await _write(call.recorded(), record)
                screen.note(f"what was heard is in {record}")
    return ended.by in ("remote", "local")


async def _type(phone: Softphone, call: SoftphoneCall, screen: SipScreen) -> None:
    """Do what is typed until the caller hangs up."""
    keyboard = Keyboard(lambda _: None)
    while (line := await keyboard.line("")) is not None:
        match line.strip():
            case "":
                continue
            case "/hangup":
                break
            case command if command.startswith("/"):
                screen.help()
            case keys if PHONE_KEYS.issuperset(keys):
                call.press(keys)
            case words if not can_speak():
                screen.note(f"{words!r} is not said. {NO_VOICE}")
            case words:
                try:
                    call.play(await phone.words(words, call.codec))
                except SynthesisFailed as error:
                    screen.note(str(error))
    call.hang_up()


async def _write(heard: CapturedSound, file: Path) -> None:
    """Write a WAV file of 16 bit, at the rate of the codec."""
    samples = await heard.samples(heard.rate)

    def write() -> None:
        with wave.open(str(file), "wb") as made:
            made.setnchannels(1)
            made.setsampwidth(2)
            made.setframerate(heard.rate)
            made.writeframes(samples)

    await asyncio.to_thread(write)


# --- by script -------------------------------------------------------------------------------------------------------


async def _run_scripts(flags: SipFlags, paths: Sequence[Path], console: Console) -> bool:
    """Run scripts one after the other and say how they went; nothing is called if one of them cannot be run."""
    scripts = await asyncio.to_thread(_read, paths)
    failed = 0
    for script in scripts:
        async with softphone(flags.target(script.who.caller)) as phone:
            played = await play_by_sound(script, phone, lambda _: None)
        if played.failure:
            failed += 1
            console.print(f"[red]failed[/]  {plain(str(script.file))}\n{plain(played.failure)}")
        else:
            console.print(f"[green]passed[/]  {plain(str(script.file))}")
    console.print(f"{len(scripts)} call{'' if len(scripts) == 1 else 's'}, {failed} failed.")
    return failed == 0 and bool(scripts)


def _read(paths: Sequence[Path]) -> list[Script]:
    """Read all scripts; raise ScriptError with everything that is wrong in any of them."""
    files = [file for path in paths for file in (sorted(path.rglob(f"*{SCRIPT_SUFFIX}")) if path.is_dir() else [path])]
    scripts, wrong = [], []
    for file in files:
        try:
            scripts.append(read_script(file, Caller(caller="")))
            check_script(scripts[-1])
        except ScriptError as error:
            wrong.append(str(error))
    if wrong:
        raise ScriptError("\n".join(wrong))
    return scripts


# --- many at once ----------------------------------------------------------------------------------------------------


async def _report_load(target: DialTarget, plan: LoadPlan, console: Console, *, as_json: bool) -> bool:
    """Place the calls and print what was measured; False: one of them failed, or it was interrupted."""
    _make_room_for(plan.concurrency)
    stop = asyncio.Event()
    async with softphone(target, most_calls=plan.concurrency + 10) as phone:
        with load_bar(plan, shown=not as_json) as progress, on_first_signal(stop.set):
            measured = await run_sip_load(phone, plan, progress=progress, stop=stop)
    print_load(measured, _table(measured), console, as_json=as_json)
    if stop.is_set():
        say_interrupted(measured.calls, plan)
    return not measured.failed and not stop.is_set()


def _make_room_for(calls: int) -> None:
    """Let the process have the open files that so many calls take; raise TooManyCalls if it cannot."""
    needed = FILES_A_CALL * calls + FILES_BESIDE
    if (allowed := make_room_for(needed)) is not None:
        raise TooManyCalls(f"`ulimit -n` allows {allowed} open files, and {calls} calls at once take {needed}.")


def _table(measured: SipLoadResult) -> Table:
    table = Table(show_header=False, title=f"{measured.calls} calls, {measured.answered} answered")
    loss = 100 * measured.lost / measured.packets if measured.packets else 0.0
    rows = {
        "time": f"{measured.seconds:.1f} s",
        "failed": ", ".join(f"{plain(why)}: {count}" for why, count in sorted(measured.failed.items())) or "none",
        "ended by": ", ".join(f"{how} {count}" for how, count in sorted(measured.endings.items())) or "none",
        "answer p50 / p90 / p99 / max": times(measured.answer),
        "first sound after the answer": times(measured.first_sound),
        f"key to sound ({measured.keys} keys)": times(measured.key_to_sound),
        "lost on the way here": f"{measured.lost:,} of {measured.packets:,} packets ({loss:.2f} %)",
        "late from here": f"{measured.late:,} of {measured.frames:,} packets over 20 ms late",
        "this phone": f"{measured.processor:.1f} s of processor time",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table
