"""One of several servers on a database: `ivr serve` as a process, killed, stopped for a while, ended, replaced."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.free_ports import free_port
from tests.waiting import PATIENCE

NEXT_VERSION = """
from ivr.store.postgres.postgres_versions import MIGRATIONS, Migration
MIGRATIONS.append(Migration(
    2,
    "ALTER TABLE call ADD mood text NOT NULL DEFAULT ''; CREATE TABLE diary (day text)",
    "ALTER TABLE call DROP mood; DROP TABLE diary",
    least=1,
))
"""
"This code as it would be after the next change of the tables."


class Replica:
    """One server, in as many lives as a test wants, always at the same port."""

    def __init__(self, name: str, folder: Path, flows: Path, environment: Mapping[str, str]) -> None:
        """`environment` has its settings, but for its data folder, which is its own."""
        self.name = name
        self.port = free_port()
        self.flows = flows
        self.newer = False
        "Whether its next life is one of the next version of the tables."
        self._folder = folder / name
        self._folder.mkdir()
        self._log = self._folder / "log"
        self._environment = {**environment, "IVR_DATA": str(self._folder / "data")}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> str:
        """What it has said in all of its lives."""
        return self._log.read_text("utf-8")

    async def start(self) -> None:
        """Start it, and return when it serves."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *program(newer=self.newer),
                *("serve", str(self.flows), "--port", str(self.port)),
                env=self._environment,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            line = await self._process.stdout.readline()
        assert b"Serving" in line, self.log

    async def kill(self) -> None:
        """End it at once."""
        assert await self._end(signal.SIGKILL) == -signal.SIGKILL

    async def stop(self) -> None:
        """End it as an operator does: what it has begun is answered."""
        assert await self._end(signal.SIGTERM) == 0, self.log

    def freeze(self) -> None:
        """Let its time stand still: it holds its connections, and does nothing."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on as if nothing had been."""
        self._send(signal.SIGCONT)

    async def close(self) -> None:
        """End it, whatever it does."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.communicate()

    async def _end(self, number: signal.Signals) -> int:
        self._send(number)
        assert self._process is not None
        async with asyncio.timeout(PATIENCE):
            await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None
        assert self._process.returncode is None, self.log
        self._process.send_signal(number)


def program(*, newer: bool = False) -> tuple[str, ...]:
    """Return the beginning of a command line of `ivr`; `newer`: of the next version of the tables."""
    return (sys.executable, "-c", f"{NEXT_VERSION if newer else ''}\nfrom ivr.cli import main; main()")


async def ivr(*words: str, environment: Mapping[str, str], newer: bool = False) -> tuple[int, str]:
    """Run a command as in a terminal; return its exit status, and what it said."""
    process = await asyncio.create_subprocess_exec(
        *program(newer=newer),
        *words,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(PATIENCE):
        output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


def without_settings() -> dict[str, str]:
    """Return the environment of this process, without settings of ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith("IVR_")}
