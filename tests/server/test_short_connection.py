"""How a connection changes between its two ways, one request after the other."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from ivr.ports import Incoming, WebhookReply
from ivr.server.short_way import Told
from tests.server.harness import JSON, Served, TurnsTwin, connected, form, read_answer, request, serving
from tests.waiting import PATIENCE

MESSAGE = request("POST", "/callback", b'{"id": "c1"}')
UNUSUAL = request("POST", "/callback", b'{"id": "c1"}', {**JSON, "TE": "trailers"})
FORM = request("POST", "/callback", form(b"audio"), {"Content-Type": "multipart/form-data; boundary=B"})


@pytest.fixture
async def served_short(tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(tmp_path, way="short") as one:
        yield one


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop read what was sent."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0)


async def test_each_request_goes_its_own_way(served_short: Served) -> None:
    async with connected(served_short.port) as (reader, writer):
        for sent, short in (
            (MESSAGE, 1),
            (UNUSUAL, 1),
            (FORM, 2),
            (UNUSUAL * 2, 2),
            (MESSAGE * 2, 4),
            (UNUSUAL + MESSAGE, 4),
        ):
            writer.write(sent)
            for _ in range(sent.count(b"POST")):
                assert (await read_answer(reader)).json == {"answered": "c1"}
            assert served_short.listener.short == short


async def test_a_form_that_comes_in_pieces_goes_the_long_way(served_short: Served) -> None:
    async with connected(served_short.port) as (reader, writer):
        writer.write(FORM[:-20])
        await until(lambda: len(served_short.arrivals._open) == 1)
        writer.write(FORM[-20:])
        assert (await read_answer(reader)).status == 200
        assert served_short.listener.short == 0


async def test_json_that_is_slow_to_come_is_left_to_the_long_way_by_the_next_sweep(tmp_path: Path) -> None:
    async with serving(tmp_path, way="short", sweep=1000.0) as served, connected(served.port) as (reader, writer):
        for swept in (False, True):
            writer.write(MESSAGE[:-3])
            await until(lambda: served.listener.busy == 1)
            if swept:
                served.listener._server.sweep()
                assert served.listener.busy == 1
            writer.write(MESSAGE[-3:])
            assert (await read_answer(reader)).status == 200
            assert served.listener.short == 1  # the first of the two


class BeginsAndFails(TurnsTwin):
    """A store that fails after it has begun, and tells of it all the same."""

    def take_now(self, incoming: Incoming, *, flow: str | None = None, arrived: float = 0.0, told: Told) -> bool:
        asyncio.get_running_loop().call_soon(told, WebhookReply(body=b"of a turn that failed"))
        raise RuntimeError("a fault")


async def test_a_turn_that_was_begun_and_failed_is_answered_once(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, way="short", turns=BeginsAndFails()) as served,
        connected(served.port) as (reader, writer),
    ):
        writer.write(MESSAGE + b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert [(await read_answer(reader)).json for _ in range(2)] == [{"answered": "c1"}, {"alive": True}]
        assert await reader.read() == b""
        assert served.listener.busy == 0
