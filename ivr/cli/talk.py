"""`ivr talk FLOW`: be the caller, in the terminal. No server, no platform: the machine, a line, a person at the keys.

The line is the one of every other face (`ivr.line`, `ivr.phone.callers.turn_based`), so a key, a terminator, a full
count and a silence mean here what they mean on the phone.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from secrets import token_hex
from time import time as clock

import click
from msgspec.structs import replace
from rich.console import Console

from ivr.cli import sign_in_answers
from ivr.cli.flowfiles import load_or_exit
from ivr.cli.keyboard import Keyboard
from ivr.cli.parameter_values import given_values, of_user, value_option
from ivr.cli.phone.flags import TIME
from ivr.cli.phone.screen import Screen, means_something
from ivr.cli.phone.terminal import Typist
from ivr.cli.terminal_text import plain
from ivr.cli.web_answers import AnswersError, WebServices, by_hand, from_file, really, shown
from ivr.cli.written_line import WrittenLine
from ivr.engine.call import Call, Facts, new_call
from ivr.engine.commands import Command, LineCommand, Notify, Remember, Request
from ivr.engine.events import (
    CallAnswered,
    CallEnded,
    CallPlaced,
    CallReceived,
    Event,
    ServiceAnswered,
    TimePassed,
    Transcribed,
)
from ivr.engine.flow import Flow
from ivr.engine.machine import step
from ivr.engine.sign_in_orders import SIGN_IN
from ivr.engine.web_orders import HTTP
from ivr.line import Connected, Effect, Finished
from ivr.line.engine_events import events_of
from ivr.media.recorder import Recorder
from ivr.media.sound import SilentRenderer, Sound
from ivr.nearest import did_you_mean
from ivr.phone.callers.turn_based import TurnBased
from ivr.phone.command_run import perform
from ivr.phone.phone_events import Done, KeyHeard, ListensFor, PhoneEvent, RecordingBegan, WordsHeard
from ivr.settings import SettingsError, load_settings, secrets_of
from ivr.trace.experience import kept_of, told_of
from ivr.trace.sentences import failure, kept, told

HELP = """\
Type what the caller does:
  1, 42#, *       keys
  some words      speech; to a recording, what is said (its transcript)
  (just Enter)    silence
  busy, noAnswer  what becomes of a transfer (just Enter: the caller is connected)
  200 {"a": 1}    what a web service answers: its status, and JSON (just Enter: 200);
                  or timeout, connect, body: how it fails
  signedIn, wrong what becomes of a sign-in (just Enter: signedIn; also pending,
                  declined, expired, burnt, failed)
  /hangup         the caller leaves (Ctrl-D does too)
  /fail           simulate a failure of the line
  /state          show the state of the call and its variables
  /help           this"""


class Talk:
    """One call between the machine and a terminal, in which time waits for the typist."""

    def __init__(
        self,
        flow: Flow,
        console: Console,
        keyboard: Keyboard,
        services: WebServices,
        *,
        writes: bool = False,
        caller: str | None = None,
    ) -> None:
        """Begin a call; `writes`: as in a chat, whose `caller` writes, else as on the telephone."""
        self._flow = flow
        self._services = services
        self._console = console
        self._call: Call = new_call(flow.hash, Facts(id=token_hex(16), channel="chat" if writes else "terminal"))
        self._view = _View(console, self)
        self._keyboard = keyboard
        commands = {"/state": self._show_state}
        self._written = WrittenLine(console, self._typed, commands, caller=caller) if writes else None
        typist = Typist(self._view, self._typed, commands)
        self._handset = _Handset(typist, Sound(SilentRenderer(), Recorder.installed()), self._view)
        self._kept = ""
        "Keys that nothing has listened to so far."
        self._began = clock()

    @property
    def state(self) -> str:
        """The name of the state in which the call stands."""
        return self._call.state

    async def run(self, *begin: Event) -> None:
        """Talk until the call is over, from its first events on; raise ClickException for values that do not fit."""
        events: Sequence[Event] = begin
        while self._call.phase != "over":
            commands = self._step(events)
            line = tuple(command for command in commands if not isinstance(command, Request | Notify | Remember))
            request = next((command for command in commands if isinstance(command, Request)), None)
            if line:
                events = await self._perform(line)
            elif request is not None:
                events = [await self._served(request)]
            else:
                events = [TimePassed()]  # the line is closed, and nothing more is to come
        self._console.print(f"[dim]The call is over: {plain(self._call.outcome or 'without an outcome')}.[/]")

    async def _served(self, request: Request) -> Event:
        """Return what a service says: the terminal knows what was said to it, and a person what a web service does."""
        if request.service == SIGN_IN:
            return await self._signed_in(request)
        if request.service != HTTP:
            return ServiceAnswered(request.job, Transcribed(self._view.words, 1.0))
        self._console.print(f"[dim]  {plain(shown(request))}[/]")
        answer = await self._services(self._call.state, request)
        while answer is None:
            typed = await self._typed("The service answers: ")
            if typed is None:
                return CallEnded("caller")
            answer = by_hand(typed, request)
            if answer is None:
                self._console.print("[yellow]  Type a status and JSON, or timeout, connect, body.[/]")
        return answer

    async def _signed_in(self, request: Request) -> Event:
        """Return what becomes of a sign-in."""
        answer: Event | None = sign_in_answers.begun(request)
        while answer is None:
            typed = await self._typed("The sign-in is (signedIn, wrong, expired …): ")
            if typed is None:
                return CallEnded("caller")
            answer = sign_in_answers.by_hand(typed, request)
            if answer is None:
                self._console.print(f"[yellow]  Type {', '.join(sign_in_answers.RESULTS)}.[/]")
        return answer

    async def _perform(self, commands: Sequence[LineCommand]) -> Sequence[Event]:
        if self._written is not None:
            return await self._written.perform(commands, now=self._began)
        performed = await perform(commands, self._handset, transfers=None, typed=self._kept)
        self._kept = performed.line.typed
        return events_of(performed.line.todo[0], performed.finished.outcome, "typed")

    def _step(self, events: Sequence[Event]) -> Sequence[Command]:
        """Apply events, and return what the last of them ordered; of a call that is over nothing more is wanted."""
        commands: Sequence[Command] = ()
        for event in events:
            now = self._began + self._handset.now()
            if isinstance(event, TimePassed) and self._call.deadline is not None:
                now = max(now, self._call.deadline)
            stepped = step(self._flow, self._call, event, now=now)
            self._call = stepped.call
            if isinstance(event, CallPlaced) and stepped.ignored:
                raise click.ClickException(f"{stepped.ignored}.")
            for taken in stepped.path:
                way = f"{taken.state or '·'} — {taken.event} → {taken.target or 'end'}"
                self._console.print(f"[dim]  {plain(way)}[/]")
            for failed in stepped.failures:
                self._console.print(f"[yellow]  {plain(failure(failed, self._flow.file))}[/]")
            for command in stepped.commands:
                if isinstance(command, Notify):
                    self._console.print(f"[dim]  {plain(told([told_of(command)]))}[/]")
                if isinstance(command, Remember):
                    self._console.print(f"[dim]  {plain(kept(kept_of(command)))}[/]")
            # A recording that leaving ended orders its transcript; that the caller left orders nothing.
            ordered = tuple(command for command in stepped.commands if not isinstance(command, Remember))
            commands = ordered or commands
        return commands

    async def _typed(self, question: str) -> str | None:
        try:
            return await self._keyboard.line(question)
        except asyncio.CancelledError:  # Ctrl-C: the caller leaves, and the flow still has its say
            task = asyncio.current_task()
            if task is None or task.uncancel():
                raise
            self._console.print()
            return None

    def _show_state(self) -> None:
        call = self._call
        self._console.print(f"[dim]  state {plain(call.state)}, attempt {call.silent + call.wrong + 1}[/]")
        for name, value in call.memory.variables.items():
            self._console.print(f"[dim]  {plain(name)} = {plain(str(value))}[/]")
        for name in call.memory.private:
            self._console.print(f"[dim]  {plain(name)} = (sensitive)[/]")


class _View:
    """What the terminal shows of the call, with advice for the author of the flow."""

    def __init__(self, console: Console, talk: Talk) -> None:
        self.words: str | None = None
        "What was said to the last recording: the terminal is its own speech engine."
        self._console = console
        self._screen = Screen(console, wire=False)
        self._talk = talk
        self._asked: ListensFor | None = None
        self._key = ""
        "The last that was pressed."

    def show(self, event: PhoneEvent) -> None:
        """Write down what happens."""
        self._screen.show(event)
        match event:
            case ListensFor():
                self._asked = event
            case RecordingBegan():
                self.words = None
            case KeyHeard(key=key):
                self._key = key
            case WordsHeard(words=str(words)) if self._asked:
                self._said(words, self._asked, event)
            case Done(result="wrong key"):
                self._advise(f'name: {{dtmf: "{self._key}"}}')

    def show_effect(self, effect: Effect) -> None:
        """Write down what the line does without a sound."""
        match effect:
            case Connected():
                self._console.print("[dim]  (the call is answered)[/]")
            case Finished(ended="hangup"):
                self._console.print("[dim]  (the flow hangs up)[/]")
            case Finished(ended="reject"):
                self._console.print("[dim]  (the flow rejects the call)[/]")

    def help(self) -> None:
        """Print what can be typed."""
        self._console.print(HELP, markup=False, highlight=False)

    def _said(self, words: str, asked: ListensFor, event: WordsHeard) -> None:
        if asked.kind == "recording":
            self.words = f"{self.words} {words}" if self.words else words
        elif asked.kind == "choice" and not means_something(asked.choices, event):
            self._advise(f"name: {{speech: [{words}]}}")

    def _advise(self, wanted: str) -> None:
        """Where nothing matched, show the line that would have."""
        state = self._talk.state
        said = f"No choice of {state} matches. To add one, under states.{state}.menu.choices:  {wanted}"
        self._console.print(f"[yellow]  {plain(said)}[/]")


class _Handset(TurnBased):
    """The typist's; what the line does is seen, too."""

    def __init__(self, typist: Typist, sound: Sound, view: _View) -> None:
        super().__init__(typist, sound)
        self._view = view

    def perform(self, effect: Effect) -> None:
        """Begin, or end, what takes time."""
        super().perform(effect)
        self._view.show_effect(effect)


