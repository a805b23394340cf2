"""The phone in a terminal: prompts are read, keys and words are typed, and time waits for the typist.

With sound, prompts are heard through a player of this machine, in real time.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import click
from rich.console import Console

from ivr.cli.keyboard import Keyboard, invitation
from ivr.cli.phone.loudspeaker import PLAYERS, Loudspeaker
from ivr.cli.phone.own_bot_screen import OwnBotScreen
from ivr.cli.phone.screen import Screen
from ivr.engine.commands import Recognize, Record
from ivr.engine.events import PHONE_KEYS
from ivr.media.installed import missing
from ivr.media.sound import Sound
from ivr.phone.callers.turn_based import CallerAction, Connect, Fail, Leave, Press, Situation, Speak, TurnBased
from ivr.phone.handset import ANSWERS
from ivr.phone.phone_events import Ended, ListensFor, PhoneEvent, PromptAudio, PromptOver
from ivr.phone.platform import PlacesCalls, Target, platform, sound_of
from ivr.phone.session import Session


def caller_action(line: str) -> CallerAction | None:
    """Read what was typed: a command, keys, or words; None: silence, or nothing that is known."""
    line = line.strip()
    match line:
        case "":
            return None
        case "/hangup":
            return Leave()
        case "/fail":
            return Fail()
    return Press(line) if PHONE_KEYS.issuperset(line) else Speak(line)


class Shows(Protocol):
    """What a person looks at."""

    def show(self, event: PhoneEvent) -> None:
        """Write one event down, if it is of interest."""

    def help(self) -> None:
        """Print what can be typed."""


class Typist:
    """A person at a keyboard (`ivr.phone.callers.turn_based.Person`); time waits for them."""

    def __init__(
        self,
        screen: Shows,
        ask: Callable[[str], Awaitable[str | None]],
        commands: Mapping[str, Callable[[], None]] | None = None,
        *,
        ends_by_silence: bool = False,
    ) -> None:
        """`ask` asks for a line; None: the end. `commands` are further commands that can be typed (`/state`).

        `ends_by_silence`: words are whole once it is silent after them, as on lines that do not know the choices.
        """
        self._ends_by_silence = ends_by_silence
        self._screen = screen
        self._ask = ask
        self._commands = commands or {}
        self._silent = False

    def tell(self, event: PhoneEvent) -> None:
        """Show it; a new question ends the silence."""
        if isinstance(event, ListensFor):
            self._silent = False
        self._screen.show(event)

    async def act(self, situation: Situation) -> CallerAction | None:
        """Ask for a line wherever one can be typed; prompts are read to their end."""
        if situation.transfer is not None:
            return await self._rings()
        if situation.prompt or situation.listening is None or self._silent:
            return None
        while True:
            line = await self._ask(invitation(situation.listening))
            if line is None:
                return Leave()
            if line.startswith("/") and line.strip() not in ("/hangup", "/fail"):
                self._commands.get(line.strip(), self._screen.help)()
                continue
            found = caller_action(line)
            whole = self._ends_by_silence and isinstance(found, Speak)
            self._silent = found is None or whole or _is_whole(found, situation.listening)
            return found

    async def _rings(self) -> CallerAction:
        """Ask what becomes of a transfer; just Enter, or the end of the input, connects the caller."""
        while True:
            line = (await self._ask(f"{', '.join(ANSWERS)}> ") or "").strip()
            match line:
                case "/fail":
                    return Fail()
                case "/hangup":
                    return Leave()
                case _ if (line or "connected") in ANSWERS:
                    return Connect(ANSWERS[line or "connected"])
            self._screen.help()


def _is_whole(found: CallerAction, listening: Recognize | Record) -> bool:
    """Return whether a line was all there is: nothing more is asked until silence has made of it what it is."""
    if isinstance(listening, Record):
        return isinstance(found, Speak)
    return isinstance(found, Press) and listening.digits is not None


def print_metadata(target: Target, address: str, *, wire: bool = False) -> None:
    """Print where a bot that checks tokens finds this phone's key; for others it would be one thing more to read."""
    if wire or target.signed:
        click.echo(f"The phone's OpenID metadata: {address}", err=True)


async def talk(target: Target, console: Console, *, wire: bool) -> bool:
    """Hold one call."""
    screen = OwnBotScreen(console, target, wire=wire)
    keyboard = Keyboard(lambda question: console.print(question, end=""))
    async with platform(target) as phone:
        print_metadata(target, phone.metadata, wire=wire)
        ended = await phone.place(TurnBased(Typist(screen, keyboard.line), sound_of(phone)))
    return ended.by != "platform"


async def talk_aloud(target: Target, console: Console, *, wire: bool) -> bool:
    """Hold one call in real time; lines are typed whenever one likes."""
    screen = OwnBotScreen(console, target, wire=wire)
    async with platform(target) as phone:
        print_metadata(target, phone.metadata)
        return (await speak_aloud(phone, sound_of(phone), screen, console)).by != "platform"


async def speak_aloud(line: PlacesCalls, sound: Sound, screen: Screen, console: Console) -> Ended:
    """Hold one call in real time by whatever places it, and return how it ended."""
    players = [name for name in PLAYERS if shutil.which(name)]
    if not players:
        raise click.ClickException(f"--sound needs an audio player. Install one of {', '.join(PLAYERS)}.")
    speaker = Loudspeaker(players, screen.note)
    for sentence in missing():
        console.print(sentence, style="dim", markup=False)  # `ivr[phone]` is no markup
    session = Session(line, sound)
    session.dial()
    typing = asyncio.create_task(_type(session, screen))
    hearing = asyncio.create_task(_hear(session, screen, speaker))
    try:
        await asyncio.shield(hearing)
        return await session.ended()
    finally:
        typing.cancel()
        await session.close()  # its end is still to be seen
        await asyncio.gather(hearing, return_exceptions=True)
        await speaker.stop()


async def _hear(session: Session, screen: Screen, speaker: Loudspeaker) -> None:
    """Let be heard and seen what happens, to the end of the call."""
    async for event in session.events():
        screen.show(event)
        match event:
            case PromptAudio(samples=samples):
                await speaker.play(samples)
            case PromptOver(interrupted=True):
                await speaker.stop()


async def _type(session: Session, screen: Screen) -> None:
    """Do what is typed until the caller leaves."""
    keyboard = Keyboard(lambda _: None)
    while (line := await keyboard.line("")) is not None:
        match caller_action(line):
            case Press(keys=keys):
                session.press(keys)
            case Speak(words=words) if words.startswith("/"):
                screen.help()
            case Speak(words=words):
                session.say(words)
            case Fail():
                session.trouble()
            case Leave():
                break
    session.hang_up()
