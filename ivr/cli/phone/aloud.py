"""The phone in a terminal with sound: prompts are heard through a player of this machine, in real time."""

import asyncio
import shutil

import click
from rich.console import Console

from ivr.cli.keyboard import Keyboard
from ivr.cli.phone.loudspeaker import PLAYERS, Loudspeaker
from ivr.cli.phone.own_calls import OwnScreen
from ivr.cli.phone.screen import Screen
from ivr.cli.phone.terminal import caller_action, tell_metadata
from ivr.media.installed import missing
from ivr.phone.callers.turn_based import Fail, HangUp, Press, Say
from ivr.phone.phone_events import PromptAudio, PromptOver
from ivr.phone.platform import Target, platform, sound_of
from ivr.phone.session import Session


async def talk_aloud(target: Target, console: Console, *, wire: bool) -> bool:
    """Hold one call in real time; lines are typed whenever one likes."""
    players = [name for name in PLAYERS if shutil.which(name)]
    if not players:
        raise click.ClickException(
            f"There is no player for --sound on this machine; install one of {', '.join(PLAYERS)}."
        )
    screen = OwnScreen(console, target, wire=wire)
    speaker = Loudspeaker(players, screen.note)
    async with platform(target) as phone:
        tell_metadata(target, phone.metadata, wire=wire)
        for sentence in missing():
            console.print(sentence, style="dim", markup=False)  # `ivr[phone]` is no markup
        session = Session(phone, sound_of(phone))
        session.dial()
        typing = asyncio.create_task(_type(session, screen))
        hearing = asyncio.create_task(_hear(session, screen, speaker))
        try:
            await asyncio.shield(hearing)
            return (await session.ended()).by != "platform"
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
            case Say(words=words) if words.startswith("/"):
                screen.help()
            case Say(words=words):
                session.say(words)
            case Fail():
                session.trouble()
            case HangUp():
                break
    session.hang_up()
