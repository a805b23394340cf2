"""The sockets themselves: how many, how slow, and who gives way."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from ivr.server.guarded_server import ConnectionLimits
from ivr.server.static_files import Asset
from tests.server.harness import JSON, Served, Way, connected, read_answer, request, serving
from tests.waiting import PATIENCE, Clock, broken_off

LARGE = "a" * 64
ASSETS = {LARGE: Asset(bytes(8 * 2**20), "audio/wav")}
"More than two systems keep of an answer that nobody reads."
ASKED = request("GET", f"/media/{LARGE}")
WAITS = {**JSON, "Content-Length": "12", "Expect": "100-continue"}


@asynccontextmanager
async def deaf(port: int, sent: bytes) -> AsyncIterator[socket.socket]:
    """Ask, see the answer begin, and take no more of it."""
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)  # before connecting, or it would not hold
        await loop.sock_connect(sock, ("127.0.0.1", port))
        await loop.sock_sendall(sock, sent)
        async with asyncio.timeout(PATIENCE):
            assert await loop.sock_recv(sock, 12) == b"HTTP/1.1 200"
        yield sock


async def begins(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send the head of a message, and return when the server works on it and waits for the body."""
    writer.write(request("POST", "/callback", headers=WAITS))
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")


async def test_a_head_that_stalls_gets_408(tmp_path: Path, way: Way) -> None:
    async with serving(tmp_path, way=way, connections=ConnectionLimits(head=0.05)) as served:
        answer = await served.send(b"POST /callback HTTP/1.1\r\nHost: loc")
        assert (answer.status, answer.code) == (408, "stalled")


async def test_a_head_that_drips_gets_408_all_the_same(tmp_path: Path, way: Way) -> None:
    with Clock.of_this_loop() as clock:
        async with serving(tmp_path, way=way) as served, connected(served.port) as (r, w):
            w.write(b"POST /callback HTTP/1.1\r\n")
            reading = asyncio.create_task(read_answer(r))
            for _ in range(11):
                w.write(b"X: 1\r\n")
                assert (await served.send(request("GET", "/healthz"))).status == 200  # the line before it was read
                assert not reading.done()
                clock.turn(0.95)
            assert (await reading).status == 408


async def test_a_connection_that_sends_nothing_is_closed(tmp_path: Path, way: Way) -> None:
    async with (
        serving(tmp_path, way=way, connections=ConnectionLimits(head=0.05)) as served,
        connected(served.port) as (r, _),
    ):
        async with asyncio.timeout(PATIENCE):
            assert await r.read() == b""


async def test_a_connection_stays_open_between_requests_and_is_closed_when_idle_too_long(
    tmp_path: Path, way: Way
) -> None:
    limits = ConnectionLimits(head=10.0, idle=75.0)
    with Clock.of_this_loop() as clock:
        async with serving(tmp_path, way=way, connections=limits) as served, connected(served.port) as (reader, writer):
            for pause in (70.0, 76.0):
                writer.write(request("POST", "/callback", b'{"id": "c1"}'))
                assert (await read_answer(reader)).status == 200
                clock.turn(pause)
            assert await reader.read() == b""


async def test_pipelined_requests_are_answered_in_order(served: Served) -> None:
    async with connected(served.port) as (reader, writer):
        writer.write(b"".join(request("POST", "/callback", b'{"id": "%d"}' % n) for n in range(5)))
        assert [(await read_answer(reader)).json for _ in range(5)] == [{"answered": str(n)} for n in range(5)]


async def test_of_many_idle_connections_the_longest_idle_gives_way(tmp_path: Path, way: Way) -> None:
    async with serving(tmp_path, way=way, connections=ConnectionLimits(most=20, grace=0)) as served:
        crowd = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(200)]
        assert (await served.post()).status == 200
        closed = [await asyncio.wait_for(reader.read(), 5) == b"" for reader, _ in crowd[:150]]
        assert all(closed)
        for _, writer in crowd:
            writer.close()


async def test_when_there_is_no_room_a_request_gets_503_but_health_is_told(tmp_path: Path, way: Way) -> None:
    limits = ConnectionLimits(most=1, spare=2)
    async with serving(tmp_path, way=way, connections=limits) as served, connected(served.port) as (r, w):
        await begins(r, w)
        answer = await served.post()
        assert (answer.status, answer.code) == (503, "too-many-connections")
        assert answer.headers["retry-after"] == "1"
        assert answer.headers["connection"] == "close"
        assert (await served.send(request("GET", "/healthz"))).status == 200
        w.write(b'{"id": "c1"}')
        assert (await read_answer(r)).status == 200
        assert len(served.turns.taken) == 1


async def test_beyond_the_spare_connections_nothing_is_read(tmp_path: Path, way: Way) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    async def slow() -> bool:
        asked.set()
        return await answered.wait()

    async with (
        serving(tmp_path, way=way, connections=ConnectionLimits(most=1, spare=1), checks={"slow": slow}) as served,
        connected(served.port) as (seated, seat),
    ):
        await begins(seated, seat)
        async with connected(served.port) as (_, spare):
            spare.write(request("GET", "/readyz"))
            await asked.wait()
            async with connected(served.port) as (reader, _):
                answer = await read_answer(reader)
                assert (answer.status, answer.code) == (503, "too-many-connections")
                assert await reader.read() == b""
        answered.set()


# --- who gives way first ---------------------------------------------------------------------------------------------

HALF = b"POST /callback HTTP/1.1\r\nHost: loc"
FORM = request("POST", "/callback", headers={**JSON, "Content-Length": "999"}, token=None)
"Refused before its body came, and it never comes."
MANY = 50


