"""Nothing is acknowledged before it is on the disk: the order of system calls of the real server."""

import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from tests.server.process import CALL, last_operation, served

CALLS = "write,pwrite64,writev,fsync,fdatasync,sendto,sendmsg"
WMA = bytes(range(256)) * 40


def _why_not() -> str | None:
    strace = shutil.which("strace")
    if strace is None:
        return "strace is not installed"
    tried = subprocess.run([strace, "-o", "/dev/null", "true"], capture_output=True, check=False)
    return None if tried.returncode == 0 else "tracing is forbidden here"


@pytest.mark.skipif(_why_not() is not None, reason=_why_not() or "")
async def test_audio_then_its_folder_then_the_database_then_the_reply(folder: Path) -> None:
    trace = folder / "trace"
    strace = ("strace", "-f", "-yy", "-e", f"trace={CALLS}", "-o", str(trace))
    async with served(folder, under=strace) as one:
        op = last_operation(await one.post("/call", CALL))
        before = len(trace.read_text().splitlines())
        assert (await one.record(op, WMA)).status == 200
        lines = trace.read_text().splitlines()[before:]

    def first(pattern: str) -> int:
        return next(number for number, line in enumerate(lines) if re.search(pattern, line))

    order = [
        first(r"write\(\d+<[^>]*/audio/[0-9a-f]{32}\.wma>"),
        first(r"fsync\(\d+<[^>]*/audio/[0-9a-f]{32}\.wma>"),
        first(r"fsync\(\d+<[^>]*/audio>"),
        first(r"write64\(\d+<[^>]*/calls\.db-wal>"),
        first(r"sync\(\d+<[^>]*/calls\.db-wal>"),
        first(r"(write|writev|sendto|sendmsg)\(\d+<TCP[^>]*>.*HTTP/1\.1 200 OK"),
    ]
    assert all(earlier < later for earlier, later in pairwise(order)), "\n".join(lines)
