"""The server is killed (SIGKILL) while the gateway has an order and has not answered: the call is placed once."""

import signal
from pathlib import Path

import aiohttp

from ivr.engine.line_facts import LineFacts
from tests.crash.process import Server
from tests.fakes.gateway import TOKEN as GATEWAY_TOKEN
from tests.fakes.gateway import forgets_it, gateway_served, takes_it
from tests.phone.calling import Signer, phone_to
from tests.phone.people import QUICK, Person
from tests.waiting import Gate, until

TOKEN = "a-token-for-calls-0123"
FLOW = """\
flow: reminder
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask: {menu: {prompt: Press 1., choices: {yes: {dtmf: "1"}}}, on: {yes: bye}}
  bye: {say: Goodbye., final: true}
"""


async def test_an_order_that_the_gateway_may_have_is_not_sent_again_and_its_call_goes_on(
    tmp_path: Path, signer: Signer
) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows/reminder.yaml").write_text(FLOW)
    async with gateway_served(forgets_it) as (gateway, url), aiohttp.ClientSession() as client:
        server = Server(
            tmp_path,
            signer,
            flows=tmp_path / "flows",
            IVR_SKYPE_GATEWAY_URL=url,
            IVR_SKYPE_GATEWAY_TOKEN=GATEWAY_TOKEN,
            IVR_CALLS_TOKEN=TOKEN,
            IVR_CALL_TARGETS="+43*",
        )
        await server.start()
        gateway.holds = Gate()
        order = {"to": "+436601234567", "flow": "reminder", "channel": "skype"}
        headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "order-0001"}
        calls = f"http://127.0.0.1:{server.port}/calls"
        async with client.post(calls, json=order, headers=headers) as answer:
            assert answer.status == 202
            call = (await answer.json())["id"]
        await gateway.holds.reached()
        await server.stop(signal.SIGKILL)
        await server.start()
        await until(lambda: b"platform request given up" in server.log.read_bytes(), within=tmp_path)
        async with client.get(f"{calls}/{call}", headers=headers) as answer:
            assert (await answer.json())["state"] == "placed", "nobody knows that it was not placed"
        person = Person([])
        async with phone_to(server.port, signer) as phone:
            gateway.phone = phone.platform(phone.way, QUICK)
            await takes_it(person)(gateway, gateway.orders[0])
            assert await gateway.phone.news_of(call).not_answered(LineFacts(status=486)), "what comes late is taken"
        async with client.post(calls, json=order, headers=headers) as answer:
            told = await answer.json()
        assert (told["id"], told["state"], told["outcome"]) == (call, "over", "abandoned")
        assert person.heard[0] == "Press 1."
        assert [one["id"] for one in gateway.orders] == [call]
        gateway.holds.set()
        await server.stop(signal.SIGKILL)