@click.command()
@click.argument("flow", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--from", "caller", default="terminal", show_default=True, help="The caller; empty: withheld.")
@click.option("--language", default=None, help="The caller's language, such as en-US.")
@click.option(
    "--at",
    type=TIME,
    default=None,
    help="Use this time instead of now, in the flow's time zone: 10:00 (today), 2026-12-24, or both.",
)
@click.option(
    "--closed",
    multiple=True,
    metavar="CALENDAR[=NOTICE]",
    help="Close a calendar of the flow, as its operator can; several times for several.",
)
@click.option(
    "--answers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A YAML file of what web services answer: - {state: look_up, status: 200, body: {…}}, or fails: timeout.",
)
@click.option("--placed", is_flag=True, help="The server has called you, and you answer.")
@click.option(
    "--machine", is_flag=True, help="With --placed: an answering machine answers, and the line can tell that."
)
@click.option(
    "--channel", type=click.Choice(["chat"]), help="chat: read and write, instead of hearing and pressing keys."
)
@value_option
@click.option("--services", "ask", is_flag=True, help="Ask web services, as the settings of the environment allow it.")
def talk(  # noqa: PLR0917  # click calls it by name
    flow: Path,
    caller: str,
    language: str | None,
    at: str | None,
    closed: Sequence[str],
    answers: Path | None,
    placed: bool,
    machine: bool,
    channel: str | None,
    values: Sequence[str],
    ask: bool,
) -> None:
    """Try a flow in the terminal, as its caller, without a server.

    Prompts are printed; you type keys, words, silence (Enter) or /hangup. The path through the flow is shown in grey.
    Time stands still while you type.

    \b
    Example:  ivr talk flows/support.yaml
              ivr talk flows/support.yaml --channel chat
              ivr talk flows/pin-check.yaml --at "2026-12-24 18:00"
              ivr talk reminder.yaml --placed --value patient=Anna
    """
    if channel and placed:
        raise click.UsageError("--placed goes without --channel: a chat places no calls.")
    loaded = load_or_exit(flow)
    user, parameters = of_user(loaded, values)
    if (machine or parameters) and not placed:
        raise click.UsageError("--machine and --value go with --placed, but for user.NAME=VALUE.")
    try:
        settings = load_settings().settings
        services = really(settings) if ask else from_file(answers)
        loaded = replace(loaded, secrets=secrets_of(settings))
    except (AnswersError, SettingsError) as error:
        raise click.ClickException(str(error)) from error
    closings = _closings(closed, loaded.all_calendars)
    begin: Sequence[Event] = [
        CallReceived(
            caller or None, "terminal", language, at, closings, transfers=channel is None, user=user if caller else {}
        )
    ]
    if placed:
        told = {"language": language} if language is not None else {}
        order = CallPlaced("terminal", caller or "terminal", at, closings, told | given_values(parameters), user=user)
        begin = [order, CallAnswered("machine" if machine else "human", transfers=True)]
    console = Console(highlight=False, soft_wrap=True)
    console.print("[dim]The call begins. Type /help for a list of commands.[/]")
    keyboard = Keyboard(partial(console.print, end=""))
    asyncio.run(Talk(loaded, console, keyboard, services, writes=channel == "chat", caller=caller or None).run(*begin))


def _closings(options: Sequence[str], calendars: Collection[str]) -> Mapping[str, str]:
    """Read `--closed office="A pipe has burst."`; raise BadParameter for a calendar that the flow does not have."""
    closed = {name.strip(): notice for name, _, notice in (option.partition("=") for option in options)}
    for name in closed:
        if name not in calendars:
            advice = did_you_mean(name, calendars) or f"Its calendars: {', '.join(calendars) or 'none'}."
            raise click.BadParameter(f'the flow has no calendar "{name}". {advice}', param_hint="--closed")
    return closed
