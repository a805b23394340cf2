"""A server that is killed while it hands a mail over sends it after its next start, with the same id."""

import asyncio
import signal
from pathlib import Path
from typing import Any

from tests.crash.process import Server
from tests.fakes.mail_server import mail_host
from tests.phone.calling import Signer, phone_to
from tests.waiting import PATIENCE

FLOW = """\
flow: tell
initial: tell
on: {error: bye}
states:
  tell: {notify: {email: desk@contoso.example, subject: Somebody called}, next: bye}
  bye: {say: Goodbye., final: true}
"""


async def test_a_mail_that_was_cut_off_is_sent_after_the_next_start(tmp_path: Path, signer: Signer) -> None:
    flows = tmp_path / "flows"
    flows.mkdir()
    (flows / "tell.yaml").write_text(FLOW)
    async with mail_host() as host:
        mail: dict[str, Any] = {
            "IVR_SMTP_SERVER": "127.0.0.1",
            "IVR_SMTP_PORT": str(host.port),
            "IVR_SMTP_FROM": "ivr@contoso.example",
        }
        server = Server(tmp_path, signer, flows=flows, **mail)
        host.stalls = True
        await server.start()
        async with phone_to(server.port, signer) as phone:
            call = await phone.call()
        assert call.heard == ["Goodbye."]
        async with asyncio.timeout(PATIENCE):
            await host.begun.wait()
        await server.stop(signal.SIGKILL)
        host.stalls = False
        await server.start()
        async with asyncio.timeout(PATIENCE):
            await host.arrived.wait()
        await server.stop(signal.SIGTERM)
    [mail_sent] = host.mails
    assert mail_sent["Subject"] == "Somebody called"
    assert host.tries == 2
