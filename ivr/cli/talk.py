"""`ivr talk FLOW`: be the caller, in the terminal. No server, no line: the machine alone, and a person at the keys."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, time
from pathlib import Path
from secrets import token_hex
from time import time as clock
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.markup import escape

from ivr.cli.flowfiles import load_or_exit
from ivr.cli.keyboard import invitation
from ivr.engine.actions import Answer, HangUp, Play, Recognize, Record, Reject, Request
from ivr.engine.call import Call, Facts, Step, new_call
from ivr.engine.events import (
    PHONE_KEYS,
    CallEnded,
    CallReceived,
    Event,
    InputTimedOut,
    KeysPressed,
    OperationDone,
    OperationFailed,
    RecordingMade,
    ServiceAnswered,
    SpeechHeard,
)
from ivr.engine.flow import Flow
from ivr.engine.machine import step
from ivr.flowfile.checks.dialogue import WORDS_A_SECOND
from ivr.trace.words import spoken

HELP = """\
Type what the caller does:
  1, 42#, *       keys
  some words      speech; to a recording, what is said (its transcript)
  (just Enter)    silence
  /hangup         the caller leaves (Ctrl-D does too)
  /fail           the line cannot do what it was told
  /state          where the call stands, and its variables
  /help           this"""


class Talk:
    """One call between the machine and a terminal."""

    def __init__(self, flow: Flow, console: Console, clock: Callable[[], float]) -> None:
        self._flow = flow
        self._console = console
        self._clock = clock
        self._call: Call = new_call(flow.hash, Facts(id=token_hex(16), channel="terminal"))
        self._asked: Recognize | Record | None = None
        self._words: str | None = None
        "What was said to the last recording; the terminal is its own speech engine."

    def run(self, caller: str | None, language: str | None, read: Callable[[str], str]) -> None:
        """Talk until the call is over; `read` asks for a line and raises EOFError when there are no more."""
        self._feel(CallReceived(caller, "terminal", language))
        while self._call.phase != "over":
            try:
                line = read(invitation(self._asked))
            except (EOFError, KeyboardInterrupt):
                self._console.print()
                line = "/hangup"
            self._obey(line.strip())
        self._console.print(f"[dim]The call is over: {escape(self._call.outcome or 'without an outcome')}.[/]")

    def _obey(self, line: str) -> None:
        match line:
            case "/hangup":
                self._feel(CallEnded("caller", self._asked.op if self._asked else None))
            case "/fail" if self._asked:
                self._feel(OperationFailed(self._asked.op, "system", "tried out"))
            case "/state":
                self._show_state()
            case _ if line.startswith("/"):
                self._console.print(HELP, markup=False, highlight=False)
            case _ if self._asked:
                self._feel(self._answer(line, self._asked))

    def _answer(self, line: str, asked: Recognize | Record) -> Event:
        if not line:
            return InputTimedOut(asked.op)
        if isinstance(asked, Record):
            self._words = line
            return RecordingMade(asked.op, max(1.0, len(line.split()) / WORDS_A_SECOND), "typed", "terminator")
        if asked.digits:
            keys = line.rstrip(asked.digits.terminators) if asked.digits.terminators else line
            return KeysPressed(asked.op, keys, "terminator" if keys != line else "silence")
        return KeysPressed(asked.op, line) if PHONE_KEYS.issuperset(line) else SpeechHeard(asked.op, line)

    def _feel(self, event: Event) -> None:
        stepped = step(self._flow, self._call, event, now=self._clock())
        self._call = stepped.call
        self._advise(event, stepped)
        self._asked = None
        for taken in stepped.path:
            way = f"{taken.state or '·'} — {taken.event} → {taken.target or 'end'}"
            self._console.print(f"[dim]  {escape(way)}[/]")
        for action in stepped.actions:
            self._show(action)
        last = stepped.actions[-1] if stepped.actions else None
        match last:
            case Recognize() | Record():
                self._asked = last
            case Request(job=job):
                self._feel(ServiceAnswered(job, {"transcript": self._words, "confidence": 1.0}))
            case Answer(op=op) | Play(op=op) | HangUp(op=op) | Reject(op=op):
                self._feel(OperationDone(op))

    def _advise(self, event: Event, stepped: Step) -> None:
        """Where nothing matched, show the line that would have."""
        if stepped.path or not isinstance(self._asked, Recognize) or self._asked.digits:
            return
        state = self._call.state
        match event:
            case KeysPressed(keys=keys):
                wanted = f'name: {{dtmf: "{keys}"}}' if len(keys) == 1 else ""
            case SpeechHeard(text=text):
                wanted = f"name: {{speech: [{text}]}}"
            case _:
                wanted = ""
        if wanted:
            said = escape(f"No choice of {state} takes that. To add one, under states.{state}.menu.choices:  {wanted}")
            self._console.print(f"[yellow]  {said}[/]")

    def _show(self, action: object) -> None:
        match action:
            case Play(prompt=prompt) | Recognize(prompt=prompt) | Record(prompt=prompt):
                if heard := spoken(prompt):
                    self._console.print(f"[bold]{escape(heard)}[/]")
                if isinstance(action, Record) and action.beep:
                    self._console.print("[dim]  (beep)[/]")
            case Answer():
                self._console.print("[dim]  (the call is answered)[/]")
            case HangUp() | Reject():
                done = "hangs up" if isinstance(action, HangUp) else "rejects the call"
                self._console.print(f"[dim]  (the flow {done})[/]")

    def _show_state(self) -> None:
        self._console.print(
            f"[dim]  state {escape(self._call.state)}, attempt {self._call.silent + self._call.wrong + 1}[/]"
        )
        for name, value in self._call.memory.variables.items():
            self._console.print(f"[dim]  {escape(name)} = {escape(str(value))}[/]")
        for name in self._call.memory.private:
            self._console.print(f"[dim]  {escape(name)} = (sensitive)[/]")


def _when(text: str) -> datetime | time:
    """Read a date, a time of day, which is of a day that is not known yet, or both."""
    for read in (time.fromisoformat, datetime.fromisoformat):
        with suppress(ValueError):
            moment = read(text)
            if moment.tzinfo is None and not text.isdigit():  # "1985" is a time to Python
                return moment
    raise click.BadParameter(f'"{text}" is no time. Write 10:00, 2026-12-24 or "2026-12-24 10:00".')


def _moment(at: datetime | time, zone: ZoneInfo) -> datetime:
    """Put a time into the flow's zone, a time of day on today."""
    if isinstance(at, time):
        at = datetime.combine(datetime.now(zone), at)
    return at.replace(tzinfo=zone)


@click.command()
@click.argument("flow", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--from", "caller", default="terminal", show_default=True, help="Who calls; empty for a withheld number.")
@click.option("--language", default=None, help="The caller's language, such as en-US.")
@click.option(
    "--at",
    type=_when,
    metavar="TIME",
    default=None,
    help="Pretend that it is this time, in the flow's time zone: 10:00 (today), 2026-12-24, or both.",
)
def talk(flow: Path, caller: str, language: str | None, at: datetime | time | None) -> None:
    """Be the caller: run a flow in the terminal, without a server.

    Prompts are printed; you type keys, words, silence (Enter) or /hangup. The way through the flow is shown in grey.

    \b
    Example:  ivr talk flows/support.yaml
              ivr talk flows/pin-check.yaml --at "2026-12-24 18:00"
    """
    loaded = load_or_exit(flow)
    console = Console(highlight=False, soft_wrap=True)
    offset = _moment(at, loaded.zone).timestamp() - clock() if at is not None else 0.0
    console.print(f"[dim]Calling {escape(loaded.name)}. /help tells what you can type.[/]")
    Talk(loaded, console, lambda: clock() + offset).run(caller or None, language, console.input)
