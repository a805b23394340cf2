"""Lets a program of this machine play samples; one that cannot is given up for the next."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from ivr.audio.formats import RATE
from ivr.media.sound import BYTES_A_SECOND

PLAYERS: Mapping[str, Sequence[str]] = {
    "pw-play": ["--rate", str(RATE), "--channels", "1", "--format", "s16", "--raw", "-"],
    "paplay": ["--raw", f"--rate={RATE}", "--channels=1", "--format=s16le"],
    "aplay": ["-q", "-t", "raw", "-r", str(RATE), "-c", "1", "-f", "S16_LE"],
    "play": ["-q", "-t", "raw", "-r", str(RATE), "-c", "1", "-e", "signed", "-b", "16", "-"],
}
"Programs that play samples from their standard input, the best one first."
KEPT = 20 * BYTES_A_SECOND
"Bytes of what a player got first: if it dies of it, the next one plays them."
COMPLAINT = 200
"Characters of a player's last words that are shown."


class Loudspeaker:
    """A player's process, started when there is something to hear."""

    def __init__(self, players: Sequence[str], complain: Callable[[str], None]) -> None:
        """`players` are programs, by name or path, the best one first; `complain` shows what is wrong, once each."""
        self._players = list(players)
        self._complain = complain
        self._process: asyncio.subprocess.Process | None = None
        self._watching: asyncio.Task[None] | None = None
        self._got = bytearray()
        self._turn = asyncio.Lock()
        "Held while a player is started or ended: sound, a stop and the end of the last player come at any time."

    async def play(self, samples: bytes) -> None:
        """Let samples be heard after those before; never fails, and where nothing plays is silent."""
        if len(self._got) < KEPT:
            self._got += samples
        async with self._turn:
            if self._process is None:
                await self._start()
            else:
                _write(self._process, samples)

    async def stop(self) -> None:
        """Be quiet at once: whatever the player still holds goes with it."""
        async with self._turn:
            process, self._process = self._process, None
            watching, self._watching = self._watching, None
            self._got.clear()
            if process is not None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if watching is not None:
            await watching

    async def _start(self) -> None:
        """Start the first player that starts, and give it what is to be heard."""
        while self._players:
            name = self._players[0]
            try:
                process = await asyncio.create_subprocess_exec(
                    *(name, *PLAYERS[name.rpartition("/")[2]]),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.PIPE,
                )
            except OSError as error:
                self._give_up(error.strerror or type(error).__name__)
                continue
            self._process = process
            self._watching = asyncio.create_task(self._watch(process))
            _write(process, bytes(self._got))
            return

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        """Notice that a player has ended by itself."""
        words = b""
        while process.stderr is not None and (piece := await process.stderr.read(COMPLAINT)):
            words = (words + piece)[-4 * COMPLAINT :]
        status = await process.wait()
        async with self._turn:
            if process is not self._process:  # it was stopped
                return
            self._process = None
            lines = words.decode("utf-8", "replace").split("\n")
            self._give_up(
                next((line.strip() for line in reversed(lines) if line.strip()), f"it ended with status {status}")
            )
            await self._start()

    def _give_up(self, why: str) -> None:
        failed = self._players.pop(0)
        then = f"{self._players[0]} is used instead" if self._players else "prompts are only shown from now on"
        self._complain(f"{failed} cannot play: {why[-COMPLAINT:].rstrip('.')}; {then}.")


def _write(process: asyncio.subprocess.Process, samples: bytes) -> None:
    if process.stdin is not None:
        with suppress(OSError, RuntimeError):  # it has ended, which `_watch` notices; uvloop raises its own error
            process.stdin.write(samples)
