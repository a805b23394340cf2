"""The server is killed (SIGKILL) while the order of a call is on its way: it is placed once, and no call is lost."""

import hmac
import json
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web

from tests.crash.process import Server
from tests.free_ports import free_port
from tests.phone.calling import Signer
from tests.waiting import Gate, until

SECRET, TOKEN, ACCOUNT = "wh_secret_of_tests", "a-token-for-calls-0123", "acc-1"
FLOW = """\
flow: reminder
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask: {menu: {prompt: Press 1., choices: {yes: {dtmf: "1"}}}, on: {yes: bye}}
  bye: {say: Goodbye., final: true}
"""


class Carrier:
    """The API of a jambonz that can be away, or silent once it has taken an order."""

    def __init__(self) -> None:
        self.port = free_port()
        self.orders: list[dict[str, Any]] = []
        self.holds: Gate | None = None
        self._runner: web.AppRunner | None = None

    async def open(self) -> None:
        app = web.Application()
        app.router.add_post("/v1/Accounts/{account}/Calls", self._ordered)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _ordered(self, request: web.Request) -> web.Response:
        self.orders.append(await request.json())
        if self.holds is not None:
            await self.holds.wait()
        return web.json_response({"sid": "11111111-2222-4333-8444-555555555555"}, status=201)


class Office:
    """A server in several lives, its carrier, and whoever orders calls."""

    def __init__(self, server: Server, carrier: Carrier, client: aiohttp.ClientSession) -> None:
        self.server, self.carrier, self.client = server, carrier, client

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    async def order(self) -> str:
        order = {"to": "+436601234567", "flow": "reminder", "channel": "jambonz"}
        headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "order-0001"}
        async with self.client.post(f"{self.url}/calls", json=order, headers=headers) as answer:
            assert answer.status == 202, await answer.text()
            return str((await answer.json())["id"])

    async def look(self, call: str) -> str:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with self.client.get(f"{self.url}/calls/{call}", headers=headers) as answer:
            return str((await answer.json())["state"])

    async def again(self) -> None:
        await self.server.stop(signal.SIGKILL)
        await self.server.start()

    async def somebody_answers(self) -> tuple[int, str]:
        """Ask for the first document, as jambonz does at the answer; return the status and the document."""
        order = self.carrier.orders[0]
        hook = {"call_sid": "11111111-2222-4333-8444-555555555555", "account_sid": ACCOUNT, "direction": "outbound",
                "from": order["from"], "to": "+436601234567", "call_status": "in-progress"}  # fmt: skip
        body = json.dumps(hook).encode()
        moment = f"{time.time():.0f}"
        signed = hmac.new(SECRET.encode(), f"{moment}.".encode() + body, "sha256").hexdigest()
        headers = {"Content-Type": "application/json", "Jambonz-Signature": f"t={moment},v1={signed}"}
        asked = urlsplit(order["call_hook"]["url"])  # of the public address, behind which this server is
        address = f"{self.url}{asked.path}?{asked.query}"
        async with self.client.post(address, data=body, headers=headers) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def office(tmp_path: Path, signer: Signer) -> AsyncIterator[Office]:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows/reminder.yaml").write_text(FLOW)
    carrier = Carrier()
    server = Server(
        tmp_path,
        signer,
        flows=tmp_path / "flows",
        IVR_JAMBONZ_WEBHOOK_SECRET=SECRET,
        IVR_JAMBONZ_ACCOUNT_SID=ACCOUNT,
        IVR_JAMBONZ_API_URL=f"http://127.0.0.1:{carrier.port}",
        IVR_JAMBONZ_API_KEY="api-key-of-tests",
        IVR_CALLS_TOKEN=TOKEN,
        IVR_CALL_TARGETS="+43*",
        IVR_CALL_CALLERS="+4315550100",
    )
    await server.start()
    async with aiohttp.ClientSession() as client:
        yield Office(server, carrier, client)
    await server.stop(signal.SIGKILL)
    if carrier.holds is not None:
        carrier.holds.set()
    await carrier.close()


async def test_an_order_that_the_carrier_has_taken_is_not_sent_again_and_its_call_goes_on(office: Office) -> None:
    office.carrier.holds = Gate()
    await office.carrier.open()
    call = await office.order()
    await office.carrier.holds.reached()
    await office.again()
    log = office.server.log
    await until(lambda: b"platform request given up" in log.read_bytes(), within=log.parent)
    assert await office.look(call) == "placed", "nobody knows that it was not placed"
    status, document = await office.somebody_answers()
    assert (status, "Press 1." in document) == (200, True)
    assert await office.look(call) == "answered"
    assert await office.order() == call
    assert len(office.carrier.orders) == 1


async def test_an_order_that_never_left_is_sent_after_the_restart(office: Office) -> None:
    call = await office.order()
    log = office.server.log
    await until(lambda: b"platform not asked" in log.read_bytes(), within=log.parent)
    await office.carrier.open()
    await office.again()
    await until(lambda: b"platform asked" in log.read_bytes(), within=log.parent)
    assert (await office.somebody_answers())[0] == 200
    assert await office.look(call) == "answered"
    assert len(office.carrier.orders) == 1
