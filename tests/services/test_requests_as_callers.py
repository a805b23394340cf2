"""`http` in the name of a caller: the token goes to one service, over TLS, and shows nowhere else."""

import json
import logging
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from ivr.engine.commands import Argument, Request
from ivr.engine.events import HttpAnswered
from ivr.engine.secret_values import Secrets
from ivr.ports import CallKey
from ivr.services.egress import LOOPBACK, Egress
from ivr.services.service import ServiceError
from ivr.services.web_request import HIDDEN, WebRequest
from ivr.sign_in_ports import SignInRefused
from ivr.storage import Order
from tests.useragent.certificates import Authority

CALL = "c" * 32


class Tokens:
    """The other side that has the tokens: `good` in order, each for one request."""

    def __init__(self) -> None:
        self.good: list[str | None] = ["token-number-one"]
        self.asked: list[tuple[str, str, str, str | None]] = []
        self.refuses: SignInRefused | None = None

    async def bearer(self, call: str, name: str, *, address: str, refused: str | None = None) -> str | None:
        self.asked.append((call, name, address, refused))
        if self.refuses is not None:
            raise self.refuses
        return self.good.pop(0)


class Graph:
    """A web service that takes some tokens, and says again what it got."""

    def __init__(self, tokens: Tokens, port: int) -> None:
        self.takes = {"token-number-one", "token-number-two"}
        self.seen: list[str] = []
        self.port = port
        self.tokens = tokens
        self.service = WebRequest(Egress([f"127.0.0.1:{port}"], LOOPBACK), Secrets(), bearers=tokens)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        token = request.headers.get("Authorization", "")
        self.seen.append(token)
        if request.path == "/away":
            raise web.HTTPFound(f"https://localhost:{self.port}/caught")
        known = token.removeprefix("Bearer ") in self.takes
        return web.json_response({"said": token}, status=200 if known else 401)

    async def ask(self, path: str = "/me/events", scheme: str = "https", **more: Argument) -> HttpAnswered:
        arguments: dict[str, Argument] = {
            "method": "GET",
            "url": f"{scheme}://127.0.0.1:{self.port}{path}",
            "timeout": 5.0,
            "retries": 0,
            "expect": ("2xx",),
            "returns": json.dumps({"said": "text"}),
            "signIn": "calendar",
            **more,
        }
        return await self.service.run(
            Order(CALL, CallKey("test", "", "call"), Request("3.1", "http", arguments, 30), 1)
        )

    async def refused(self, *args: str) -> str:
        with pytest.raises(ServiceError) as caught:
            await self.ask(*args)
        return caught.value.code


@pytest.fixture
async def graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Graph]:
    signer = Authority(tmp_path, "graph")
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", ssl.create_default_context(cafile=str(signer.file)))
    made: list[Graph] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        return await made[0].answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    issued = signer.issue("127.0.0.1")
    tls.load_cert_chain(issued.certificate, issued.key)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    made.append(Graph(Tokens(), runner.addresses[0][1]))
    try:
        yield made[0]
    finally:
        await made[0].service.close()
        await runner.cleanup()


async def test_a_service_is_asked_with_the_token_of_the_call_which_its_answer_does_not_repeat(graph: Graph) -> None:
    answer = await graph.ask("/me/events?day=today")
    assert (answer.status, answer.body) == (200, {"said": f"Bearer {HIDDEN}"})
    assert graph.seen == ["Bearer token-number-one"]
    assert graph.tokens.asked == [(CALL, "calendar", f"https://127.0.0.1:{graph.port}/me/events", None)]


async def test_a_token_that_is_refused_is_replaced_once(graph: Graph) -> None:
    graph.tokens.good = ["token-number-old", "token-number-two"]
    assert (await graph.ask()).status == 200
    assert [refused for *_, refused in graph.tokens.asked] == [None, "token-number-old"]


async def test_a_second_refusal_or_no_other_token_is_an_error_of_its_own(graph: Graph) -> None:
    graph.tokens.good = ["token-number-old", "token-number-odd"]
    assert await graph.refused() == "auth"
    assert len(graph.seen) == 2
    graph.tokens.good = ["token-number-old", None]
    assert await graph.refused() == "auth"
    assert len(graph.seen) == 3


async def test_without_a_token_nothing_is_sent(graph: Graph, caplog: pytest.LogCaptureFixture) -> None:
    graph.tokens.good = [None]
    assert await graph.refused() == "auth"
    graph.tokens.refuses = SignInRefused("host", "not there")
    assert await graph.refused() == "auth"
    graph.tokens.refuses = SignInRefused("unreachable", "no answer")
    assert await graph.refused() == "connect"
    assert graph.seen == []
    reasons = [record.__dict__["reason"] for record in caplog.records if record.levelno == logging.WARNING]
    assert reasons == ["host", "unreachable"]


async def test_a_token_is_never_sent_in_clear(graph: Graph) -> None:
    assert await graph.refused("/me/events", "http") == "auth"
    assert graph.tokens.asked == []


async def test_no_redirect_gets_a_token(graph: Graph) -> None:
    assert (await graph.ask("/away")).status == 302
    assert graph.seen == ["Bearer token-number-one"]


async def test_a_server_on_which_nobody_can_sign_in_sends_nothing(graph: Graph) -> None:
    graph.service = WebRequest(Egress([f"127.0.0.1:{graph.port}"], LOOPBACK), Secrets())
    assert await graph.refused() == "auth"
    assert graph.seen == []


async def test_no_token_is_in_the_log(graph: Graph, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    graph.tokens.good = ["token-number-old", "token-number-odd"]
    assert await graph.refused() == "auth"
    assert "token-number" not in caplog.text
