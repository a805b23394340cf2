"""The phone in a terminal with sound: prompts are heard through a player of this machine, in real time."""

import asyncio
import shutil
from contextlib import suppress

import click
from rich.console import Console

from ivr.audio.jobs import RATE
from ivr.cli.keyboard import Keyboard
from ivr.cli.phone_terminal import Screen, deed
from ivr.phone.call import Caller
from ivr.phone.events import PromptAudio, PromptOver
from ivr.phone.kit import lacking, sound_of
from ivr.phone.platform import Target, platform
from ivr.phone.session import Session
from ivr.phone.turn_based import Fail, HangUp, Press, Say

PLAYERS = {
    "pw-play": ["--rate", str(RATE), "--channels", "1", "--format", "s16", "--raw", "-"],
    "paplay": ["--raw", f"--rate={RATE}", "--channels=1", "--format=s16le"],
    "aplay": ["-q", "-t", "raw", "-r", str(RATE), "-c", "1", "-f", "S16_LE"],
    "play": ["-q", "-t", "raw", "-r", str(RATE), "-c", "1", "-e", "signed", "-b", "16", "-"],
}
"Programs that play samples from their standard input, the best one first."


async def talk_aloud(target: Target, who: Caller, console: Console, *, wire: bool) -> bool:
    """Hold one call in real time; lines are typed whenever one likes."""
    player = next((name for name in PLAYERS if shutil.which(name)), None)
    if player is None:
        raise click.ClickException(
            f"There is no player for --sound on this machine; install one of {', '.join(PLAYERS)}."
        )
    screen, speaker = Screen(console, wire=wire), _Loudspeaker(player)
    async with platform(target) as phone:
        for sentence in lacking():
            console.print(sentence, style="dim", markup=False)  # `ivr[phone]` is no markup
        session = Session(phone, sound_of(phone))
        session.dial(who)
        typing = asyncio.create_task(_type(session, screen))
        try:
            async for event in session.events():
                screen.show(event)
                match event:
                    case PromptAudio(samples=samples):
                        await speaker.play(samples)
                    case PromptOver(interrupted=True):
                        await speaker.stop()
            return (await session.ended()).by != "platform"
        finally:
            typing.cancel()
            await speaker.stop()
            await session.close()


async def _type(session: Session, screen: Screen) -> None:
    """Do what is typed until the caller leaves."""
    keyboard = Keyboard(lambda _: None)
    while (line := await keyboard.line("")) is not None:
        match deed(line):
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


class _Loudspeaker:
    """A player's process, started when there is something to hear."""

    def __init__(self, player: str) -> None:
        self._command = [player, *PLAYERS[player]]
        self._process: asyncio.subprocess.Process | None = None

    async def play(self, samples: bytes) -> None:
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
        if self._process.stdin is not None:
            self._process.stdin.write(samples)

    async def stop(self) -> None:
        """Be quiet at once: whatever the player still holds goes with it."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
