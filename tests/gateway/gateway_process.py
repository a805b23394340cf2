"""`ivr gateway` as a process, for tests that read what it says, or send it signals."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tests.waiting import PATIENCE

ANY_PORT = ("--sip", "udp://127.0.0.1:0", "--sip", "tcp://127.0.0.1:0", "--rtp", "30000-39999")


class GatewayProcess:
    """A gateway, and what it has said so far."""

    def __init__(self, process: asyncio.subprocess.Process, first: str) -> None:
        self.process = process
        self.lines = [first.rstrip()]
        self.addresses = first.removeprefix("Taking calls at ").split(" (")[0].split(", ")

    async def said(self, count: int) -> list[str]:
        """Return the first lines."""
        assert self.process.stdout
        async with asyncio.timeout(PATIENCE):
            while len(self.lines) < count:
                self.lines.append((await self.process.stdout.readline()).decode().rstrip())
        return self.lines

    async def logged(self, event: str) -> dict[str, Any]:
        """Wait until the log has an event, and return its line."""
        assert self.process.stderr
        async with asyncio.timeout(PATIENCE):
            while line := await self.process.stderr.readline():
                found: dict[str, Any] = json.loads(line)
                if found["event"] == event:
                    return found
        raise AssertionError(f"never: {event}")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ended(self) -> int:
        """Wait for the end, and return the exit status."""
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()


async def start(
    arguments: Sequence[str], *, files: tuple[int, int] | None = None, **variables: str
) -> asyncio.subprocess.Process:
    """Start it; `files`: how many open files it may have, and may raise that to."""

    def limit() -> None:
        if files is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, files)

    clean = {name: value for name, value in os.environ.items() if not name.startswith("IVR_")}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", "from ivr.cli import main; main()", "gateway", *arguments),
        env={**clean, **variables, "PYTHONWARNINGS": "error"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=limit,
    )


async def refusal(*arguments: str, files: tuple[int, int] | None = None, **variables: str) -> str:
    """Start a gateway that must not start, and return what it says."""
    process = await start(arguments, files=files, **variables)
    async with asyncio.timeout(PATIENCE):
        out, error = await process.communicate()
    assert process.returncode == 1
    assert not out
    assert "Traceback" not in error.decode()
    return error.decode()


@asynccontextmanager
async def gateway_process(
    bot: str, *arguments: str, files: tuple[int, int] | None = None, **variables: str
) -> AsyncIterator[GatewayProcess]:
    """Run a gateway to a bot on free ports."""
    process = await start([*ANY_PORT, "--bot", bot, *arguments], files=files, **variables)
    assert process.stdout
    try:
        async with asyncio.timeout(PATIENCE):
            line = (await process.stdout.readline()).decode()
        if not line:
            raise AssertionError(((await process.communicate())[1]).decode())
        yield GatewayProcess(process, line)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
