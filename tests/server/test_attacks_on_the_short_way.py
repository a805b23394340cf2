"""What somebody with a token could try on the short way: to fill the memory, to be heard twice, to keep a server open.

What a stranger could try is tried on both ways in test_connections, test_floods and test_webhook_head.
"""

import asyncio
import gc
import logging
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace

from ivr.errors import StoreUnavailable, WebhookError
from ivr.ports import Incoming, WebhookReply, WebhookRequest
from ivr.server.body import BodyLimits
from ivr.server.connection import Connection
from ivr.server.short_way import Told
from tests.server.harness import (
    JSON,
    LineTwin,
    Served,
    TurnsTwin,
    Way,
    connected,
    read_answer,
    request,
    serving,
)
from tests.waiting import PATIENCE, Gate, begun

MESSAGE = request("POST", "/callback", b'{"id": "c1"}')
PATIENT = BodyLimits(stall=3600.0, total=3600.0)
"However slow this machine is, nothing stalls."
LARGE = request("POST", "/callback", b'{"id": "c1", "x": "%s"}' % (b"x" * 20_000))
ODD = request("POST", "/callback", b'{"id": "c1"}', {**JSON, "TE": "trailers"})
"The same, as the short way does not take it."


async def rounds(count: int = 20) -> None:
    """Let the loop read what was sent, and answer it."""
    for _ in range(count):
        await asyncio.sleep(0)


def held_back(served: Served) -> int:
    """Count the bytes of replies that a server keeps because nobody takes them."""
    connections = [one for one in gc.get_objects() if isinstance(one, Connection) and one.wire is not None]
    assert connections
    return sum(one.wire.get_write_buffer_size() for one in connections if one.wire is not None)


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection at once, as a machine does that has lost it."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


# --- memory ----------------------------------------------------------------------------------------------------------


