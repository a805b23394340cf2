"""The network of these tests: what it is told to do to connections."""

import asyncio

import pytest

from tests.chaos.wire import Wire, wire_to
from tests.waiting import PATIENCE


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data)
    writer.close()


async def _said(wire: Wire, word: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
    writer.write(word)
    async with asyncio.timeout(PATIENCE):
        heard = await reader.readexactly(len(word))
    writer.close()
    return heard


async def test_a_silent_wire_gives_nothing_up_and_says_it_later() -> None:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    async with server, wire_to(server.sockets[0].getsockname()[1]) as wire:
        assert await _said(wire, b"one") == b"one"
        wire.go_silent()
        late = asyncio.create_task(_said(wire, b"two"))
        done, _ = await asyncio.wait({late}, timeout=0.05)
        assert not done
        wire.heal()
        assert await late == b"two"


async def test_a_wire_that_breaks_off_tells_both_sides_and_takes_new_connections() -> None:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    async with server, wire_to(server.sockets[0].getsockname()[1]) as wire:
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        writer.write(b"one")
        assert await reader.readexactly(3) == b"one"
        wire.break_off()
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
        assert await _said(wire, b"two") == b"two"
