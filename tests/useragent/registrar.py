"""A registrar of a test: grants everything, and remembers who asked for what."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ivr.sip.framing import KeepAlive, StreamFramer
from ivr.sip.message import Message, Request, Response, encode, parse
from ivr.sip.outputs import Hop
from tests.waiting import PATIENCE

GRANTED = 100


class Registrar:
    """Answers REGISTER with 200, over TCP."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[Request] = asyncio.Queue()
        self.connections: list[asyncio.Transport] = []
        self.hop = Hop("tcp", "127.0.0.1", 0)
        self.left = asyncio.Event()
        "A connection was closed by the other side."

    async def is_asked(self) -> Request:
        async with asyncio.timeout(PATIENCE):
            return await self.asked.get()

    async def hangs_up(self) -> None:
        """Close the first connection, and wait until the other side has noticed."""
        self.connections[0].write_eof()
        async with asyncio.timeout(PATIENCE):
            await self.left.wait()


class _Connection(asyncio.Protocol):
    def __init__(self, owner: Registrar) -> None:
        self._owner = owner
        self._framer = StreamFramer()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._owner.connections.append(transport)

    def data_received(self, data: bytes) -> None:
        for each in self._framer.feed(data):
            if not isinstance(each, KeepAlive):
                self._answer(parse(each))

    def connection_lost(self, error: Exception | None) -> None:
        self._owner.left.set()

    def _answer(self, request: Message) -> None:
        assert isinstance(request, Request)
        wanted = int(request.headers.get("Expires") or "0")
        headers = request.headers.replaced("Expires", str(min(wanted, GRANTED)))
        headers = headers.replaced("To", f"{request.headers.get('To')};tag=r")
        self._transport.write(encode(Response(200, "OK", headers)))
        self._owner.asked.put_nowait(request)


@asynccontextmanager
async def registrar(port: int = 0) -> AsyncIterator[Registrar]:
    made = Registrar()
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(made), "127.0.0.1", port)
    made.hop = Hop("tcp", "127.0.0.1", server.sockets[0].getsockname()[1])
    try:
        yield made
    finally:
        server.close()
        for connection in made.connections:
            connection.close()
        await server.wait_closed()
