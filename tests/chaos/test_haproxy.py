"""The configuration of HAProxy that operators get: what it lets through, and what it sends again."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.chaos.balancer import CONFIGURATION, haproxy

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


class _Answers:
    """A server that is ready, and answers everything with a status."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        if request.path == "/readyz":
            return web.Response()
        self.asked.append(request.headers.get("X-Forwarded-For", ""))
        return web.Response(status=self.status)


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[tuple[str, _Answers, _Answers]]:
    """Two servers behind it, of which the first always has a database that is away, and where it is."""
    away, good = _Answers(503), _Answers(200)
    servers = []
    for one in (away, good):
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", one.answer)
        servers.append(TestServer(application))
        await servers[-1].start_server()
    with haproxy(tmp_path, [server.port for server in servers]) as port:
        yield f"http://127.0.0.1:{port}", away, good
    for server in servers:
        await server.close()


async def test_a_message_that_one_server_cannot_take_goes_to_the_next(pair: tuple[str, _Answers, _Answers]) -> None:
    address, away, good = pair
    async with aiohttp.ClientSession() as session:
        for _ in range(6):
            async with session.post(f"{address}/call/desk", data=b"{}") as answer:
                assert answer.status == 200
    assert away.asked
    assert len(good.asked) == 6


async def test_a_form_of_a_page_is_sent_once(pair: tuple[str, _Answers, _Answers]) -> None:
    address, away, good = pair
    async with aiohttp.ClientSession() as session:
        statuses = []
        for _ in range(6):
            async with session.post(f"{address}/signin", data=b"ticket=1") as answer:
                statuses.append(answer.status)
    assert len(away.asked) + len(good.asked) == 6
    assert set(statuses) == {200, 503}


@pytest.mark.parametrize(
    "path", ["/console", "/calls", "/v3/botstate/x", "/readyz", "/healthz", "/metrics", "/", "/callx"]
)
async def test_what_is_ours_is_closed_to_others(pair: tuple[str, _Answers, _Answers], path: str) -> None:
    address, away, good = pair
    async with aiohttp.ClientSession() as session, session.get(address + path) as answer:
        assert answer.status == 403
    assert away.asked == good.asked == []


async def test_nobody_chooses_the_address_that_is_counted(pair: tuple[str, _Answers, _Answers]) -> None:
    address, away, good = pair
    forged = {"X-Forwarded-For": "203.0.113.9"}
    async with aiohttp.ClientSession() as session, session.post(f"{address}/call", headers=forged) as answer:
        assert answer.status == 200
    assert set(away.asked + good.asked) == {"127.0.0.1"}


def test_it_lets_through_what_the_other_proxy_does() -> None:
    [public] = re.findall(r"acl public path_reg \^/\((.*?)\)", CONFIGURATION.read_text("utf-8"))
    [nginx] = re.findall(r"location ~ \^/\((call\|.*?)\)", OPERATIONS.read_text("utf-8"))
    assert public == f"{nginx}|chat"
