"""A real Prometheus reads a real server, as the page says, with its token and the alerts."""

import asyncio
import re
import shutil
from pathlib import Path
from typing import Any

import aiohttp

from ivr.phone.callers.turn_based import Press, Speak
from tests.free_ports import free_port
from tests.phone.calling import Signer
from tests.server.world import World
from tests.sip_peers.programs import PATIENCE, Program, needs, program

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "monitoring.md").read_text("utf-8")
TOKEN = "a-token-of-the-metrics"


def configuration(folder: Path, port: int) -> str:
    """Return the configuration of the page, with this server in it and a shorter breath."""
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    text = "global: {scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms}\n" + "".join(blocks)
    assert "10.0.0.11:9464" in text
    (folder / "ivr.token").write_text(TOKEN)
    text = re.sub(r"targets: \[.*\]", f'targets: ["127.0.0.1:{port}"]', text)
    return text.replace("/etc/prometheus/ivr.token", str(folder / "ivr.token")).replace(
        "/etc/prometheus/ivr-rules.yaml", str(shutil.copy(ROOT / "docs" / "prometheus-rules.yaml", folder))
    )


async def answer(base: str, query: str) -> list[dict[str, Any]]:
    """Ask until there is an answer: the next scrape brings it."""
    async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{base}/api/v1/query", params={"query": query}) as asked:
                found: list[dict[str, Any]] = (await asked.json())["data"]["result"]
            if found:
                return found


@needs("prometheus", "prometheus")
async def test_prometheus_reads_a_server_by_the_configuration_of_the_page(tmp_path: Path, signer: Signer) -> None:
    folder = tmp_path / "prometheus"
    folder.mkdir()
    port, own = free_port(), free_port()
    (folder / "prometheus.yaml").write_text(configuration(folder, port))
    path = program("prometheus")
    assert path
    world = World(tmp_path, signer)
    async with world.server(metrics=f"127.0.0.1:{port}", metrics_token=TOKEN) as phone:
        await phone.call(Press("1"), Speak("my flight was late"))
        prometheus = Program(
            path, "--config.file=prometheus.yaml", "--storage.tsdb.path=data", f"--web.listen-address=127.0.0.1:{own}",
            "--log.level=info", folder=folder,
        )  # fmt: skip
        try:
            await asyncio.to_thread(prometheus.said, "ready to receive web requests")
            base = f"http://127.0.0.1:{own}"
            (ended,) = await answer(base, 'ivr_calls_ended_total{job="ivr"}')
            assert ended["metric"].items() >= {"flow": "desk", "state": "thanks", "outcome": "resolved"}.items()
            assert ended["value"][1] == "1"
            (up,) = await answer(base, 'up{job="ivr"} == 1')
            assert up["metric"]["instance"] == f"127.0.0.1:{port}"
            (saved,) = await answer(base, 'histogram_quantile(0.5, ivr_turn_stage_seconds_bucket{stage="save"})')
            assert float(saved["value"][1]) > 0
            async with aiohttp.ClientSession() as session, session.get(f"{base}/api/v1/rules") as asked:
                groups = (await asked.json())["data"]["groups"]
            assert len(groups[0]["rules"]) == 12
        finally:
            await asyncio.to_thread(prometheus.stop)
