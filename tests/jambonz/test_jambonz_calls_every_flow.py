"""Our jambonz calls a whole server: each shipped flow to its end, by HTTP and WebSocket, with signatures on."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ivr.carriers.jambonz.call_machine import Application
from ivr.carriers.jambonz.hook_delivery import HookAccount
from ivr.carriers.jambonz.jambonz_carrier import JambonzCarrier
from ivr.carriers.jambonz.web_streams import WebStreams
from ivr.carriers.web_bot import WebBot
from ivr.media.recorder import Recorder
from ivr.media.sound import SilentRenderer, Sound
from ivr.phone.callers.random_caller import RandomCaller
from ivr.phone.callers.turn_based import TurnBased
from ivr.phone.net.guard import Guard
from ivr.phone.net.post import WebPost
from ivr.server.assembly import running
from ivr.settings import Settings
from ivr.store.data_folder import DataFolder
from ivr.store.sqlite.sqlite_archive import SqliteArchive
from tests.shipped_lines import FLOWS, shipped_lines

SECRET = "wh_secret_of_tests"
CALLERS = 5
SOUND = Sound(SilentRenderer(), Recorder(encodes=False))


@asynccontextmanager
async def served(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """Serve all shipped flows on a port of this machine, and give its address."""
    async with shipped_lines(folder / "flows") as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        settings = Settings(
            port=0,
            data=folder / "data",
            check_channel="jambonz",
            jambonz_webhook_secret=SECRET,
            jambonz_allow_transfer="sip:*@127.0.0.1,tel:+*",
        )
        async with running(settings, [folder / "flows"], dev=True) as server:
            yield server.url


async def call(address: str, flow: str, seed: int) -> Sequence[str]:
    """Let somebody call a flow; give what the server must not have done."""
    guard = Guard()
    post = WebPost(guard)
    try:
        carrier = JambonzCarrier(
            WebBot(post),
            Application(f"{address}/jambonz/call/{flow}", f"{address}/jambonz/status"),
            HookAccount(SECRET),
            streams=WebStreams(guard, speed=20.0),
        )
        await carrier.place(TurnBased(RandomCaller(random.Random(seed)), SOUND))
        return carrier.findings
    finally:
        await post.close()


async def states(folder: Path) -> set[str]:
    archive = SqliteArchive(DataFolder(folder / "data"))
    try:
        return {
            one.record.call.phase async for portion in archive.stored() for one in portion if one.record is not None
        }
    finally:
        await archive.close()


@pytest.mark.parametrize("flow", sorted(path.stem for path in FLOWS.glob("*.yaml")))
async def test_every_call_comes_to_its_end(flow: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(tmp_path, monkeypatch) as address:
        for seed in range(CALLERS):
            assert await call(address, flow, seed) == []
        assert await states(tmp_path) == {"over"}
