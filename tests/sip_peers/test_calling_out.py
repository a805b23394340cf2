"""Telephones of others are called by our gateway: baresip, directly and by Kamailio, a trunk that wants a password."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivr.media.recorder import wav
from ivr.media.sound import tone
from tests.gateway.calling_the_gateway import says
from tests.gateway.ordering import ID, NUMBER, an_order, ordered, ordering, told
from tests.phone.fake_bot import HANG_UP, MENU, fake_bot, flow
from tests.sip_peers.baresip_program import Phone, Transport, baresip
from tests.sip_peers.certificates import Certificates
from tests.sip_peers.kamailio import PASSWORD, kamailio
from tests.sip_peers.listening import Levels
from tests.sip_peers.programs import needs

pytestmark = needs("baresip", "baresip")

PROMPT = b"".join(tone(hertz, seconds) + bytes(9600) for hertz, seconds in ((400, 0.6), (700, 0.2), (500, 0.9)))
FILES = {"hello.wav": wav(PROMPT).data}
KEYS = {**MENU, "playPrompt": says("hello.wav", op="menu.p")}
CALLEE = Phone(NUMBER)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_telephone_rings_answers_hears_the_bot_and_presses_a_key(transport: Transport, tmp_path: Path) -> None:
    async with (
        fake_bot(b"", flow(KEYS), flow(HANG_UP), files=FILES) as bot,
        baresip(CALLEE, tmp_path / "phone") as phone,
        ordering(bot, call_via=f"sip:127.0.0.1:{phone.port};transport={transport}") as gateway,
    ):
        await ordered(gateway)
        await phone.rings()
        assert (await told(bot, 1))[0]["currentState"] == "establishing"
        await phone.accepts()
        await phone.hears(Levels.of(PROMPT, 16000))
        await phone.presses("1")
        await phone.left_alone()
    assert bot.told[1].json["callState"] == "established"
    assert bot.outcomes[0]["choiceOutcome"]["choiceName"] == "sales"


async def test_a_telephone_that_declines_is_told_to_the_bot(tmp_path: Path) -> None:
    async with (
        fake_bot(b"", b"") as bot,
        baresip(CALLEE, tmp_path / "phone") as phone,
        ordering(bot, phone.port) as gateway,
    ):
        await ordered(gateway)
        await phone.rings()
        await phone.hangs_up()
        last = (await told(bot, 2))[1]
    assert last["ivr"]["status"] in (486, 603)


async def test_a_telephone_that_nobody_answers_rings_no_longer(tmp_path: Path) -> None:
    async with (
        fake_bot(b"", b"") as bot,
        baresip(CALLEE, tmp_path / "phone") as phone,
        ordering(bot, phone.port) as gateway,
    ):
        await ordered(gateway, an_order(ring=5))
        await phone.rings()
        await phone.left_alone()
        last = (await told(bot, 2))[1]
    assert (last["id"], last["ivr"]["status"]) == (ID, 487)


@needs("kamailio", "kamailio, kamailio-tls-modules")
async def test_a_trunk_that_asks_for_a_password_lets_the_call_through(
    certificates: Certificates, tmp_path: Path
) -> None:
    async with (
        fake_bot(b"", flow(KEYS), flow(HANG_UP), files=FILES) as bot,
        baresip(CALLEE, tmp_path / "phone") as phone,
    ):
        with kamailio(tmp_path / "trunk", certificates, gateways=[f"sip:127.0.0.1:{phone.port}"]) as trunk:
            async with ordering(bot, trunk.port, call_user="tester", call_password=PASSWORD) as gateway:
                await ordered(gateway)
                await phone.rings()
                await phone.accepts()
                await phone.hears(Levels.of(PROMPT, 16000))
                await phone.presses("1")
                await phone.left_alone()
    assert bot.outcomes[0]["choiceOutcome"]["choiceName"] == "sales"


@needs("kamailio", "kamailio, kamailio-tls-modules")
async def test_a_trunk_with_another_password_lets_nobody_through(certificates: Certificates, tmp_path: Path) -> None:
    async with fake_bot(b"") as bot:
        with kamailio(tmp_path / "trunk", certificates) as trunk:
            async with ordering(bot, trunk.port, call_user="tester", call_password="a guess of tests") as gateway:
                await ordered(gateway)
                last = (await told(bot, 1))[0]
    assert last["ivr"]["status"] == 407
