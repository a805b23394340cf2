"""Microsoft's own client takes the provider that we play for one: so what our client learns of it holds."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from pathlib import Path
from time import time as real_time
from typing import Any

import aiohttp
import msal
import pytest
import requests
from yarl import URL

from tests.fakes.authority import ADA, CLIENT, SECRET, TENANT, FakeAuthority

BACK = "https://ivr.example/signin/callback"
SCOPES = ["User.Read"]


@pytest.fixture
async def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeAuthority]:
    one = FakeAuthority(tmp_path)
    async with one.served():
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(one.ca))  # it wins over the client's own setting
        yield one


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as one:
        yield one


async def client(authority: FakeAuthority, session: requests.Session, kind: type, **more: Any) -> Any:
    return await asyncio.to_thread(
        kind, CLIENT, authority=authority.root, instance_discovery=False, http_client=session, **more
    )


async def test_a_browser_with_pkce(authority: FakeAuthority, session: requests.Session) -> None:
    app = await client(authority, session, msal.ConfidentialClientApplication, client_credential=SECRET)
    flow = app.initiate_auth_code_flow(SCOPES, redirect_uri=BACK, prompt="select_account", response_mode="form_post")
    connector = aiohttp.TCPConnector(ssl=authority.trusted())
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(URL(flow["auth_uri"], encoded=True), allow_redirects=False) as answer,
    ):
        back = dict(URL(answer.headers["Location"]).query)
    result = await asyncio.to_thread(app.acquire_token_by_auth_code_flow, flow, back)
    assert result.get("id_token_claims", result)["oid"] == ADA
    assert result["id_token_claims"]["tid"] == TENANT
    assert result["access_token"].startswith("access-a-")
    again = await asyncio.to_thread(
        app.acquire_token_silent_with_error, SCOPES, app.get_accounts()[0], force_refresh=True
    )
    assert again["access_token"] not in {result["access_token"], None}


async def test_a_code_is_good_once_and_with_its_own_verifier(
    authority: FakeAuthority, session: requests.Session
) -> None:
    app = await client(authority, session, msal.ConfidentialClientApplication, client_credential=SECRET)
    one, other = (app.initiate_auth_code_flow(SCOPES, redirect_uri=BACK, response_mode="form_post") for _ in range(2))
    connector = aiohttp.TCPConnector(ssl=authority.trusted())
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(URL(one["auth_uri"], encoded=True), allow_redirects=False) as answer,
    ):
        back = dict(URL(answer.headers["Location"]).query)
    stolen = {**other, "state": back["state"]}
    refused = await asyncio.to_thread(app.acquire_token_by_auth_code_flow, stolen, back)
    assert refused["error"] == "invalid_grant"
    refused = await asyncio.to_thread(app.acquire_token_by_auth_code_flow, one, back)
    assert refused["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("said", "waits", "error"),
    [
        (["authorization_pending", "slow_down", "authorization_pending", "yes"], [5, 10, 10], None),
        (["authorization_pending", "authorization_declined"], [5], "authorization_declined"),
        (["expired_token"], [], "expired_token"),
    ],
)
async def test_a_device(
    authority: FakeAuthority,
    session: requests.Session,
    monkeypatch: pytest.MonkeyPatch,
    said: list[str],
    waits: list[float],
    error: str | None,
) -> None:
    authority.device = said
    time = Time()
    authority.now = time.time
    monkeypatch.setattr("msal.oauth2cli.oauth2.time", time)
    app = await client(authority, session, msal.PublicClientApplication)
    flow = await asyncio.to_thread(app.initiate_device_flow, SCOPES)
    assert (flow["user_code"], flow["interval"]) == ("YZMYLD4K", 5)
    result = await asyncio.to_thread(app.acquire_token_by_device_flow, flow)
    assert result.get("error") == error
    if error is None:
        assert result["id_token_claims"]["oid"] == ADA
    polls = authority.polls
    assert [later - earlier for earlier, later in pairwise(polls)] == waits
    form = authority.asked[-1][1]
    assert form["device_code"] == form["code"]  # it sends both


class Time:
    """The part of `time` that it polls by: nobody waits."""

    def __init__(self) -> None:
        self._now = real_time()

    def time(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds
