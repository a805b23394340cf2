"""The door for orders, as an attacker knocks: nothing without the token, nothing large, nothing slow, nothing odd."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ivr.cli.event_loop import fast_loop
from ivr.gateway.metrics import OrderRefusal
from ivr.gateway.order_book import CallOrder, NotTaken
from ivr.gateway.order_door import BODY_TIME, LONGEST, MAX_ORDER, MOST_CONNECTIONS, OrderDoor, order_door
from tests.gateway.ordering import TOKEN, an_order
from tests.waiting import PATIENCE, Clock

GOOD = json.dumps(an_order()).encode()
RIGHT = f"Bearer {TOKEN}"


class Door:
    """A door, and what came through it."""

    def __init__(self) -> None:
        self.taken: list[CallOrder] = []
        self.refused: Counter[OrderRefusal] = Counter()
        self.error: Exception | None = None
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self.sock.getsockname()

    def take(self, order: CallOrder) -> None:
        if self.error is not None:
            raise self.error
        self.taken.append(order)

    async def asked(self, data: bytes) -> tuple[int, dict[str, str], Any]:
        """Send bytes, and return the answer, after which the connection has to end."""
        reader, writer = await asyncio.open_connection(*self.address)
        try:
            writer.write(data)
            async with asyncio.timeout(PATIENCE):
                raw = await reader.read()
        finally:
            writer.close()
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *fields = head.decode().split("\r\n")
        return int(first.split()[1]), dict(field.split(": ", 1) for field in fields), json.loads(body)


@asynccontextmanager
async def door() -> AsyncIterator[Door]:
    made = Door()
    asks = OrderDoor(TOKEN, made.take, lambda why: made.refused.update((why,)))
    async with order_door(made.sock, asks):
        yield made


def post(body: bytes = GOOD, target: str = "/calls", method: str = "POST", **headers: str | None) -> bytes:
    """Write a request; a header that is None is left out."""
    every: dict[str, str | None] = {
        "Host": "gateway",
        "Authorization": RIGHT,
        "Content_Type": "application/json",
        "Content_Length": str(len(body)),
        **headers,
    }
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in every.items() if value is not None]
    return "\r\n".join([f"{method} {target} HTTP/1.1", *lines, "", ""]).encode("latin-1") + body


async def test_an_order_is_taken_and_the_connection_ends() -> None:
    async with door() as here:
        status, headers, body = await here.asked(post())
    assert (status, body) == (202, {"id": an_order()["id"]})
    assert headers["Connection"] == "close"
    assert here.taken == [CallOrder(**an_order())]


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": None},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": "Bearer \xff\xfe"},
        {"Authorization": "Bearer wrong", "authorization": RIGHT},
        {"Authorization": None, "Cookie": f"token={TOKEN}"},
    ],
)
@pytest.mark.parametrize(
    ("method", "target"), [("POST", "/calls"), ("POST", f"/calls?token={TOKEN}"), ("GET", "/"), ("PUT", "/other")]
)
async def test_without_the_token_there_is_nothing_here(method: str, target: str, headers: dict[str, Any]) -> None:
    async with door() as here:
        status, fields, body = await here.asked(post(target=target, method=method, **headers))
    assert (status, body["error"]["code"]) == (401, "token")
    assert fields["WWW-Authenticate"] == "Bearer"
    assert TOKEN not in str((fields, body))
    assert not here.taken
    assert here.refused == {"token": 1}


async def test_a_wrong_token_is_told_before_the_body_is_there() -> None:
    async with door() as here:
        status, _, _ = await here.asked(post(b"", Authorization="Bearer wrong", Content_Length="4000000000"))
    assert status == 401


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/calls", 405),
        ("PUT", "/calls", 405),
        ("DELETE", "/calls", 405),
        ("POST", "/", 404),
        ("POST", "/calls/", 404),
        ("POST", "/calls/x", 404),
        ("POST", "//calls", 404),
        ("POST", "/%63alls", 404),
        ("POST", "/x/../calls", 404),
        ("POST", "/calls?flow=x", 404),
    ],
)
async def test_there_is_one_address_and_one_method(method: str, target: str, status: int) -> None:
    async with door() as here:
        assert (await here.asked(post(method=method, target=target)))[0] == status
    assert not here.taken


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Type": None},
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/x-www-form-urlencoded"},
        {"Content_Type": "multipart/form-data; boundary=x"},
        {"Content_Encoding": "gzip"},
        {"Content_Encoding": "identity"},
    ],
)
async def test_an_order_is_json_as_it_is(headers: dict[str, Any]) -> None:
    async with door() as here:
        assert (await here.asked(post(**headers)))[0] == 415
    assert not here.taken


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"{" * 2000,
        b"[" * 4000,
        b"\xff\xfe",
        json.dumps({**an_order(), "bot": "http://evil.example/"}).encode(),
        json.dumps({**an_order(), "flow": "x"}).encode(),
        json.dumps({**an_order(), "to": None}).encode(),
        json.dumps({**an_order(), "to": ["+431"]}).encode(),
        json.dumps({**an_order(), "ring": "45"}).encode(),
        json.dumps({**an_order(), "ring": True}).encode(),
        b'{"id": "0", "to": "+431234567", "ring": NaN}',
        b'{"id": "0", "to": "+431234567", "ring": 1e999}',
        GOOD[:-1],
        GOOD + b"x",
    ],
)
async def test_what_is_no_order_is_refused_and_nothing_of_it_repeated(
    body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with door() as here:
        status, fields, answer = await here.asked(post(body))
    assert (status, answer["error"]["code"]) == (400, "order")
    assert "evil" not in f"{fields}{answer}{caplog.text}"
    assert not here.taken
    assert here.refused == {"order": 1}


@pytest.mark.parametrize("declared", ["16385", "4000000000"])
async def test_a_body_that_says_that_it_is_large_is_not_read(declared: str) -> None:
    async with door() as here:
        status, _, answer = await here.asked(post(b"", Content_Length=declared))
    assert (status, answer["error"]["code"]) == (413, "size")


async def test_a_body_that_grows_and_grows_is_cut() -> None:
    chunk = b"%x\r\n%s\r\n" % (MAX_ORDER // 2, b" " * (MAX_ORDER // 2))
    async with door() as here:
        status, _, _ = await here.asked(
            post(chunk * 3 + b"0\r\n\r\n", Content_Length=None, Transfer_Encoding="chunked")
        )
    assert status == 413


async def test_a_body_whose_chunks_cannot_be_read_is_refused() -> None:
    async with door() as here:
        status, _, _ = await here.asked(post(b"zz\r\n", Content_Length=None, Transfer_Encoding="chunked"))
    assert status == 400
    assert not here.taken


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        f"POST /calls HTTP/1.1\r\nAuthorization: {RIGHT}\r\nBad Header : x\r\n\r\n".encode(),
        f"POST /calls HTTP/1.1\r\nAuthorization: {RIGHT}\r\nX: {'x' * 20_000}\r\n\r\n".encode(),
        post(Transfer_Encoding="chunked"),
    ],
)
async def test_a_head_that_cannot_be_read_is_not_repeated(data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with door() as here:
        status, _, answer = await here.asked(data)
    assert status == 400
    assert TOKEN not in f"{answer}{caplog.text}"
    assert not here.taken


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    with Clock.of_this_loop() as clock:
        async with door() as here:
            reader, writer = await asyncio.open_connection(*here.address)
            writer.write(post(b"", Content_Length="100"))
            await here.asked(post())  # so that the door has read both
            clock.turn(BODY_TIME)
            assert (await reader.read()).startswith(b"HTTP/1.1 408")
            writer.close()


async def test_a_head_that_does_not_come_ends_the_connection() -> None:
    with Clock.of_this_loop() as clock:
        async with door() as here:
            reader, writer = await asyncio.open_connection(*here.address)
            writer.write(b"POST /calls HTTP/1.1\r\nHost:")
            await writer.drain()
            await here.asked(post())  # so that the door has read both
            clock.turn(LONGEST)
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
            writer.close()


async def test_there_are_few_connections_and_one_that_ends_makes_room() -> None:
    async with door() as here:
        held = [await asyncio.open_connection(*here.address) for _ in range(MOST_CONNECTIONS)]
        reader, writer = await asyncio.open_connection(*here.address)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
        first, kept = held[0]
        kept.write(post(Authorization="Bearer wrong"))
        assert (await first.read()).startswith(b"HTTP/1.1 401")
        kept.close()
        await kept.wait_closed()
        assert (await here.asked(post()))[0] == 202
        for _, each in held[1:]:
            each.close()


@pytest.mark.parametrize(("wait", "shown"), [(7, "7"), (None, None)])
async def test_a_refusal_says_why_and_when_to_ask_again(wait: int | None, shown: str | None) -> None:
    async with door() as here:
        here.error = NotTaken(429, "rate", "Too many.", retry_after=wait)
        status, fields, answer = await here.asked(post())
    assert (status, answer, fields.get("Retry-After")) == (
        429,
        {"error": {"code": "rate", "message": "Too many."}},
        shown,
    )
    assert here.refused == {"rate": 1}


async def test_a_fault_of_ours_is_told_without_what_it_holds(caplog: pytest.LogCaptureFixture) -> None:
    async with door() as here:
        here.error = RuntimeError(f"about {TOKEN}")
        status, _, answer = await here.asked(post())
    assert (status, answer["error"]["code"]) == (500, "internal")
    assert [one.getMessage() for one in caplog.records] == ["order failed"]


async def test_who_knocks_without_a_token_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with door() as here:
        for _ in range(3):
            await here.asked(post(Authorization="Bearer wrong"))
        assert not caplog.records
        await here.asked(post(b"{}"))
    (line,) = caplog.records
    assert (line.getMessage(), line.status, line.reason) == ("order refused", 400, "order")  # type: ignore[attr-defined]


def test_the_door_opens_in_the_loop_that_a_gateway_has() -> None:
    async def one() -> int:
        async with door() as here:
            return (await here.asked(post()))[0]

    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        assert runner.run(one()) == 202
