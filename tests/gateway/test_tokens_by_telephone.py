"""A server that checks tokens is called by telephone: it believes the gateway, whose metadata it was told of."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from ivr.media.sound import BEEP
from ivr.server.assembly import running
from ivr.settings import Settings
from tests.free_ports import free_port
from tests.gateway.calling_the_gateway import SORRY, apology, gateway_to
from tests.gateway.telephone import telephone
from tests.server.world import DESK

pytestmark = pytest.mark.skipif(find_spec("espeakng_loader") is None, reason="no voice: pip install 'ivr[phone]'")


@pytest.mark.parametrize("app", ["the-bot", "another-bot"])
async def test_a_call_with_a_token_for_the_bot_is_taken_and_another_is_not(tmp_path: Path, app: str) -> None:
    (tmp_path / "desk.yaml").write_text(DESK)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    flags: dict[str, Any] = {"app_id": app, "key": str(tmp_path / "key.pem"), "apology": str(apology(tmp_path))}
    async with gateway_to(f"{url}/call", **flags) as gateway:
        settings = Settings(
            app_id="the-bot",
            openid_metadata=gateway.metadata,
            openid_loopback=True,
            public_url=url,
            port=port,
            data=tmp_path / "data",
        )
        async with running(settings, [tmp_path / "desk.yaml"], dev=False), telephone() as phone:
            caller = await phone.dial(gateway.addresses[0])
            await caller.answered()
            if app != "the-bot":
                await caller.hears(SORRY)
                assert (await caller.ended()).by == "remote"
                return
            await caller.hears_sound()
            caller.press("1")
            await caller.hears(BEEP.samples)
            caller.leg.hang_up()
