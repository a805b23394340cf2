"""A call is ordered of a server that checks tokens, placed by the gateway, and taken by a telephone, or not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ivr.engine.events import CallAnswered, CallNotAnswered, CallPlaced, CallRinging, KeysPressed
from ivr.server.assembly import running
from ivr.settings import Settings
from ivr.store.data_folder import DataFolder
from ivr.store.sqlite.sqlite_archive import SqliteArchive
from tests.free_ports import free_port
from tests.gateway.calling_the_gateway import gateway_to
from tests.gateway.ordering import NUMBER, SHOWN
from tests.gateway.ordering import TOKEN as GATEWAY_TOKEN
from tests.gateway.telephone import Caller
from tests.useragent.parties import Party, party
from tests.waiting import Logged, logged

pytestmark = pytest.mark.skipif(find_spec("espeakng_loader") is None, reason="no voice: pip install 'ivr[phone]'")

TOKEN = "a-token-for-calls-0123"
FLOW = """
flow: reminder
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask: {digits: {prompt: Your number?, maxDigits: 1}, on: {digits: bye}}
  bye: {say: Bye., final: true}
"""


class Desk:
    """A server and its gateway; whoever is called is at `callee`."""

    def __init__(self, url: str, data: Path, callee: Party, over: Logged) -> None:
        self._url, self._data, self.callee, self._over = url, data, callee, over

    async def order(self) -> str:
        order = {"to": NUMBER, "flow": "reminder", "channel": "skype"}
        return str((await self._asked("POST", "/calls", data=json.dumps(order)))["id"])

    async def over(self, call: str) -> Any:
        """Wait for the end of the call; return what the server says of it."""
        await self._over.once()
        return await self._asked("GET", f"/calls/{call}")

    async def _asked(self, method: str, path: str, **more: Any) -> Any:
        headers = {
            "Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "order-0001", "Content-Type": "application/json"
        }  # fmt: skip
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"{self._url}{path}", headers=headers, **more) as answer,
        ):
            assert answer.status in {200, 202}, await answer.text()
            return await answer.json()

    async def events(self, call: str) -> list[object]:
        """Return what has moved the call."""
        archive = SqliteArchive(DataFolder(self._data))
        try:
            return [step.event for step in await archive.trace(call) if not step.ignored]
        finally:
            await archive.close()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    (tmp_path / "reminder.yaml").write_text(FLOW)
    async with _served(tmp_path) as one:
        yield one


@asynccontextmanager
async def _served(folder: Path) -> AsyncIterator[Desk]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    flags: dict[str, Any] = {
        "app_id": "the-bot",
        "key": str(folder / "key.pem"),
        "orders": "127.0.0.1:0",
        "orders_token": GATEWAY_TOKEN,
        "call_targets": ("+43*",),
        "call_callers": (SHOWN,),
    }
    async with (
        party() as callee,
        gateway_to(f"{url}/call", **flags, call_via=f"sip:127.0.0.1:{callee.hop().port}") as gateway,
    ):
        settings = Settings(
            app_id="the-bot",
            openid_metadata=gateway.metadata,
            openid_loopback=True,
            public_url=url,
            port=port,
            data=folder / "data",
            check_channel="sip",
            skype_gateway_url=gateway.orders,
            skype_gateway_token=GATEWAY_TOKEN,
            calls_token=TOKEN,
            call_targets="+43*",
            call_callers=SHOWN,
        )
        async with running(settings, [folder / "reminder.yaml"], dev=False):
            with logged("call over") as over:
                yield Desk(url, folder / "data", callee, over)


async def test_whoever_answers_talks_to_the_flow(desk: Desk) -> None:
    call = await desk.order()
    leg = await desk.callee.takes()
    person = Caller(leg)
    leg.ring()
    await leg.answer()
    await person.hears_sound()
    person.press("7")
    assert (await person.ended()).by == "remote"
    told = await desk.over(call)
    assert (told["state"], told["outcome"], told["answeredBy"]) == ("over", "resolved", "unknown")
    placed, *events = await desk.events(call)
    assert isinstance(placed, CallPlaced)
    assert [type(event) for event in events if isinstance(event, CallRinging | CallAnswered)][-1] is CallAnswered
    assert [event.keys for event in events if isinstance(event, KeysPressed)] == ["7"]


async def test_who_is_busy_is_told_as_that(desk: Desk) -> None:
    call = await desk.order()
    leg = await desk.callee.takes()
    leg.ring()
    leg.reject(486, "Busy Here")
    told = await desk.over(call)
    assert (told["state"], told["outcome"]) == ("over", "busy")
    assert (await desk.events(call))[1:] == [CallRinging(), CallNotAnswered("busy", 486)]
