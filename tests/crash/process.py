"""`ivr serve` as a process that can be killed and started again on the same folder and port, tokens checked."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from ivr.settings import variable
from ivr.store.data_folder import DataFolder
from tests.free_ports import free_port
from tests.phone.calling import Signer
from tests.waiting import PATIENCE

FLOWS = Path(__file__).parents[2] / "flows"


class Server:
    """One server, in as many lives as a test wants."""

    def __init__(
        self, folder: Path, signer: Signer, *, wrapper: tuple[str, ...] = (), flows: Path = FLOWS, **settings: str
    ) -> None:
        """Believe the signer's phone alone; `wrapper` is the command it runs under, `settings` are variables."""
        self._flows = flows
        script = folder / "script.json"
        script.write_text(json.dumps({"*": {"text": "my flight was late", "confidence": 0.9, "delay": 0.03}}))
        self.data = folder / "data"
        self.port = free_port()
        self.log = folder / "log"
        self._wrapper = wrapper
        self._environment: Mapping[str, str] = {
            **{name: value for name, value in os.environ.items() if not name.startswith("IVR_")},
            **{variable(name): value for name, value in signer.settings.items()},
            "IVR_DATA": str(self.data),
            "IVR_STT": "scripted",
            "IVR_STT_SCRIPT": str(script),
            **settings,
        }
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start, and return when it serves."""
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(*self._wrapper, sys.executable, "-m", "ivr", "serve", str(self._flows), "--port", str(self.port)),
                env=self._environment,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            line = await self.process.stdout.readline()
        assert b"Serving" in line, self.log.read_text()

    async def stop(self, number: signal.Signals) -> int:
        """Send a signal, and return the exit status when the process is gone."""
        assert self.process is not None
        os.kill(int(DataFolder(self.data).lock.read_text()), number)  # not the wrapper
        async with asyncio.timeout(PATIENCE):
            await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode
