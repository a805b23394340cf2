"""In which order the server writes, syncs and sends: seen from outside, in its system calls."""

import re
import signal
from pathlib import Path

import pytest

from ivr.media.sound import SilentRenderer, Sound
from ivr.phone.callers.turn_based import Speak
from tests.crash.process import Server
from tests.crash.town import LongRecordings
from tests.crash.tracing import no_tracing
from tests.phone.calling import RECORDS, Signer, phone_to

CALLS = "openat,read,recvfrom,write,pwrite64,writev,fsync,fdatasync,sendto,sendmsg,close"
ASKED = r"(read|recvfrom)(\(\d+<(TCP|socket):| resumed>).*multipart/form-data"
"Another thread's call may come in between: then its result stands in a line of its own."
LOG_WRITTEN = r"pwrite64\(\d+<[^>]*calls\.db-wal>"
LOG_SYNCED = r"(fsync|fdatasync)\(\d+<[^>]*calls\.db-wal>"
SENT = r"(sendto|sendmsg|write|writev)\(\d+<(TCP|socket):.*HTTP/1\.1 200"


async def test_large_audio_then_the_folder_then_the_call_are_on_the_disk_before_anything_is_sent(
    tmp_path: Path, signer: Signer
) -> None:
    lines = await _traced_call(tmp_path, signer, Sound(SilentRenderer(), LongRecordings()))
    audio = _first(lines, r"write\(\d+<[^>]*/audio/[^>]+>", after=0)
    synced = _first(lines, r"(fsync|fdatasync)\(\d+<[^>]*/audio/[^>]+>", after=audio)
    folder = _first(lines, r"fsync\(\d+<[^>]*/audio>", after=synced)
    row = _first(lines, LOG_WRITTEN, after=folder)
    committed = _first(lines, LOG_SYNCED, after=row)
    sent = _first(lines, SENT, after=audio)
    assert audio < synced < folder < row < committed < sent


async def test_small_audio_is_on_the_disk_with_its_call_before_anything_is_sent(tmp_path: Path, signer: Signer) -> None:
    lines = await _traced_call(tmp_path, signer, RECORDS)
    asked = _first(lines, ASKED, after=0)
    row = _first(lines, LOG_WRITTEN, after=asked)
    committed = _first(lines, LOG_SYNCED, after=row)
    sent = _first(lines, SENT, after=asked)
    assert asked < row < committed < sent
    assert not any("/data/audio/" in line for line in lines[asked:committed]), "only the engine gets it as a file"


async def _traced_call(tmp_path: Path, signer: Signer, sound: Sound) -> list[str]:
    """Let somebody leave a message, and return the server's system calls."""
    if reason := await no_tracing():
        pytest.skip(reason)
    trace = tmp_path / "trace"
    wrapper = ("strace", "-f", "-y", "-s", "1500", "-e", f"trace={CALLS}", "-o", str(trace))
    server = Server(tmp_path, signer, wrapper=wrapper)
    await server.start()
    async with phone_to(server.port, signer) as phone:
        await phone.call(Speak("Please call me back."), flow="voicemail", sound=sound)
    await server.stop(signal.SIGTERM)
    assert any(letter.audio for letter in phone.letters)
    return trace.read_text(errors="replace").splitlines()


def _first(lines: list[str], pattern: str, *, after: int) -> int:
    """Find the next call that matches, by when it began; of a sync, when it returned."""
    wanted = re.compile(pattern)
    for number in range(after, len(lines)):
        if wanted.search(lines[number]):
            return number if "<unfinished" not in lines[number] or "sync" not in pattern else _resumed(lines, number)
    raise AssertionError(f"no call like {pattern} after line {after}")


def _resumed(lines: list[str], number: int) -> int:
    process = lines[number].split()[0]
    return next(later for later in range(number, len(lines)) if re.match(rf"{process} +<\.\.\. f\w*sync", lines[later]))
