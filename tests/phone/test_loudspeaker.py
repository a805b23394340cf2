"""A player that dies does not end the call: it is told of once, and the next one plays."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from ivr.cli.phone.loudspeaker import PLAYERS, Loudspeaker
from tests.phone.fake_bot import ANSWER, HANG_UP, MENU, SAY, fake_bot, flow
from tests.waiting import PATIENCE, until


class Players:
    """Programs that take the place of a machine's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes: list[str] = []
        self.told = asyncio.Event()

    def make(self, name: str, script: str) -> str:
        program = self.folder / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return str(program)

    def complain(self, note: str) -> None:
        self.notes.append(note)
        self.told.set()

    def plays_into(self, name: str) -> tuple[str, asyncio.Future[bytes]]:
        """Make one that plays; the future has what it got, once that is 6 bytes."""
        pipe = self.folder / f"{name}.heard"
        return self.make(name, f"head -c 6 > {pipe}.part; mv {pipe}.part {pipe}; exec sleep 60"), asyncio.ensure_future(
            _read(pipe)
        )


async def _read(file: Path) -> bytes:
    await until(file.exists, within=file.parent)
    return file.read_bytes()


@pytest.fixture
def players(tmp_path: Path) -> Players:
    return Players(tmp_path)


async def test_what_killed_a_player_is_played_by_the_next(players: Players) -> None:
    broken = players.make("aplay", "echo 'Some talk.' >&2; echo 'audio open error: No such device' >&2; exit 1")
    works, heard = players.plays_into("play")
    speaker = Loudspeaker([broken, works], players.complain)
    await speaker.play(b"ab")
    await players.told.wait()
    await speaker.play(b"cdef")
    assert await asyncio.wait_for(heard, 10) == b"abcdef"
    await speaker.stop()
    assert players.notes == [f"{broken} cannot play: audio open error: No such device; {works} is used instead."]


async def test_without_a_player_the_call_goes_on_in_silence(players: Players) -> None:
    broken = players.make("paplay", "exit 3")
    speaker = Loudspeaker([str(players.folder / "aplay"), broken], players.complain)
    await speaker.play(b"ab")
    while len(players.notes) < 2:
        players.told.clear()
        await speaker.play(b"ab")
        await players.told.wait()
    await speaker.play(b"ab")
    await speaker.stop()
    assert players.notes[0].endswith(f"aplay cannot play: No such file or directory; {broken} is used instead.")
    assert players.notes[1:] == [f"{broken} cannot play: it ended with status 3; prompts are only shown from now on."]


async def test_a_player_that_is_stopped_has_not_failed(players: Players) -> None:
    works, heard = players.plays_into("play")
    speaker = Loudspeaker([works], players.complain)
    await speaker.play(b"abcdef")
    await asyncio.wait_for(heard, 10)
    await speaker.stop()
    await speaker.play(b"abcdef")
    await speaker.stop()
    assert players.notes == []


async def test_a_call_on_a_machine_without_a_sound_device_goes_on_in_text(players: Players) -> None:
    for name in PLAYERS:
        players.make(name, "exec >&2; echo no device; exit 1")
    async with fake_bot(flow(ANSWER, MENU), flow(SAY, HANG_UP)) as bot:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ivr", "phone", "--bot", bot.call, "--sound"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PATH": f"{players.folder}:{os.environ['PATH']}"},
        )
        assert process.stdout
        assert process.stdin
        shown = b""
        async with asyncio.timeout(PATIENCE):
            while b"prompts are only shown from now on" not in shown:
                shown += await process.stdout.readline()
            process.stdin.write(b"1\n")
            output, errors = await process.communicate()
    shown += output
    assert shown.count(b"cannot play: no device") == len(PLAYERS)
    assert b"Hello." in shown
    assert b"The bot hung up." in shown
    assert b"Traceback" not in errors
