"""What a gateway counts, as Prometheus reads it, and the pages that show it."""

import json
import re
import socket

import aiohttp
from hypothesis import given
from hypothesis import strategies as st

from ivr.gateway.metrics import Metrics, Snapshot, written
from ivr.gateway.status_pages import Health, status_pages
from ivr.histogram import Histogram

LINE = re.compile(r'([a-z_]+)(\{[a-z]+="[^"\\]+"\})? (-?[0-9.e+-]+)')


def page(metrics: Metrics, *, registered: bool | None = None, draining: bool = False) -> dict[str, float]:
    """Return every value of the page, which is read strictly: each has its help and its type before it."""
    now = Snapshot(
        lateness=([0.001, 0.02], [5, 2, 1], 0.5),
        codecs={"PCMA": 2},
        answers={488: 3, 200: 1},
        registered=registered,
        draining=draining,
    )
    text = written(metrics, now).decode()
    assert text.endswith("\n")
    values: dict[str, float] = {}
    kind, family = "", ""
    for line in text.splitlines():
        if line.startswith("# HELP "):
            family = line.split()[2]
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name == family
            assert (kind == "counter") == name.endswith("_total")
        else:
            found = LINE.fullmatch(line)
            assert found, line
            suffixes = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
            assert found[1] in {family + suffix for suffix in suffixes}
            values[found[1] + (found[2] or "")] = float(found[3])
    return values


def test_every_counter_is_there_before_anything_happened() -> None:
    values = page(Metrics())
    assert values['ivr_gateway_calls_ended_total{end="bot-away"}'] == 0
    assert values['ivr_gateway_requests_refused_total{reason="scanner"}'] == 0
    assert values['ivr_gateway_codec_calls{codec="opus"}'] == 0
    assert "ivr_gateway_registered" not in values


def test_what_was_counted_is_written() -> None:
    metrics = Metrics()
    metrics.taken.begun, metrics.taken.answered = 3, 2
    metrics.taken.ended["caller"] += 2
    metrics.refused["flood"] += 7
    metrics.jitter.add(0.004)
    metrics.jitter.add(9.0)
    values = page(metrics, registered=True, draining=True)
    assert values["ivr_gateway_calls"] == 1
    assert values["ivr_gateway_calls_begun_total"] == 3
    assert values['ivr_gateway_calls_ended_total{end="caller"}'] == 2
    assert values['ivr_gateway_requests_refused_total{reason="flood"}'] == 7
    assert values['ivr_gateway_codec_calls{codec="PCMA"}'] == 2
    assert values['ivr_gateway_call_jitter_seconds_bucket{le="0.005"}'] == 1
    assert values['ivr_gateway_call_jitter_seconds_bucket{le="+Inf"}'] == 2
    assert values["ivr_gateway_call_jitter_seconds_sum"] == 9.004
    assert values['ivr_gateway_frame_lateness_seconds_bucket{le="0.02"}'] == 7
    assert values["ivr_gateway_frame_lateness_seconds_count"] == 8
    assert values['ivr_gateway_sip_answers_total{status="488"}'] == 3
    assert values["ivr_gateway_registered"] == 1
    assert values["ivr_gateway_draining"] == 1


@given(st.lists(st.floats(0, 10)))
def test_a_histogram_has_every_value_once_at_its_bound(added: list[float]) -> None:
    histogram = Histogram((0.5, 2.0))
    for value in added:
        histogram.add(value)
    assert sum(histogram.counts) == len(added)
    assert histogram.counts[0] == sum(value <= 0.5 for value in added)
    assert histogram.counts[2] == sum(value > 2.0 for value in added)


async def test_the_pages_are_served_and_nothing_else_is() -> None:
    sock = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    async with (
        status_pages(sock, health=lambda: Health(2, draining=True), metrics=lambda: b"# nothing\n"),
        aiohttp.ClientSession() as client,
    ):
        async with client.get(f"{url}/healthz") as reply:
            assert reply.status == 200
            assert json.loads(await reply.text()) == {"status": "ok", "calls": 2, "draining": True}
        async with client.get(f"{url}/metrics") as reply:
            assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            assert await reply.read() == b"# nothing\n"
        async with client.get(f"{url}/") as reply:
            assert reply.status == 404
        async with client.post(f"{url}/metrics") as reply:
            assert reply.status == 405
