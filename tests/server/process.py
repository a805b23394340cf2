"""`ivr serve` as a process, for tests that read what it says, or send it signals."""

import asyncio
import json
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ivr.settings import variable
from tests.phone.calling import Signer
from tests.server.harness import JSON, TOKEN, Answer, connected, read_answer, request
from tests.waiting import PATIENCE

DESK = """\
flow: desk
initial: main
on: {exhausted: bye, error: bye}
states:
  main:
    record: {prompt: Speak., transcribe: true, holdPrompt: One moment., into: said}
    next: bye
    on: {error.transcribe: bye}
  bye: {say: "Goodbye.", final: true}
"""


class Serving:
    """A server process, and what it has said so far."""

    def __init__(self, process: asyncio.subprocess.Process, text: str, token: str) -> None:
        self.process, self.text, self.token = process, text, token
        self.url = urlsplit(text.split(" at ")[1].split(maxsplit=1)[0])

    @property
    def port(self) -> int:
        assert self.url.port
        return self.url.port

    async def post(self, path: str, message: object) -> Answer:
        async with connected(self.port) as (reader, writer):
            writer.write(request("POST", path, json.dumps(message).encode(), JSON, token=self.token))
            return await read_answer(reader)

    async def said(self, event: str) -> None:
        """Wait until the log has an event; what came before it is read and gone."""
        assert self.process.stderr
        async with asyncio.timeout(PATIENCE):
            while event not in (await self.process.stderr.readline()).decode():
                assert self.process.returncode is None

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> str:
        """Send the signal, and give the log."""
        self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE):
            _, log = await self.process.communicate()
        return log.decode()


def _environment(**variables: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("IVR_")}
    return {**clean, **variables, "PYTHONWARNINGS": "error"}


async def _start(
    arguments: Sequence[str], folder: Path, *, files: int | None = None, first: str = "", **variables: str
) -> asyncio.subprocess.Process:
    """Start a server, which may have so many open files, and does something `first`."""

    def limit() -> None:
        if files is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", f"{first}\nfrom ivr.cli import main; main()", "serve", *arguments),
        cwd=folder,
        env=_environment(**variables),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=limit,
    )


async def refused(folder: Path, *arguments: str, files: int | None = None, **variables: str) -> str:
    """Start a server that must not start, and give what it says."""
    process = await _start(arguments, folder, files=files, **variables)
    try:
        async with asyncio.timeout(PATIENCE):
            out, error = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert process.returncode == 1
    assert not out
    assert "Traceback" not in error.decode()
    return error.decode()


@asynccontextmanager
async def served(
    folder: Path,
    *arguments: str,
    signer: Signer | None = None,
    files: int | None = None,
    first: str = "",
    **variables: str,
) -> AsyncIterator[Serving]:
    """Run a server on a free port; it believes the signer's phone alone, or without one serves for development."""
    if signer:
        variables |= {variable(name): value for name, value in signer.settings.items()}
    mode = () if signer else ("--dev",)
    process = await _start([*mode, "--port", "0", *arguments], folder, files=files, first=first, **variables)
    assert process.stdout
    try:
        async with asyncio.timeout(PATIENCE):
            line = (await process.stdout.readline()).decode()
        if not line:
            pytest.fail(((await process.communicate())[1]).decode())
        yield Serving(process, line, signer.token() if signer else TOKEN)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
