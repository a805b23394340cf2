"""The service `http` against real servers that are slow, down, lying about length, huge, redirecting or hostile."""

import asyncio
import gzip
import json
import logging
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_network
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from ivr.engine.commands import Argument, Request
from ivr.engine.events import HttpAnswered
from ivr.engine.secret_values import Secrets
from ivr.engine.web_orders import MARK
from ivr.ports import CallKey
from ivr.services.egress import LOOPBACK, Egress, NotAllowed
from ivr.services.service import ServiceError
from ivr.services.web_request import MAX_BYTES, WebRequest
from ivr.storage import Order

SHAPE = json.dumps({"a": "integer", "b?": ["text"]})
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class World:
    """A web service that does as it is told, and the service that asks it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.seen: list[tuple[str, str, dict[str, str], str]] = []
        self.replies: list[Handler] = []
        self.pauses: list[float] = []
        egress = Egress([f"localhost:{port}", f"127.0.0.1:{port}"], LOOPBACK)
        self.service = WebRequest(egress, Secrets({"key": 'hu"sh&=', "line": "a\nb"}), pause=self._pause)

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = (await request.read()).decode()
        self.seen.append((request.method, str(request.rel_url), dict(request.headers), body))
        reply = self.replies.pop(0) if self.replies else said({"a": 1})
        return await reply(request)

    def order(self, path: str = "/", *, attempts: int = 1, total: float = 30.0, **arguments: Argument) -> Order:
        private = arguments.pop("private", None)
        whole: dict[str, Argument] = {
            "method": "GET",
            "url": f"http://localhost:{self.port}{path}",
            "timeout": 5.0,
            "retries": 0,
            "expect": ("2xx",),
            "returns": SHAPE,
            **arguments,
        }
        request = Request("3.1", "http", whole, total, private={"json": private} if isinstance(private, str) else {})
        return Order("c" * 32, CallKey("test", "", "call"), request, attempts)

    async def ask(self, path: str = "/", **arguments: Any) -> HttpAnswered:
        return await self.service.run(self.order(path, **arguments))

    async def refused(self, path: str = "/", **arguments: Any) -> str:
        with pytest.raises(ServiceError) as caught:
            await self.ask(path, **arguments)
        return caught.value.code


def said(body: object, status: int = 200, **headers: str) -> Handler:
    """Answer with JSON, or with bytes as they are."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def handle(request: web.Request) -> web.StreamResponse:
        return web.Response(body=data, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return handle


@asynccontextmanager
async def serving(handle: Handler) -> AsyncIterator[int]:
    app = web.Application(client_max_size=1 << 24)
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made: list[World] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        return await made[0].answer(request)

    async with serving(handle) as port:
        made.append(World(port))
        yield made[0]
        await made[0].service.close()


# --- what is sent ----------------------------------------------------------------------------------------------------


async def test_a_request_is_sent_as_ordered_and_only_what_is_named_comes_back(world: World) -> None:
    world.replies = [said({"a": 7, "b": ["x"], "card": "4111"})]
    answered = await world.ask("/x?y=1", query={"q": "ä &=", "n": 3}, headers={"X-A": "é"})
    assert answered == HttpAnswered("3.1", 200, {"a": 7, "b": ["x"]})
    [(method, url, headers, body)] = world.seen
    assert (method, url, body) == ("GET", "/x?y=1&q=%C3%A4+%26%3D&n=3", "")
    assert headers["X-A"] == "é"
    assert headers["Accept-Encoding"] == "identity"
    assert "Idempotency-Key" not in headers


async def test_bodies_are_json_or_a_form(world: World) -> None:
    await world.ask(method="POST", json='{"a":1}')
    await world.ask(method="PUT", form={"a": "1 2", "b": "ü"})
    await world.ask(method="POST", private='["0815"]', headers={"content-type": "application/vnd.x+json"})
    (_, _, one, first), (_, _, two, second), (_, _, three, third) = world.seen
    assert (one["Content-Type"], first) == ("application/json", '{"a":1}')
    assert (two["Content-Type"], second) == ("application/x-www-form-urlencoded", "a=1+2&b=%C3%BC")
    assert (three["Content-Type"], third) == ("application/vnd.x+json", '["0815"]')


async def test_a_key_of_a_post_is_the_same_after_a_restart_and_another_in_each_step(world: World) -> None:
    await world.ask(method="POST", retries=1)
    await world.ask(method="PATCH", retries=1, attempts=2)
    keys = [headers["Idempotency-Key"] for _, _, headers, _ in world.seen]
    assert keys[0] == keys[1]
    assert len(keys[0]) == 32


async def test_secrets_are_put_in_where_they_are_named(world: World) -> None:
    key = f"{MARK}key{MARK}"
    await world.ask(method="POST", query={"k": key}, headers={"X-K": f"Bearer {key}"}, json=f'{{"k":"{key}"}}')
    [(_, url, headers, body)] = world.seen
    assert url == "/?k=hu%22sh%26%3D"
    assert headers["X-K"] == 'Bearer hu"sh&='
    assert json.loads(body) == {"k": 'hu"sh&='}


async def test_a_service_that_repeats_a_secret_does_not_bring_it_into_the_call(world: World) -> None:
    service = WebRequest(
        Egress([f"localhost:{world.port}"], LOOPBACK), Secrets({"key": "s3cret-tok\u00e9n", "pin": "4711"})
    )
    echo = {"a": 1, "b": ["Your key is s3cret-tok\u00e9n.", "4711", "hush"]}
    world.replies = [said(echo), said(echo)]
    sent: dict[str, Any] = {"headers": {"X-K": f"Bearer {MARK}key{MARK}"}, "query": {"pin": f"{MARK}pin{MARK}"}}
    answer = await service.run(world.order(**sent))
    assert answer.body == {"a": 1, "b": ["Your key is (hidden).", "4711", "hush"]}  # four figures are in any answer
    assert (await service.run(world.order(private=f'"{MARK}key{MARK}"', method="POST"))).body == answer.body
    await service.close()


async def test_a_secret_that_is_missing_or_would_split_a_header_is_sent_nowhere(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert await world.refused(headers={"X-K": f"{MARK}other{MARK}"}) == "connect"
        assert await world.refused(headers={"X-K": f"{MARK}line{MARK}"}) == "connect"
    assert world.seen == []
    assert "a\nb" not in str([vars(record) for record in caplog.records])


# --- what comes back -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 307, 404, 409, 500])
async def test_every_status_is_an_answer_and_no_redirect_is_followed(world: World, status: int) -> None:
    world.replies = [said({"a": 1, "card": "4111"}, status, Location="/elsewhere")]
    assert await world.ask() == HttpAnswered("3.1", status)
    assert len(world.seen) == 1


async def test_a_body_is_read_only_where_the_flow_reads_it(world: World) -> None:
    world.replies = [said(b"no json")]
    order = world.order()
    del order.request.arguments["returns"]  # type: ignore[attr-defined]
    assert await world.service.run(order) == HttpAnswered("3.1", 200)


UNREADABLE = {
    "no json": b"<html>",
    "half": b'{"a": 1',
    "not utf-8": b'{"b": ["\xff"]}',
    "nan": b'{"a": NaN}',
    "deep": b"[" * 100_000,
    "empty": b"",
    "a number of more digits than a computer has": b'{"a": 1e99999999999999999999}',
    "and one of less": b'{"b": [0e-99999999999999999999]}',
    "half a pair": b'{"b": ["\\ud800"]}',
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
async def test_what_is_no_json_cannot_be_read(world: World, body: bytes) -> None:
    world.replies = [said(body)]
    assert await world.ask() == HttpAnswered("3.1", 200, readable=False)


async def test_numbers_keep_their_digits(world: World) -> None:
    world.replies = [said(b'\xef\xbb\xbf{"a": 0.1, "b": [12.50, 0.12345678901234567890, 1e400, ' + b"9" * 30 + b"]}")]
    assert (await world.ask()).body == {"a": 0.1, "b": [12.5, "0.12345678901234567890", "1e400", int("9" * 30)]}


async def test_a_huge_body_is_not_read_to_its_end(world: World) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while sent < 1 << 26:
                await response.write(b" " * 65536)
                sent += 65536
        except ConnectionError:
            pass
        return response

    world.replies = [endless]
    assert await world.ask() == HttpAnswered("3.1", 200, readable=False)
    assert sent < 16 * MAX_BYTES


async def test_what_is_kept_of_a_body_has_a_bound_of_its_own(world: World) -> None:
    world.replies = [said({"b": ["x" * 70_000]}), said({"a": 1, "other": "x" * 70_000})]
    assert not (await world.ask()).readable
    assert (await world.ask()).body == {"a": 1}


async def test_a_bomb_is_not_inflated(world: World) -> None:
    world.replies = [said(gzip.compress(b'{"a": 1}' + b" " * 10_000_000), Content_Encoding="gzip")]
    assert await world.ask() == HttpAnswered("3.1", 200, readable=False)


@asynccontextmanager
async def raw(reply: bytes, *, hold: bool = False) -> AsyncIterator[int]:
    """Serve bytes as they are, and close, or hold the connection open until the other side closes it."""
    ended = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        if hold:
            await reader.read()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        ended.set()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
        await ended.wait()
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    ("reply", "hold", "code"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", False, "connect"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", True, "timeout"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}", False, "connect"),
        (b"no http at all\r\n\r\n", False, "connect"),
        (b"", False, "connect"),
        (b"", True, "timeout"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", False, "connect"),
    ],
)
async def test_a_server_that_lies_or_says_nothing_is_not_waited_for(reply: bytes, hold: bool, code: str) -> None:
    async with raw(reply, hold=hold) as port:
        world = World(port)
        assert await world.refused(timeout=0.2) == code
        await world.service.close()


async def test_a_server_that_is_down_cannot_be_reached() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        world = World(taken.getsockname()[1])
        assert await world.refused() == "connect"
        await world.service.close()


# --- asking again ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_busy_service_is_asked_again_after_longer_and_longer_pauses(world: World, status: int) -> None:
    world.replies = [said({}, status)] * 3
    assert (await world.ask(retries=3)).body == {"a": 1}
    assert world.pauses == [0.5, 1.0, 2.0]


async def test_the_last_answer_stands(world: World) -> None:
    world.replies = [said({}, 503)] * 3
    assert await world.ask(retries=2) == HttpAnswered("3.1", 503)
    assert len(world.seen) == 3


async def test_other_answers_are_final(world: World) -> None:
    world.replies = [said({}, 500)]
    assert (await world.ask(retries=3)).status == 500
    assert world.pauses == []


async def test_a_service_says_when_to_come_back_and_is_believed_as_long_as_time_allows(world: World) -> None:
    world.replies = [said({}, 429, Retry_After="7"), said({}, 429, Retry_After="soon")]
    assert (await world.ask(retries=2, total=60.0)).body == {"a": 1}
    assert world.pauses == [7.0, 1.0]
    world.replies = [said({}, 429, Retry_After="3600")]
    assert (await world.ask(retries=2)).status == 429
    assert world.pauses == [7.0, 1.0]


async def test_a_date_to_come_back_is_compared_with_the_services_own_clock(world: World) -> None:
    dates = {"Retry_After": "Fri, 20 Nov 2026 10:00:09 GMT", "Date": "Fri, 20 Nov 2026 10:00:05 GMT"}
    world.replies = [said({}, 503, **dates)]
    await world.ask(retries=1)
    assert world.pauses == [4.0]


async def test_a_post_that_was_under_way_at_a_restart_is_not_sent_again_unless_retries_allow_it(world: World) -> None:
    assert await world.refused(method="POST", attempts=2) == "connect"
    assert await world.refused(method="PATCH", attempts=3) == "connect"
    assert world.seen == []
    await world.ask(method="POST", attempts=2, retries=1)
    await world.ask(method="DELETE", attempts=2)
    assert [method for method, *_ in world.seen] == ["POST", "DELETE"]


async def test_cookies_are_not_kept_and_no_proxy_is_taken_from_the_environment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    world.replies = [said({"a": 1}, Set_Cookie="session=1")]
    await world.ask()
    await world.ask()
    assert "Cookie" not in world.seen[1][2]


# --- where requests may go -------------------------------------------------------------------------------------------

PUBLIC = Egress(["api.example.com", "*.inner.example:8443", "93.184.216.34", "[2606:2800::1]"])


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/x",
        "https://API.example.com:443/",
        "https://api.example.com./",
        "https://a.b.inner.example:8443/",
        "https://93.184.216.34/",
        "https://[2606:2800::1]/",
    ],
)
def test_hosts_on_the_list_are_allowed(url: str) -> None:
    assert PUBLIC.check(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/",
        "file:///etc/passwd",
        "ftp://api.example.com/",
        "https://api.example.com:8443/",
        "https://inner.example:8443/",
        "https://evilinner.example:8443/",
        "https://api.example.com.evil.example/",
        "https://user:secret@api.example.com/",
        "https://api.example.com@evil.example/",
        "https://evil.example#@api.example.com/",
        "https://evil.example\\@api.example.com/",
        "https:///x",
        "https://api.example.com:99999/",
        "//api.example.com/",
        "api.example.com",
        "http://localhost/",
        "http://127.0.0.1/",
        "https://[::ffff:127.0.0.1]/",
        "",
    ],
)
def test_other_addresses_are_not(url: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        PUBLIC.check(url)
    assert "secret" not in str(refused.value)


INSIDE = [
    "127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fe80::1", "fd00::1", "ff02::1", "2002:7f00:1::",
    "::", "198.18.0.1", "192.0.2.1",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_a_number_inside_is_refused_even_on_the_list(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(NotAllowed):
        Egress([host]).check(f"https://{host}/")


class Names(AbstractResolver):
    """A name service that changes its mind."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0, flags=socket.AI_NUMERICHOST,
            )
        ]  # fmt: skip

    async def close(self) -> None:
        """Nothing is held."""


@pytest.mark.parametrize("address", INSIDE)
async def test_no_connection_goes_to_an_address_inside_whatever_the_name(address: str) -> None:
    async def never(request: web.Request) -> web.StreamResponse:
        raise AssertionError("it was asked")

    async with serving(never) as port:
        service = WebRequest(Egress([f"api.example.com:{port}"], names=Names(address)), Secrets())
        order = World(port).order(url=f"https://api.example.com:{port}/")
        with pytest.raises(ServiceError) as caught:
            await service.run(order)
        assert caught.value.code == "connect"
        await service.close()


async def test_a_name_is_judged_at_each_connection(world: World) -> None:
    names = Names("127.0.0.1", "10.0.0.1")
    egress = Egress([f"localhost:{world.port}"], LOOPBACK, names=names)
    service = WebRequest(egress, Secrets())
    world.replies = [said({"a": 1}, Connection="close")]
    assert (await service.run(world.order())).body == {"a": 1}
    with pytest.raises(ServiceError):
        await service.run(world.order())
    await service.close()


async def test_a_silent_name_service_keeps_nothing_else_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    speaks = threading.Event()

    def silent(*_: object, **__: Any) -> list[object]:
        speaks.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    service = WebRequest(Egress(["api.example.com"]), Secrets())
    order = World(1).order(url="https://api.example.com/", timeout=0.01)
    try:
        answers = await asyncio.gather(*(service.run(order) for _ in range(40)), return_exceptions=True)
        assert {str(answer) for answer in answers} == {"timeout"}
        async with asyncio.timeout(10.0):  # of the loop's own threads there are 32 at most
            assert await asyncio.to_thread(lambda: "speech") == "speech"
    finally:
        speaks.set()
    await service.close()


def test_what_an_operator_allows_inside_can_be_asked_and_nothing_beside_it() -> None:
    inside = Egress(["10.1.2.3:8443", "10.2.0.1:8443"], [ip_network("10.1.0.0/16")])
    assert inside.check("https://10.1.2.3:8443/")
    for url in ("https://10.2.0.1:8443/", "http://10.1.2.3:8443/"):
        with pytest.raises(NotAllowed):
            inside.check(url)
