"""A telephone reaches a bot on Microsoft's own SDK, whose token check is on: the gateway is a platform to any bot."""

from pathlib import Path

from ivr.media.sound import BEEP
from tests.free_ports import free_port
from tests.peers.test_node_bot import APP, node_bot
from tests.peers.test_node_bot import pytestmark as node_is_there
from tests.sip_peers.baresip_program import Phone, baresip
from tests.sip_peers.lines import gateway
from tests.sip_peers.listening import Levels
from tests.sip_peers.programs import needs
from tests.sip_peers.support_menu import ISSUE, RATE, voice

pytestmark = [*node_is_there, needs("baresip", "baresip-core")]


async def said(text: str, after: bytes = b"") -> Levels:
    return Levels.of(await voice(text, "male") + after, RATE)


async def test_a_telephone_leaves_a_message_at_a_bot_on_microsofts_sdk(tmp_path: Path) -> None:
    identity = free_port()
    metadata = f"http://127.0.0.1:{identity}/v1/.well-known/openidconfiguration"
    issue = await voice(ISSUE, "female")
    async with node_bot(metadata) as bot:
        options = ("--app-id", APP, "--identity-port", str(identity))
        with gateway(tmp_path / "gateway", bot.url, *options) as one:
            async with baresip(Phone("phone"), tmp_path / "phone") as phone:
                await phone.dials(one.uri("anything"))
                await phone.hears(await said("Welcome."))
                await phone.hears(await said("For digits press 1 or say digits."))
                await phone.presses("2")
                await phone.hears(await said("Speak after the beep.", BEEP.samples))
                await phone.says(issue)
                await phone.presses("#")
                await phone.hears(await said("Your message is kept."))
                await phone.left_alone()
        got = await bot.got()
    (_, message) = got[-1]
    assert got[0] == ("choice", "message")
    assert message["riff"] == "RIFF"
    assert message["seconds"] > 0.9 * len(issue) / (2 * RATE)
