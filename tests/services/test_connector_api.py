"""What is sent to connectors: to listed hosts alone, with a token, and once more where that was refused."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from msgspec.structs import replace

from ivr.ports import Outbound
from ivr.services.client_credentials import ClientCredentials
from ivr.services.connector_api import MANNERS, ConnectorApi
from ivr.services.egress import NotAllowed
from ivr.services.platform_api import PlatformUnreachable

HOSTS = ("*.botframework.com", "smba.trafficmanager.net")


class Connector:
    """A connector that keeps what it got."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str | None, object]] = []
        self.bodies: list[bytes] = []
        self.statuses: list[int] = []
        self.tokens = 0
        self.base = ""

    async def handle(self, request: web.BaseRequest) -> web.Response:
        if request.path.endswith("/token"):
            self.tokens += 1
            return web.json_response({"access_token": f"t{self.tokens}", "expires_in": 3599})
        body = await request.read()
        self.bodies.append(body)
        self.got.append((request.raw_path, request.headers.get("Authorization"), json.loads(body) if body else None))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 202)

    @property
    def host(self) -> str:
        return self.base.removeprefix("http://")

    def credentials(self) -> ClientCredentials:
        return ClientCredentials(self.base, "tenant", client="c", secret="s", scope="x")

    def post(self, path: str = "/v3/conversations/29%3A1/activities") -> Outbound:
        return Outbound("1.1", "POST", self.base + path, {"type": "message"})


@pytest.fixture
async def connector() -> AsyncIterator[Connector]:
    one = Connector()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", one.handle)
    async with TestServer(app) as server:
        one.base = str(server.make_url("/")).rstrip("/")
        yield one


@asynccontextmanager
async def api_of(connector: Connector, *hosts: str, token: bool = True, **more: object) -> AsyncIterator[ConnectorApi]:
    api = ConnectorApi(hosts or (connector.host,), connector.credentials() if token else None, **more)  # type: ignore[arg-type]
    yield api
    await api.close()


async def test_the_token_goes_along_and_the_address_stays_letter_by_letter(connector: Connector) -> None:
    async with api_of(connector) as api:
        assert (await api.send(connector.post(), "n")).status == 202
        await api.send(connector.post(), "n")
    assert connector.got == [("/v3/conversations/29%3A1/activities", "Bearer t1", {"type": "message"})] * 2
    assert connector.tokens == 1


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_token_is_replaced_once(connector: Connector, status: int) -> None:
    async with api_of(connector) as api:
        connector.statuses = [status]
        assert (await api.send(connector.post(), "n")).status == 202
        connector.statuses = [status, status]
        assert (await api.send(connector.post(), "n")).status == status
    assert [token for _, token, _ in connector.got] == ["Bearer t1", "Bearer t2", "Bearer t2", "Bearer t3"]


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/v3", "https://botframework.com.evil.example/v3", "https://user@smba.trafficmanager.net/v3",
        "https://smba.trafficmanager.net:8443/v3", "http://smba.trafficmanager.net/v3", "https://trafficmanager.net/",
        "https://evil.trafficmanager.net/", "https://botframework.com/", "file:///etc/passwd", "", "//", "https://[",
        "http://169.254.169.254/latest", "http://127.0.0.1:1/", "https://smba.trafficmanager.net\\@evil.example/",
    ],
)  # fmt: skip
async def test_no_other_host_is_served_and_none_gets_the_token(connector: Connector, address: str) -> None:
    async with api_of(connector, *HOSTS) as api:
        assert not api.serves(address)
        with pytest.raises(PlatformUnreachable) as refused:
            await api.send(Outbound("1.1", "POST", address), "n")
        assert (refused.value.code, refused.value.for_good) == ("not-allowed", True)
        with pytest.raises(NotAllowed):
            api.get(address)
    assert (connector.tokens, connector.got) == (0, [])


async def test_the_vendors_own_connectors_are_served(connector: Connector) -> None:
    async with api_of(connector, *HOSTS) as api:
        for address in ("https://skype.botframework.com", "https://smba.trafficmanager.net/emea/"):
            assert api.serves(address)
            assert not api.serves(f"{address}?x=")
            assert not api.serves(f"{address}#")


async def test_in_development_connectors_of_this_machine_are_served_without_the_token(connector: Connector) -> None:
    async with api_of(connector, *HOSTS, local=True) as api:
        assert (await api.send(connector.post(), "n")).status == 202
        assert not api.serves("http://192.168.0.1/")
        for port in range(2000, 2040):  # as many as anybody names
            api.serves(f"http://127.0.0.1:{port}/")
        assert not api.serves("http://127.0.0.1:3000/")
    assert connector.got == [("/v3/conversations/29%3A1/activities", None, {"type": "message"})]
    assert connector.tokens == 0


async def test_files_come_from_connectors_with_the_token_and_from_other_listed_hosts_without(
    connector: Connector,
) -> None:
    async with api_of(connector) as api, api.get(f"{connector.base}/a.ogg") as answer:
        assert answer.status == 202
    async with (
        api_of(connector, *HOSTS, files=[connector.host], private=[]) as api,
        api_of(connector, *HOSTS) as closed,
    ):
        with pytest.raises(NotAllowed):
            closed.get(f"{connector.base}/a.ogg")
        with pytest.raises(NotAllowed):  # this machine is no public place
            api.get(f"{connector.base}/a.ogg")
    assert [token for _, token, _ in connector.got] == ["Bearer t1"]


async def test_without_a_secret_no_token_is_sent(connector: Connector) -> None:
    async with api_of(connector, token=False) as api:
        await api.send(connector.post(), "n")
        async with api.get(f"{connector.base}/a.ogg"):
            pass
    assert [token for _, token, _ in connector.got] == [None, None]


def test_only_what_the_platform_says_can_go_better_is_tried_again() -> None:
    assert [status for status in range(200, 600) if MANNERS.later(status)] == [412, 429, 502, 503, 504]
    assert (MANNERS.first_pause, MANNERS.longest_pause, MANNERS.spread) == (0.5, 30.0, True)


async def test_a_body_that_is_written_already_is_sent_letter_by_letter(connector: Connector) -> None:
    body = '{"type":"message","channelData":{"b": 1.10,  "a":[12345678901234567890, 1E5]}}'
    async with api_of(connector) as api:
        await api.send(replace(connector.post(), body=body, kind="written"), "1.1")
    assert connector.bodies[-1] == body.encode()
