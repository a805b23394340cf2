"""Sign-in in a whole server: its settings, its pages beside the others, and a data folder whose server was killed."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ivr.server.assembly import running
from ivr.server.sign_in.sign_in_setup import TokenHosts
from ivr.server.startup import check_settings
from ivr.settings import Settings, SettingsError
from tests.fakes.authority import CLIENT, SECRET, TENANT, FakeAuthority
from tests.signin.sign_in_world import GRAPH, Browser, SignInWorld
from tests.store.store_examples import after, line, record
from tests.store.store_worlds import SqliteWorld

FLOW = "flow: desk\ninitial: main\nstates: {main: {say: Hello., final: true}}\n"


def settings(**changed: Any) -> Settings:
    wanted: dict[str, Any] = {
        "port": 0,
        "sign_in_client_id": CLIENT,
        "sign_in_secret": SECRET,
        "sign_in_tenant": TENANT,
        "sign_in_name": "Example Clinic",
        **changed,
    }
    return Settings(**wanted)


async def test_a_server_has_the_pages_if_there_is_a_provider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ivr")
    flow = tmp_path / "desk.yaml"
    flow.write_text(FLOW)
    authority = FakeAuthority(tmp_path)
    async with authority.served(), aiohttp.ClientSession() as session:
        monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", authority.trusted())
        on = settings(data=tmp_path / "data", sign_in_login_url=authority.login)
        async with running(on, [flow], dev=True) as server, session.get(f"{server.url}/s") as answer:
            assert answer.status == 200
            assert "Example Clinic" in await answer.text()
        assert "keys fetched" in caplog.messages
        assert (tmp_path / "data" / "sign-in-keys.json").stat().st_mode & 0o777 == 0o600
        off = Settings(port=0, data=tmp_path / "off")
        async with running(off, [flow], dev=True) as server, session.get(f"{server.url}/s") as answer:
            assert answer.status == 404


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"sign_in_secret": None}, "needs IVR_SIGN_IN_SECRET"),
        ({"sign_in_tenant": None}, "IVR_SIGN_IN_TENANT"),
        ({"sign_in_name": None}, "IVR_SIGN_IN_NAME"),
        ({"sign_in_tenant": "organizations"}, "IVR_SIGN_IN_TENANTS must list the ids"),
    ],
)
def test_what_is_missing_is_told_before_the_server_starts(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        check_settings(settings(**changed), dev=True)


def test_directories_are_ids_in_any_case() -> None:
    check_settings(settings(sign_in_tenant="organizations", sign_in_tenants=TENANT.upper()), dev=True)
    with pytest.raises(ValueError, match="must be ids of directories"):
        settings(sign_in_tenants="example.com")


def test_a_token_goes_to_hosts_of_the_list_over_tls() -> None:
    allows = TokenHosts(settings(sign_in_hosts="graph.microsoft.com,*.example.com"))
    assert allows(GRAPH)
    assert allows("https://mail.example.com/x")
    others = (
        "http://graph.microsoft.com/",
        "https://graph.microsoft.com.evil.example/",
        "https://evil.example/",
        "https://graph.microsoft.com@evil.example/",
        "https://graph.microsoft.com:8443/",
        "no address",
    )
    for address in others:
        assert not allows(address)


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[SqliteWorld]:
    (tmp_path / "disk").mkdir()
    one = SqliteWorld(tmp_path / "disk")
    await one.begin()
    yield one
    await one.end()


async def test_a_server_that_is_killed_goes_on_with_what_was_under_way(world: SignInWorld, disk: SqliteWorld) -> None:
    call = await begun_call(disk, "a")
    other = await begun_call(disk, "b")
    await restarted(world, disk)
    begun, device = await world.begin(call), await world.begin(other, "device")
    browser = Browser(world.authority)
    address = await world.browsers.confirm(begun.link[-43:], browser.cookie)
    await disk.crash()
    await restarted(world, disk)
    assert len(world.poller) == 1
    assert await world.calls.check(other, device.attempt, None) == "pending"
    await world.browsers.returned(await browser.goes(address or ""), browser.cookie)
    code = (await world.browsers.page(begun.attempt, browser.cookie)).code
    assert await world.calls.check(other, begun.attempt, code) == "expired"
    assert await world.calls.check(call, begun.attempt, code) == "signedIn"
    token = await world.calls.bearer(call, "calendar", address=GRAPH)
    await disk.crash()
    await restarted(world, disk)
    assert await world.calls.bearer(call, "calendar", address=GRAPH) == token
    assert await world.calls.bearer(other, "calendar", address=GRAPH) is None
    record_of = {one.id: one async for portion in disk.archive.stored() for one in portion}
    await disk.store.commit(after(record_of[call].record, over=True))
    await disk.crash()
    await restarted(world, disk)
    await world.attempts.sweep()
    assert await disk.sign_ins.of_call(call) == []
    assert len(await disk.sign_ins.of_call(other)) == await disk.sign_ins.count() == 1


async def begun_call(disk: SqliteWorld, name: str) -> str:
    commit = after(record(name), line())
    await disk.store.commit(commit)
    return commit.record.id


async def restarted(world: SignInWorld, disk: SqliteWorld) -> None:
    await world.stop()
    world.store = disk.sign_ins
    await world.start()
