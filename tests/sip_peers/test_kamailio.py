"""Kamailio as a PBX that our gateway registers at, and as a proxy on the route of its calls."""

import os
import signal
from pathlib import Path
from typing import Literal

import pytest

from tests.sip_peers.by_hand import Dialog, bound
from tests.sip_peers.certificates import Certificates
from tests.sip_peers.kamailio import PASSWORD, kamailio
from tests.sip_peers.lines import Server, gateway
from tests.sip_peers.programs import needs
from tests.sip_peers.sipp import Transport, sipp

pytestmark = [
    needs("kamailio", "kamailio, kamailio-tls-modules"),
    needs("sipp", "sip-tester"),
]

EVERYBODY_HERE = "127.0.0.0/8"


@pytest.mark.parametrize(("algorithm", "transport"), [("MD5", "udp"), ("SHA-256", "tcp"), ("SHA-256", "tls")])
async def test_a_gateway_registers_and_is_called_by_its_extension(
    algorithm: Literal["MD5", "SHA-256"], transport: str, bot: Server, certificates: Certificates, tmp_path: Path
) -> None:
    with (
        kamailio(tmp_path / "pbx", certificates, algorithm=algorithm, trunk=EVERYBODY_HERE) as pbx,
        registered(tmp_path / "gateway", bot, certificates, pbx.uri("desk", transport)) as one,
    ):
        one.process.said('"registered"')
        await sipp("routed", pbx.port, tmp_path, number="desk")
    assert "no longer registered" in one.process.output


async def test_a_gateway_with_a_wrong_password_says_so(bot: Server, certificates: Certificates, tmp_path: Path) -> None:
    with (
        kamailio(tmp_path / "pbx", certificates) as pbx,
        registered(tmp_path / "gateway", bot, certificates, pbx.uri("desk"), "a guess of tests") as one,
    ):
        assert "401" in one.process.said("not registered")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_caller_of_the_proxy_stays_on_its_route(
    transport: Transport, bot: Server, certificates: Certificates, tmp_path: Path
) -> None:
    with (
        gateway(tmp_path / "gateway", bot.url + "/call/support") as one,
        kamailio(tmp_path / "proxy", certificates, gateways=[one.uri("", transport)]) as proxy,
    ):
        await sipp("proxied", proxy.port, tmp_path, "-au", "tester", "-ap", PASSWORD, transport=transport)


async def test_a_gateway_that_is_gone_gets_no_calls(bot: Server, certificates: Certificates, tmp_path: Path) -> None:
    with (
        gateway(tmp_path / "gateway", bot.url + "/call/support") as one,
        kamailio(
            tmp_path / "proxy", certificates, trunk=EVERYBODY_HERE, gateways=["sip:127.0.0.1:9", one.uri("")]
        ) as proxy,
    ):
        await sipp("routed", proxy.port, tmp_path, "-m", "2", "-l", "1")  # round robin: one of them is to go there


async def test_a_gateway_that_drains_gets_no_calls(bot: Server, certificates: Certificates, tmp_path: Path) -> None:
    with (
        gateway(tmp_path / "draining", bot.url + "/call/support") as leaving,
        gateway(tmp_path / "gateway", bot.url + "/call/support") as one,
        kamailio(
            tmp_path / "proxy", certificates, trunk=EVERYBODY_HERE, gateways=[leaving.uri(""), one.uri("")]
        ) as proxy,
    ):
        async with bound() as sock:
            call = Dialog(leaving.port, sock)
            await call.answered()
            os.kill(leaving.process.pid, signal.SIGTERM)
            leaving.process.said("draining")
            await sipp("routed", proxy.port, tmp_path, "-m", "2", "-l", "1")
            call.send(call.message("BYE", 2))
            assert await call.status("2 BYE") == 200


def registered(folder: Path, bot: Server, tls: Certificates, at: str, password: str = PASSWORD):
    """Run a gateway that registers as an extension."""
    secret = {"IVR_GATEWAY_REGISTER_PASSWORD": password}
    return gateway(folder, bot.url + "/call/support", "--register", at, tls=tls, environment=secret)
