"""/metrics of a real server: read by Prometheus' own parser, at its own address, and by nobody else."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ivr.errors import StoreUnavailable
from ivr.phone.callers.turn_based import Press, Speak
from ivr.server.assembly import running
from ivr.server.startup import check_settings
from ivr.server.telemetry.store_look import StoreLooks
from ivr.settings import Settings, SettingsError
from ivr.store.memory.memory_calls import MemoryStore
from ivr.store.memory.memory_outbox import MemoryOutbox, MemoryPlatformRequests
from tests.free_ports import free_port
from tests.phone.calling import Signer
from tests.server.harness import Way
from tests.server.world import World
from tests.telemetry.metrics_reader import Page

TOKEN = "a-token-of-the-metrics"


@asynccontextmanager
async def watched(
    folder: Path, signer: Signer, *, way: Way = "short", **changed: Any
) -> AsyncIterator[tuple[Any, Page]]:
    """Serve with metrics, and give a phone and the page."""
    port = free_port()
    settings = {"metrics": f"127.0.0.1:{port}", **changed}
    async with World(folder, signer, way=way).server(**settings) as phone:
        yield phone, Page(port, changed.get("metrics_token"))


@pytest.mark.parametrize("way", ["short", "long"])
async def test_a_whole_call_is_seen_on_both_ways(tmp_path: Path, signer: Signer, way: Way) -> None:
    async with watched(tmp_path, signer, way=way) as (phone, page):
        before = await page.rows()
        assert before["ivr_calls_live"][()] == 0
        assert before["ivr_store_up"][()] == 1
        assert before["ivr_requests_short_total"][()] == 0
        await phone.call(Press("1"), Speak("my flight was late"))
        rows = await page.rows()
    assert rows["ivr_calls_started_total"] == {("skype", "desk"): 1}
    assert rows["ivr_calls_ended_total"] == {("desk", "resolved", "thanks"): 1}
    assert rows["ivr_states_entered_total"]["desk", "report"] == 1
    assert rows["ivr_turn_stage_seconds_count"][("save",)] == rows["ivr_turn_stage_seconds_count"][("advance",)] >= 3
    assert rows["ivr_jobs_total"] == {("answered", "transcribe"): 1}
    assert (rows["ivr_requests_short_total"][()] > 0) == (way == "short")
    assert rows["process_cpu_seconds_total"][()] > 0


async def test_nothing_of_it_is_at_the_port_of_calls_and_nothing_of_calls_is_here(
    tmp_path: Path, signer: Signer
) -> None:
    async with watched(tmp_path, signer) as (phone, page):
        assert (await Page(phone.port).ask())[0] == 404
        assert (await page.ask(path="/call"))[0] == 404
        assert (await page.ask(path="/healthz"))[0] == 404
        assert (await page.ask("POST"))[0] == 405


async def test_without_its_setting_nothing_is_counted(tmp_path: Path, signer: Signer) -> None:
    world = World(tmp_path, signer)
    async with world.server() as phone:
        assert (await Page(phone.port).ask())[0] == 404
        assert phone is not None


async def test_a_web_page_cannot_read_them_by_a_name_of_its_own(tmp_path: Path, signer: Signer) -> None:
    async with watched(tmp_path, signer) as (_, page):
        assert (await page.ask(Host="rebound.example"))[0] == 403
        assert (await page.ask(Host="localhost:9464"))[0] == 200


async def test_a_token_is_asked_for_and_a_refusal_is_counted(tmp_path: Path, signer: Signer) -> None:
    async with watched(tmp_path, signer, metrics_token=TOKEN) as (_, page):
        stranger = Page(page.port)
        assert (await stranger.ask())[0] == 401
        assert (await stranger.ask(Authorization=f"Basic {TOKEN}"))[0] == 401
        assert (await stranger.ask(Authorization="Bearer another-token-of-this"))[0] == 401
        rows = await page.rows()
    assert rows["ivr_requests_refused_total"] == {("refused", "metrics-token"): 3}


async def test_what_a_stranger_sends_makes_no_label_of_its_own(tmp_path: Path, signer: Signer) -> None:
    async with watched(tmp_path, signer) as (phone, page):
        async with aiohttp.ClientSession() as session:
            for number in range(30):
                head = {"Authorization": f"Bearer stranger-{number}"}
                url = f"http://127.0.0.1:{phone.port}/call/stranger-{number}"
                async with session.post(url, json={"id": f"stranger-{number}"}, headers=head) as answer:
                    assert answer.status in {401, 403}
        _, text = await page.ask()
    assert "stranger" not in text
    assert "ivr_requests_refused_total{" in text


def test_other_machines_may_not_read_them_without_a_token() -> None:
    settings = Settings(metrics="0.0.0.0:9464", app_id="x", public_url="https://ivr.example")
    with pytest.raises(SettingsError, match="IVR_METRICS_TOKEN"):
        check_settings(settings, dev=False)
    check_settings(settings.model_copy(update={"metrics": "[::1]:9464"}), dev=False)


@pytest.mark.parametrize("address", ["9464", "localhost:9464", "127.0.0.1", "127.0.0.1:99999", "http://127.0.0.1:1/x"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"such as 127\.0\.0\.1"):
        Settings(metrics=address)


async def test_workers_of_one_machine_have_a_port_each(tmp_path: Path, signer: Signer) -> None:
    port = free_port()
    chosen: dict[str, Any] = dict(signer.settings)
    chosen |= {"port": 0, "data": tmp_path / "data", "metrics": f"127.0.0.1:{port - 1}"}
    (tmp_path / "flow.yaml").write_text("flow: f\ninitial: a\nstates: {a: {say: Hello., final: true}}\n")
    async with running(Settings(**chosen), [tmp_path / "flow.yaml"], dev=False, worker=1):
        assert (await Page(port).ask())[0] == 200


async def test_a_port_that_is_taken_is_named(tmp_path: Path, signer: Signer) -> None:
    async with watched(tmp_path, signer) as (_, page):
        other = tmp_path / "other"
        other.mkdir()
        with pytest.raises(SettingsError, match=f"IVR_METRICS: 127.0.0.1, port {page.port}, cannot be had"):
            async with World(other, signer).server(metrics=f"127.0.0.1:{page.port}"):
                raise AssertionError


async def test_without_the_extra_the_server_says_what_to_install(
    tmp_path: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "ivr.server.telemetry.prometheus_text", raising=False)
    with pytest.raises(SettingsError, match="ivr\\[metrics\\]"):
        async with watched(tmp_path, signer):
            raise AssertionError


class Away(MemoryStore):
    """A store that fails, or that does not answer."""

    silent = False

    async def probe(self) -> None:
        if self.silent:
            await asyncio.Event().wait()
        raise StoreUnavailable("away")


@pytest.mark.parametrize("silent", [False, True])
async def test_a_store_that_is_away_is_told_as_such(monkeypatch: pytest.MonkeyPatch, silent: bool) -> None:
    monkeypatch.setattr("ivr.server.telemetry.store_look.PATIENCE", 0.01)
    store = Away()
    store.silent = silent
    looks = StoreLooks(store, MemoryOutbox(store), MemoryPlatformRequests(store))
    look = await looks.now()
    assert not look.up


async def test_the_log_has_no_token(tmp_path: Path, signer: Signer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with watched(tmp_path, signer, metrics_token=TOKEN) as (_, page):
        await page.rows()
        await Page(page.port).ask(Authorization="Bearer another-token-of-this")
    assert TOKEN not in caplog.text
    assert "another-token-of-this" not in caplog.text