async def says(one: tuple[asyncio.StreamReader, asyncio.StreamWriter], call: str = "c1") -> None:
    """Send a message on a connection that is kept, and have it answered."""
    reader, writer = one
    writer.write(request("POST", "/callback", b'{"id": "%s"}' % call.encode()))
    assert (await read_answer(reader)).json == {"answered": call}


@pytest.mark.parametrize("sent", [b"", HALF, FORM], ids=["nothing", "half a head", "no body"])
async def test_however_many_come_and_send_nothing_whole_a_kept_connection_stays(
    tmp_path: Path, way: Way, sent: bytes
) -> None:
    with Clock.of_this_loop() as clock:
        async with AsyncExitStack() as stack:
            served = await stack.enter_async_context(serving(tmp_path, way=way, connections=ConnectionLimits(most=10)))
            kept = await stack.enter_async_context(connected(served.port))
            await says(kept)
            clock.turn(5.0)  # it is the oldest by far, and the others are younger than the time that it has to itself
            for _ in range(MANY):
                _, writer = await stack.enter_async_context(connected(served.port))
                writer.write(sent)
                assert (await served.send(request("GET", "/healthz"))).status == 200
            await says(kept)
            assert served.listener.connections <= 10
            await served.listener.close(drain=0.0)


async def test_who_has_sent_nothing_goes_before_who_has_sent_something(tmp_path: Path, way: Way) -> None:
    async with (
        serving(tmp_path, way=way, connections=ConnectionLimits(most=2)) as served,
        connected(served.port) as (slow, half),
        connected(served.port) as (silent, _),
    ):
        half.write(HALF)
        assert (await served.post()).status == 200
        assert await silent.read() == b""
        half.write(b"alhost\r\nContent-Length: 0\r\n\r\n")
        assert (await read_answer(slow)).status == 401


async def test_who_was_refused_goes_before_who_was_let_in(tmp_path: Path, way: Way) -> None:
    async with (
        serving(tmp_path, way=way, connections=ConnectionLimits(most=2)) as served,
        connected(served.port) as kept,
        connected(served.port) as (stranger, writer),
    ):
        await says(kept)
        writer.write(request("POST", "/callback", token=None))
        assert (await read_answer(stranger)).status == 401
        assert (await served.post()).status == 200
        assert await stranger.read() == b""
        await says(kept)


async def test_health_has_places_of_its_own_which_the_silent_cannot_keep(tmp_path: Path, way: Way) -> None:
    async with AsyncExitStack() as stack:
        limits = ConnectionLimits(most=1, spare=2)
        served = await stack.enter_async_context(serving(tmp_path, way=way, connections=limits))
        reader, writer = await stack.enter_async_context(connected(served.port))
        await begins(reader, writer)
        for _ in range(MANY):
            await stack.enter_async_context(connected(served.port))
            assert (await served.send(request("GET", "/healthz"))).status == 200
        writer.write(b'{"id": "c1"}')
        assert (await read_answer(reader)).status == 200


# --- who never takes an answer ---------------------------------------------------------------------------------------


async def test_who_never_takes_the_answer_is_cut_off(tmp_path: Path, way: Way) -> None:
    async with (
        serving(tmp_path, way=way, connections=ConnectionLimits(idle=0.05), assets=ASSETS) as served,
        deaf(served.port, ASKED) as sock,
    ):
        await broken_off(sock)
        assert served.listener.connections == 0


async def test_who_gives_way_with_answers_untaken_leaves_nothing_open(tmp_path: Path, way: Way) -> None:
    """What is not sent would keep the socket open, beyond the limit and counted by nobody."""
    limits = ConnectionLimits(most=1, grace=0)
    async with (
        serving(tmp_path, way=way, connections=limits, assets=ASSETS) as served,
        deaf(served.port, ASKED * 9) as first,
        deaf(served.port, ASKED * 9) as second,
    ):
        await broken_off(first)
        assert (await served.send(request("GET", "/healthz"))).status == 200
        await broken_off(second)


async def test_who_closes_with_answers_untaken_gives_way_too(tmp_path: Path, way: Way) -> None:
    """The server has closed its side already, and waits for the last byte to leave."""
    last = request("GET", f"/media/{LARGE}", headers={"Connection": "close"})
    limits = ConnectionLimits(most=1, grace=0)
    async with serving(tmp_path, way=way, connections=limits, assets=ASSETS) as served, deaf(served.port, last) as sock:
        assert (await served.send(request("GET", "/healthz"))).status == 200
        await broken_off(sock)


async def test_a_head_that_stalls_behind_an_untaken_answer_is_cut_off_without_another(tmp_path: Path, way: Way) -> None:
    limits = ConnectionLimits(head=0.05)
    async with (
        serving(tmp_path, way=way, connections=limits, assets=ASSETS) as served,
        deaf(served.port, ASKED) as sock,
    ):
        await asyncio.get_running_loop().sock_sendall(sock, b"GET /healthz HTTP/1.1\r\nHost: loc")
        await broken_off(sock)
        assert served.listener.connections == 0


async def test_an_answer_that_is_whole_is_delivered_though_its_connection_gives_way(tmp_path: Path, way: Way) -> None:
    async with (
        serving(tmp_path, way=way, connections=ConnectionLimits(most=1, grace=0)) as served,
        connected(served.port) as (reader, writer),
    ):
        writer.write(request("POST", "/callback", b'{"id": "c1"}'))
        assert await reader.readexactly(12) == b"HTTP/1.1 200"
        assert (await served.post()).status == 200
        assert (await reader.read()).endswith(b'{"answered": "c1"}')  # and then the end, not a reset
