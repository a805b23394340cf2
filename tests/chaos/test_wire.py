"""The network of these tests: what it is told to do to connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from tests.chaos.wire import Wire, wire_to
from tests.waiting import PATIENCE


@asynccontextmanager
async def _echo() -> AsyncIterator[int]:
    """Yield the port of a server that says what it hears; it ends when all connections to it have."""
    ends: list[asyncio.Task[None]] = []

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionResetError):
            while data := await reader.read(100):
                writer.write(data)
            writer.close()
            await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends.append(asyncio.create_task(say(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
    await asyncio.gather(*ends)


async def _said(wire: Wire, word: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
    writer.write(word)
    async with asyncio.timeout(PATIENCE):
        heard = await reader.readexactly(len(word))
    writer.close()
    await writer.wait_closed()
    return heard


async def test_a_silent_wire_gives_nothing_up_and_says_it_later() -> None:
    async with _echo() as port, wire_to(port) as wire:
        assert await _said(wire, b"one") == b"one"
        wire.go_silent()
        late = asyncio.create_task(_said(wire, b"two"))
        done, _ = await asyncio.wait({late}, timeout=0.05)
        assert not done
        wire.heal()
        assert await late == b"two"


async def test_a_wire_that_breaks_off_tells_both_sides_and_takes_new_connections() -> None:
    async with _echo() as port, wire_to(port) as wire:
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        writer.write(b"one")
        assert await reader.readexactly(3) == b"one"
        wire.break_off()
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
        assert await _said(wire, b"two") == b"two"