async def test_who_sends_without_end_is_not_read_while_a_reply_is_to_come(tmp_path: Path, way: Way) -> None:
    turns = TurnsTwin(hold=(held := Gate()))
    async with serving(tmp_path, way=way, turns=turns, body=PATIENT) as served:
        loop, sent = asyncio.get_running_loop(), 0
        with socket.create_connection(("127.0.0.1", served.port)) as sock:
            sock.setblocking(False)
            for _ in range(100):  # of a megabyte each
                try:
                    sent += sock.send(LARGE * (2**20 // len(LARGE)))
                except BlockingIOError:
                    break
                await rounds(3)
            else:
                pytest.fail("all of it was read")
            assert len(turns.taken) == 1
            held.set()
            async with asyncio.timeout(PATIENCE):
                while len(turns.taken) < sent // len(LARGE):
                    await loop.sock_recv(sock, 2**20)


async def test_replies_that_nobody_takes_do_not_pile_up(tmp_path: Path, way: Way) -> None:
    class Talkative(TurnsTwin):
        def _noted(self, incoming: Incoming, flow: str | None) -> WebhookReply:
            super()._noted(incoming, flow)
            return WebhookReply(body=bytes(50_000))

    turns, many = Talkative(), 400
    async with serving(tmp_path, way=way, turns=turns, body=PATIENT) as served:
        loop = asyncio.get_running_loop()
        with socket.socket() as sock:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            await loop.sock_connect(sock, ("127.0.0.1", served.port))
            await loop.sock_sendall(sock, MESSAGE * many)
            seen = -1
            while len(turns.taken) > seen:  # as long as it goes on
                seen = len(turns.taken)
                await rounds(50)
            assert held_back(served) < 200_000
            assert 0 < seen < many / 2
            async with asyncio.timeout(PATIENCE):
                while len(turns.taken) < many:  # once they are taken, it goes on
                    await loop.sock_recv(sock, 2**20)


async def test_a_connection_that_goes_both_ways_in_turn_leaves_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, connected(served.port) as (reader, writer):

        async def alternate(times: int) -> None:
            for _ in range(times // 2):
                writer.write(MESSAGE)
                assert (await read_answer(reader)).status == 200
                writer.write(ODD)
                assert (await read_answer(reader)).status == 200

        await alternate(200)
        served.turns.taken.clear()
        gc.collect()
        gc.disable()
        try:
            before = sys.getallocatedblocks()
            await alternate(2_000)
            served.turns.taken.clear()
            served.turns.flows.clear()
            served.turns.arrivals.clear()
            assert sys.getallocatedblocks() - before < 500
        finally:
            gc.enable()
        assert served.listener.short == 1_100


async def test_hundreds_of_connections_are_all_answered_and_forgotten(served: Served) -> None:
    async def calls() -> None:
        async with connected(served.port) as (reader, writer):
            for sent in (MESSAGE, ODD, MESSAGE):
                writer.write(sent)
                assert (await read_answer(reader)).status == 200

    await asyncio.gather(*(calls() for _ in range(500)))
    assert len(served.turns.taken) == 1500
    assert served.listener.busy == 0
    await served.listener.close()
    assert served.listener.connections == 0


# --- ends ------------------------------------------------------------------------------------------------------------


async def test_who_hangs_up_while_its_reply_is_to_come_is_forgotten_and_its_turn_goes_on(
    tmp_path: Path, way: Way, caplog: pytest.LogCaptureFixture
) -> None:
    turns = TurnsTwin(hold=(held := Gate()))
    async with serving(tmp_path, way=way, turns=turns) as served:
        for end in (reset, asyncio.StreamWriter.close):
            async with connected(served.port) as (_, writer):
                writer.write(MESSAGE)
                await held.reached()
                end(writer)
            await rounds()
            assert served.listener.busy == 1
            held.set()
            await rounds()
            assert (served.listener.busy, served.listener.connections) == (0, 0)
            turns.hold = held = Gate()
        assert len(turns.taken) == 2
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("first", ["the hang-up", "the turn"])
async def test_who_hangs_up_as_its_request_goes_the_long_way_after_all_is_forgotten(tmp_path: Path, first: str) -> None:
    class Owing(TurnsTwin):
        """Its replies are owed, as all are for which a service is asked."""

        told: Told | None = None

        def take_now(self, incoming: Incoming, *, flow: str | None = None, arrived: float = 0.0, told: Told) -> bool:
            self.told = told
            return True

    turns = Owing()
    async with serving(tmp_path, way="short", turns=turns) as served:
        async with connected(served.port) as (_, writer):
            writer.write(MESSAGE)
            while turns.told is None:
                await asyncio.sleep(0)
            (connection,) = (one for one in gc.get_objects() if isinstance(one, Connection) and one.busy)
            assert connection.wire is not None
            # Both in one round of the loop: that the connection is lost is told in the next.
            if first == "the turn":
                turns.told(None)
            connection.wire.abort()
            if first == "the hang-up":
                turns.told(None)
            await rounds()
        assert (served.listener.busy, served.listener.connections) == (0, 0)


async def test_who_hangs_up_in_the_midst_of_a_request_is_forgotten(served: Served) -> None:
    for cut in range(1, len(MESSAGE)):
        async with connected(served.port) as (_, writer):
            writer.write(MESSAGE[:cut])
            await rounds(6)
            reset(writer)
    await rounds()
    assert (served.listener.busy, served.listener.connections, served.turns.taken) == (0, 0, [])
    assert (await served.post()).status == 200


async def test_a_request_under_way_is_answered_when_the_port_closes_and_what_is_behind_it_is_not(
    tmp_path: Path, way: Way
) -> None:
    turns = TurnsTwin(hold=(held := Gate()))
    async with serving(tmp_path, way=way, turns=turns) as served:
        async with connected(served.port) as (reader, writer), connected(served.port) as (idle, other):
            other.write(request("GET", "/healthz"))
            await read_answer(idle)
            writer.write(MESSAGE)
            await held.reached()
            closing = await begun(served.listener.close())
            assert await idle.read() == b""
            writer.write(MESSAGE)
            await rounds()
            held.set()
            answer = await read_answer(reader)
            assert (answer.status, answer.headers["connection"]) == (200, "close")
            assert await reader.read() == b""
            await closing
        assert len(turns.taken) == 1


async def test_half_a_body_that_is_under_way_when_the_port_closes_may_still_come(tmp_path: Path, way: Way) -> None:
    async with serving(tmp_path, way=way) as served, connected(served.port) as (reader, writer):
        writer.write(MESSAGE[:-3])
        await rounds()
        closing = await begun(served.listener.close())
        writer.write(MESSAGE[-3:])
        answer = await read_answer(reader)
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        await closing


# --- faults ----------------------------------------------------------------------------------------------------------


class Faulty(TurnsTwin):
    """Turns that cannot be saved, in one way or another."""

    def __init__(self, fault: Callable[[Told], bool]) -> None:
        super().__init__()
        self.fault = fault

    def take_now(self, incoming: Incoming, *, flow: str | None = None, arrived: float = 0.0, told: Told) -> bool:
        return self.fault(told)

    async def take(self, incoming: Incoming, *, flow: str | None = None, arrived: float) -> WebhookReply:
        raise StoreUnavailable("The disk is full.")


def at_once(told: Told) -> bool:
    told(None)
    return True


def later(told: Told) -> bool:
    asyncio.get_running_loop().call_later(0.001, told, None)
    return True


@pytest.mark.parametrize("fault", [at_once, later, lambda told: False], ids=["at once", "later", "not begun"])
async def test_what_cannot_be_saved_is_503_and_the_connection_stays(
    tmp_path: Path, fault: Callable[[Told], bool]
) -> None:
    async with serving(tmp_path, turns=Faulty(fault)) as served, connected(served.port) as (reader, writer):
        for _ in range(3):
            writer.write(MESSAGE * 2)
            for _ in range(2):
                answer = await read_answer(reader)
                assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "unavailable", "1")
        assert served.listener.busy == 0


async def test_a_mistake_of_ours_is_500_and_hangs_nobody(
    tmp_path: Path, way: Way, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def wrong(*args: object) -> None:
        raise RuntimeError("pin 4711 was wrong")

    monkeypatch.setattr(LineTwin, "decode", wrong)
    async with serving(tmp_path, way=way) as served:
        answer = await served.post()
        assert (answer.status, answer.code) == (500, "internal")
        assert served.listener.busy == 0
    assert [record.getMessage() for record in caplog.records] == ["request failed"]


async def test_a_reply_that_cannot_be_written_ends_its_connection_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Wrong(TurnsTwin):
        def _noted(self, incoming: Incoming, flow: str | None) -> WebhookReply:
            return replace(super()._noted(incoming, flow), status=99)

    async with serving(tmp_path, turns=Wrong()) as served:
        async with connected(served.port) as (reader, writer):
            writer.write(MESSAGE)
            assert await reader.read() == b""
        assert (served.listener.busy, served.listener.connections) == (0, 0)
    assert [record.getMessage() for record in caplog.records] == ["request failed"]


# --- tokens ----------------------------------------------------------------------------------------------------------


class Days(Struct):
    """A verifier of tokens that are good on some days, and what was asked of it."""

    good: dict[str, range]
    keys: int = 1
    asked: int = 0

    async def verify(self, request: WebhookRequest, *, now: float) -> None:
        self.asked += 1
        if self.remembered(request.headers.get("authorization", ""), now=now) is None:
            raise WebhookError(403, "token", "That is no good token.")

    def verify_body(self, request: WebhookRequest) -> None:
        pass

    def remembered(self, authorization: str, *, now: float) -> "Remembered | None":
        one = Remembered(self, authorization.removeprefix("Bearer "), self.keys)
        return one if one.hold(now) else None


class Remembered(Struct):
    days: Days
    token: str
    keys: int

    def hold(self, now: float) -> bool:
        return int(now) in self.days.good.get(self.token, ()) and self.keys == self.days.keys


async def test_each_request_is_let_in_by_its_own_token_whatever_came_before_it(tmp_path: Path, way: Way) -> None:
    days, today = Days({"a": range(1, 5), "b": range(3, 9)}), 1

    async def says(token: str) -> int:
        writer.write(request("POST", "/callback", b'{"id": "c1"}', token=token))
        return (await read_answer(reader)).status

    async with (
        serving(tmp_path, way=way, verifier=days, now=lambda: float(today)) as served,
        connected(served.port) as (reader, writer),
    ):
        assert [await says(token) for token in ("a", "x", "a", "b", "a", "A", "a ", "a")] == [
            *(200, 403, 200, 403, 200, 403, 200, 200),
        ]
        today = 3
        assert [await says(token) for token in ("a", "b", "a", "b")] == [200] * 4
        today = 6  # in the midst of a kept connection
        assert [await says(token) for token in ("b", "a", "b", "a")] == [200, 403, 200, 403]
        days.good = {"c": range(9)}
        assert [await says(token) for token in ("b", "c")] == [403, 200]
        days.keys = 2
        assert await says("c") == 200
    assert days.asked == (7 if way == "short" else 19), "what is remembered is not asked again"
