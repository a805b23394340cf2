"""A call from its order to its end, each a process of its own: `ivr call`, the server, the gateway; and a telephone.

The telephone is our own, and asks for a password, as trunks do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ivr.engine.events import CallAnswered, CallNotAnswered, CallPlaced, CallRinging
from tests.free_ports import free_port
from tests.gateway.ordering import NUMBER, SHOWN, Locked
from tests.gateway.telephone import Caller
from tests.sip_peers.lines import IVR, Gateway, Server, gateway, server
from tests.sip_peers.programs import finished
from tests.stored import stored_in
from tests.useragent.parties import Party, party

CALLS_TOKEN, ORDERS_TOKEN = "a token of who orders", "a token of the server"
FLOW = """
flow: reminder
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask: {menu: {prompt: "Your appointment is tomorrow. Press 1.", choices: {yes: {dtmf: "1"}}}, on: {yes: confirmed}}
  confirmed: {say: Thank you., final: true, outcome: confirmed}
  bye: {say: Goodbye., final: true, outcome: unresolved}
"""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, int, Path]:
    """Return the ports of the telephone and of orders, and a folder."""
    return free_port(), free_port(), tmp_path_factory.mktemp("placed")


@pytest.fixture(scope="module")
def office(places: tuple[int, int, Path]):
    """Run a server and a gateway that know each other."""
    trunk, orders, folder = places
    flow = folder / "reminder.yaml"
    flow.write_text(FLOW)
    of_server = {
        "IVR_CALLS_TOKEN": CALLS_TOKEN,
        "IVR_CALL_TARGETS": "+43*",
        "IVR_CALL_CALLERS": SHOWN,
        "IVR_SKYPE_GATEWAY_URL": f"http://127.0.0.1:{orders}",
        "IVR_SKYPE_GATEWAY_TOKEN": ORDERS_TOKEN,
    }
    of_gateway = {
        "IVR_GATEWAY_ORDERS": f"127.0.0.1:{orders}",
        "IVR_GATEWAY_ORDERS_TOKEN": ORDERS_TOKEN,
        "IVR_GATEWAY_CALL_TARGETS": "+43*",
        "IVR_GATEWAY_CALL_CALLERS": SHOWN,
        "IVR_GATEWAY_CALL_VIA": f"sip:127.0.0.1:{trunk}",
        "IVR_GATEWAY_CALL_USER": "acme",
        "IVR_GATEWAY_CALL_PASSWORD": "a long password",
    }
    with (
        server(folder / "server", flow, environment=of_server) as one,
        gateway(folder / "gateway", f"{one.url}/call", environment=of_gateway) as line,
    ):
        line.process.said(f"(IVR_SKYPE_GATEWAY_URL): http://127.0.0.1:{orders}. It may have called: +43*.")
        yield one, line


@asynccontextmanager
async def ordered(one: Server, *flags: str) -> AsyncIterator[asyncio.Task[tuple[int, str]]]:
    """Run `ivr call --wait`."""
    environment = ("env", f"IVR_CALLS_TOKEN={CALLS_TOKEN}")
    order = ("call", NUMBER, "--flow", "reminder", "--channel", "skype", "--server", one.url, "--wait", *flags)
    running = asyncio.create_task(finished(*environment, *IVR, *order, folder=Path.cwd()))
    try:
        yield running
    except BaseException:
        running.cancel()
        raise
    await running


@asynccontextmanager
async def telephone_at(port: int) -> AsyncIterator[Party]:
    async with party(policy=Locked(), port=port) as callee:
        yield callee


def events(one: Server) -> list[type]:
    (call,) = one.calls()[:1]
    with stored_in(one.data.path) as archive:
        return [type(step.event) for step in archive.trace(call.id)]


async def test_somebody_answers_presses_a_key_and_the_order_ends_as_the_flow_does(
    office: tuple[Server, Gateway], places: tuple[int, int, Path]
) -> None:
    async with telephone_at(places[0]) as callee, ordered(office[0]) as order:
        leg = await callee.takes()
        leg.ring()
        person = Caller(leg)
        await leg.answer()
        await person.hears_sound()
        person.press("1")
        await person.ended()
        status, said = await order
    assert status == 0, said
    assert "confirmed" in said
    assert leg.invite.headers.get("Authorization")
    seen = events(office[0])
    assert seen[0] is CallPlaced
    assert CallAnswered in seen


async def test_the_other_side_is_busy(office: tuple[Server, Gateway], places: tuple[int, int, Path]) -> None:
    async with telephone_at(places[0]) as callee, ordered(office[0]) as order:
        leg = await callee.takes()
        leg.ring()
        leg.reject(486, "Busy Here")
        status, said = await order
    assert status == 1
    assert "busy" in said
    assert [one for one in events(office[0]) if one in (CallAnswered, CallNotAnswered)] == [CallNotAnswered]
    assert CallRinging in events(office[0])


async def test_nobody_is_there(office: tuple[Server, Gateway], places: tuple[int, int, Path]) -> None:
    async with ordered(office[0], "--ring", "5") as order:
        status, said = await order
    assert status == 1
    assert "unreachable" in said
