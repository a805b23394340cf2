"""Chats of somebody else, each in a process of its own, and a server for development with the shipped flows."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from ivr.server.assembly import Running, running
from ivr.settings import Settings
from ivr.store.data_folder import DataFolder
from ivr.store.sqlite.sqlite_archive import SqliteArchive
from ivr.trace.case import Case
from ivr.trace.recorded import case_of
from ivr.trace.replay import replay
from tests.flows import flow_at
from tests.shipped_lines import shipped_lines
from tests.waiting import PATIENCE

HERE = Path(__file__).parent
NODE = shutil.which("node")


def needs(package: str) -> list[pytest.MarkDecorator]:
    """Return the marks of tests that run a package of Node's."""
    return [
        pytest.mark.skipif(NODE is None, reason="Node is not installed"),
        pytest.mark.skipif(
            not (HERE / "node_modules" / package).exists(), reason="run `npm install` in tests/peers (make test does)"
        ),
    ]


@dataclass
class ChatServer:
    """A server, and what it keeps."""

    running: Running
    flows: Path
    data: Path

    def bot(self, flow: str) -> str:
        """Return where activities for a flow are posted."""
        return f"{self.running.url}/api/messages/{flow}"

    async def replayed(self, flow: str) -> tuple[Case, str]:
        """Return the only conversation as a case, and how it replays with the flow of its file."""
        archive = SqliteArchive(DataFolder(self.data))
        try:
            (record,) = [one.record async for portion in archive.stored() for one in portion if one.record is not None]
            trace = list(await archive.trace(record.id))
        finally:
            await archive.close()
        read = flow_at(self.flows / f"{flow}.yaml")
        case = case_of(record, trace, read, {})
        return case, replay(case, read).verdict


@asynccontextmanager
async def chat_server(folder: Path, *, more: Mapping[str, str] | None = None) -> AsyncIterator[ChatServer]:
    """Serve the shipped flows as `ivr serve --dev` does, beside the web service that they ask.

    `more` are further flow files, by name.
    """
    flows, data = folder / "flows", folder / "data"
    async with shipped_lines(flows) as variables:
        for name, text in (more or {}).items():
            (flows / name).write_text(text)
        settings = Settings(
            port=0,
            data=data,
            http_hosts=(variables["IVR_HTTP_HOSTS"],),
            http_private=(variables["IVR_HTTP_PRIVATE"],),
            webhook_secret=SecretStr(variables["IVR_WEBHOOK_SECRET"]),
        )
        async with running(settings, [flows], dev=True) as server:
            yield ChatServer(server, flows, data)


@asynccontextmanager
async def node_chat(
    folder: Path, script: str, *arguments: str, address: Callable[[bytes], str | None]
) -> AsyncIterator[str]:
    """Run a script of this folder by Node, in one of its own: it gets at nothing but this machine. Give its address.

    `address` returns the address that a line of its output tells; None: it tells none.
    """
    home = folder / "home"
    home.mkdir()
    process = await asyncio.create_subprocess_exec(
        *(NODE or "node", "--require", str(HERE / "only_this_machine.js"), str(HERE / script), *arguments),
        cwd=home,  # the playground writes a log where it stands
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout
    said: list[bytes] = []
    reading: asyncio.Task[None] | None = None
    try:
        async with asyncio.timeout(PATIENCE):
            found = None
            while found is None:
                line = await process.stdout.readline()
                said.append(line)
                assert line, b"".join(said)
                found = address(line)
        reading = asyncio.create_task(_read_on(process.stdout))  # a full pipe would stop it
        yield found
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        if reading is not None:
            await reading


async def _read_on(output: asyncio.StreamReader) -> None:
    async for _ in output:
        pass


def told(line: bytes) -> str | None:
    """Return the address that a script of ours tells as JSON."""
    return str(json.loads(line)["url"]) if line.startswith(b"{") else None
