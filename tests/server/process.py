"""`ivr serve` as a process, for tests that send it signals or watch its system calls."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.server.harness import Answer, connected, form, read_answer, request

CALL = {
    "id": "c1",
    "participants": [{"identity": "29:me", "originator": True}, {"identity": "28:bot", "originator": False}],
    "presentedModalityTypes": ["audio"],
    "callState": "incoming",
}

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


def recorded(op: str, audio: bytes = b"audio") -> bytes:
    """Write the request that reports a recording of the call `c1`."""
    outcome = {
        "type": "recordOutcome",
        "id": op,
        "completionReason": "completedStopToneDetected",
        "lengthOfRecordingInSecs": 1,
        "outcome": "success",
    }
    message = {"id": "c1", "operationOutcome": outcome, "callState": "established"}
    body = form(audio, message=json.dumps(message).encode())
    return request("POST", "/callback", body, {"Content-Type": "multipart/form-data; boundary=B"})


def last_operation(answer: Answer) -> str:
    """Give the id of the last action of a workflow."""
    return str(json.loads(answer.body)["actions"][-1]["operationId"])


class Serving:
    """A server process, and what it has said so far."""

    def __init__(self, process: asyncio.subprocess.Process, text: str) -> None:
        self.process, self.text = process, text
        self.url = urlsplit(text.split(" at ")[1].split(maxsplit=1)[0])

    @property
    def port(self) -> int:
        assert self.url.port
        return self.url.port

    async def post(self, path: str, message: object, headers: Mapping[str, str] | None = None) -> Answer:
        body = json.dumps(message).encode()
        async with connected(self.port) as (reader, writer):
            writer.write(request("POST", path, body, {"Content-Type": "application/json", **(headers or {})}))
            return await read_answer(reader)

    async def record(self, op: str, audio: bytes = b"audio") -> Answer:
        """Report a recording of the call `c1`."""
        async with connected(self.port) as (reader, writer):
            writer.write(recorded(op, audio))
            return await read_answer(reader)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> str:
        """Send the signal, and give the log."""
        self.process.send_signal(number)
        async with asyncio.timeout(15):
            _, log = await self.process.communicate()
        return log.decode()


def _environment(**variables: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("IVR_")}
    return {**clean, **variables, "PYTHONWARNINGS": "error"}


async def _start(
    arguments: Sequence[str], folder: Path, *, under: Sequence[str] = (), **variables: str
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(*under, sys.executable, "-c", "from ivr.cli import main; main()", "serve", *arguments),
        cwd=folder,
        env=_environment(**variables),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def refused(folder: Path, *arguments: str, **variables: str) -> str:
    """Start a server that must not start, and give what it says."""
    process = await _start(arguments, folder, **variables)
    async with asyncio.timeout(20):
        out, error = await process.communicate()
    assert process.returncode == 1
    assert not out
    assert "Traceback" not in error.decode()
    return error.decode()


@asynccontextmanager
async def served(folder: Path, *arguments: str, under: Sequence[str] = (), **variables: str) -> AsyncIterator[Serving]:
    """Run a server on a free port; `under` is the command it runs under."""
    process = await _start(["--dev", "--port", "0", *arguments], folder, under=under, **variables)
    assert process.stdout
    try:
        async with asyncio.timeout(20):
            line = (await process.stdout.readline()).decode()
        if not line:
            pytest.fail(((await process.communicate())[1]).decode())
        yield Serving(process, line)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
