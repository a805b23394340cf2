"""A whole flow with a transfer on the real server, called by SIP: the other side is busy, and the flow goes on."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.gateway.calling_the_gateway import gateway_to
from tests.gateway.raw_caller import raw_caller
from tests.gateway.test_support_by_telephone import told
from tests.server.process import served

pytestmark = pytest.mark.skipif(find_spec("espeakng_loader") is None, reason="no voice: pip install 'ivr[phone]'")

DESK = """\
flow: desk
initial: connect
on: {error: bye}
destinations: {sales: sip:sales@pbx.example}
states:
  connect:
    transfer: {to: sales, timeout: 20s, whisper: "A call from {{ call.from or 'nobody' }}"}
    on: {failed.busy: engaged, failed: bye}
  engaged: {say: All our people are talking. Please call later., next: bye}
  bye: {say: Goodbye., final: true, outcome: unresolved}
"""


async def test_who_is_busy_does_not_end_the_call_of_whoever_was_to_be_connected(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows/desk.yaml").write_text(DESK)
    async with (
        served(tmp_path) as server,
        gateway_to(f"http://127.0.0.1:{server.port}/call/desk", allow_transfer="sip:*@pbx.example") as gateway,
        raw_caller(gateway.addresses[0]) as (caller, bystander),
    ):
        target = await caller.is_transferred(bystander.port, "486 Busy Here")
        assert target.startswith("<sip:sales@pbx.example?Subject=A%20call%20from%20")
        await server.said("call over")
    shown = " ".join((await told(tmp_path, "desk")).split())
    assert "failed.busy" in shown
    assert "All our people are talking. Please call later." in shown
