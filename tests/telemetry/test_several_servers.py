"""Two servers on one database: each counts for itself, what is in the store is the same on both, a call one trace."""

import json
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from ivr.phone.callers.turn_based import Press, Speak
from ivr.server.assembly import running
from ivr.server.telemetry.families import SHARED
from ivr.settings import Settings
from tests.free_ports import free_port
from tests.phone.calling import Signer, phone_to
from tests.replicas.balancer import balanced
from tests.server.world import DESK
from tests.store.postgres_world import SEAL_KEY
from tests.telemetry.collector import collecting
from tests.telemetry.metrics_reader import Page

CALLS = 3


async def test_two_servers_count_for_themselves_and_trace_as_one(
    tmp_path: Path, signer: Signer, postgres_url: str
) -> None:
    (tmp_path / "desk.yaml").write_text(DESK)
    (tmp_path / "script.json").write_text(json.dumps({"*": {"text": "my flight was late", "confidence": 0.9}}))
    pages = [Page(free_port()) for _ in range(2)]
    async with collecting() as (collector, address), AsyncExitStack() as stack:
        urls = []
        for number, page in enumerate(pages):
            chosen: dict[str, Any] = {
                **signer.settings, "port": 0, "store": postgres_url, "seal_key": SEAL_KEY, "stt": "scripted",
                "stt_script": tmp_path / "script.json", "data": tmp_path / f"data-{number}",
                "metrics": f"127.0.0.1:{page.port}", "tracing": address, "tracing_share": 1.0,
            }  # fmt: skip
            server = running(Settings(**chosen), [tmp_path / "desk.yaml"], dev=False)
            urls.append((await stack.enter_async_context(server)).url)
        balancer = await stack.enter_async_context(balanced(urls))
        phone = await stack.enter_async_context(phone_to(balancer.port, signer))
        for _ in range(CALLS):
            call = await phone.call(Press("1"), Speak("my flight was late"))
            assert call.statuses == [200] * 4
        one, other = [await page.rows() for page in pages]
    both: Counter[str] = Counter()
    for rows in (one, other):
        assert rows["ivr_turns_total"]["skype",] > 0
        for name in ("ivr_calls_started_total", "ivr_calls_ended_total", "ivr_jobs_total"):
            both[name] += int(sum(rows.get(name, {}).values()))
    assert both == {"ivr_calls_started_total": CALLS, "ivr_calls_ended_total": CALLS, "ivr_jobs_total": CALLS}
    assert [one[name] for name in SHARED] == [other[name] for name in SHARED]
    assert len({span.trace_id for span in collector.spans}) == CALLS
    assert len(collector.named("service transcribe")) == CALLS
    assert all(collector.path(span)[-1] == "call" for span in collector.spans)
    for service in collector.named("service transcribe"):
        assert collector.path(service)[1:4] == ["job transcribe", "order transcribe", "turn"]
