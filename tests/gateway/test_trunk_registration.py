"""The gateway as an extension of a telephone system: what it registers, whose calls it takes, how it leaves."""

from __future__ import annotations

import logging

import pytest

from ivr.gateway.trunk_registration import NoExtension, order_of
from ivr.sip.outputs import Hop
from ivr.sip.sip_call import Credentials
from tests.gateway.calling_the_gateway import gateway_to
from tests.gateway.telephone import telephone
from tests.phone.fake_bot import ANSWER, HANG_UP, fake_bot, flow
from tests.useragent.registrar import registrar


@pytest.mark.parametrize(
    ("address", "aor", "hop"),
    [
        ("sip:200@pbx.example", "sip:200@pbx.example", Hop("udp", "pbx.example", 5060)),
        ("sip:200@192.0.2.7:5062;transport=tcp", "sip:200@192.0.2.7", Hop("tcp", "192.0.2.7", 5062)),
        ("sip:200@[2001:db8::1];transport=TLS", "sip:200@[2001:db8::1]", Hop("tls", "2001:db8::1", 5061)),
        ("sips:200@pbx.example", "sips:200@pbx.example", Hop("tls", "pbx.example", 5061)),
        ("sips:200@pbx.example;transport=tcp", "sips:200@pbx.example", Hop("tls", "pbx.example", 5061)),
    ],
)
def test_an_extension_names_its_registrar(address: str, aor: str, hop: Hop) -> None:
    order = order_of(address, user=None, password="")
    assert (order.address, order.hop, order.credentials) == (aor, hop, None)
    assert order.registrar == aor.replace("200@", "")


def test_the_user_to_prove_may_be_another_one() -> None:
    assert order_of("sip:200@x.example", user=None, password="p").credentials == Credentials("200", "p")
    assert order_of("sip:200@x.example", user="trunk", password="p").credentials == Credentials("trunk", "p")


@pytest.mark.parametrize(
    "address", ["200@pbx", "sip:pbx.example", "tel:+4930", "sip:200@x;transport=sctp", "sips:200@x;transport=udp", ""]
)
def test_what_is_no_extension_is_refused(address: str) -> None:
    with pytest.raises(NoExtension):
        order_of(address, user=None, password="")


async def test_it_registers_takes_calls_of_the_registrar_and_takes_the_registration_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with registrar() as pbx, fake_bot(flow(ANSWER, HANG_UP)) as bot, telephone() as phone:
        address = f"sip:200@127.0.0.1:{pbx.hop.port};transport=tcp"
        # Nobody else on this machine may call: only the address of the registrar lets this call in.
        async with gateway_to(bot, register_as=address, allow_from="192.0.2.0/24") as gateway:
            asked = await pbx.is_asked()
            assert asked.uri == "sip:127.0.0.1"
            assert "<sip:200@127.0.0.1>" in (asked.headers.get("To") or "")
            caller = await phone.dial(gateway.addresses[0], "200")
            await caller.answered()
            await caller.ended()
            assert b"ivr_gateway_registered 1\n" in gateway.metrics()
            await gateway.drain(0)
            assert (await pbx.is_asked()).headers.get("Expires") == "0"
    events = [record.getMessage() for record in caplog.records if "register" in record.getMessage()]
    assert events[0] == "registered"
    assert len(bot.told) == 2


async def test_a_registrar_that_is_away_is_logged_and_does_not_keep_calls_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with registrar() as pbx:
        port = pbx.hop.port
    async with (
        fake_bot(flow(ANSWER, HANG_UP)) as bot,
        gateway_to(bot, register_as=f"sip:200@127.0.0.1:{port};transport=tcp") as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        await caller.answered()
        await caller.ended()
        assert b"ivr_gateway_registered 0\n" in gateway.metrics()
    (line,) = [record for record in caplog.records if record.getMessage() == "not registered"]
    assert vars(line)["seconds"] == 30
