"""The WebSockets of `listen` on the network, to where the phone's guard lets them."""

import asyncio
from collections.abc import Sequence

import aiohttp

from ivr.carriers.jambonz.caller_stream import FRAME, Closed, StreamRefused, StreamRequest
from ivr.phone.net.guard import AddressNotAllowed, Guard

CONNECTING = 10.0
"Seconds in which one has to be open."
MOST_MESSAGE = 1024 * 1024
"Bytes of what a bot sends at once."
MOST_KEPT = 1000
"Messages of a bot that are kept until the next frame; what is more is dropped."


class WebStream:
    """One that is open."""

    def __init__(self, session: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse, speed: float) -> None:
        """Use a socket, and end the session with it."""
        self._session = session
        self._socket = socket
        self._speed = speed
        self._said: list[bytes | str | Closed] = []
        self._reading = asyncio.create_task(self._read())
        self._next = asyncio.get_running_loop().time()

    async def send(self, frame: bytes | str) -> Sequence[bytes | str | Closed]:
        """Send one frame at its time, and return what the bot has sent."""
        try:
            await (self._socket.send_str(frame) if isinstance(frame, str) else self._socket.send_bytes(frame))
        except (aiohttp.ClientError, OSError):
            await asyncio.wait({self._reading}, timeout=1)  # it knows by what code it was closed
        if isinstance(frame, bytes):
            await self._wait()
        said, self._said = self._said, []
        return said

    async def _wait(self) -> None:
        """Let the time of a frame pass, or none of it where the sound is to go as fast as it can."""
        loop = asyncio.get_running_loop()
        self._next = max(self._next + FRAME / self._speed, loop.time() - 1.0)
        await asyncio.sleep(max(0.0, self._next - loop.time()))

    async def close(self) -> None:
        """Close it as one should."""
        await self._socket.close()
        await self.drop()

    async def drop(self) -> None:
        """Let it break off: without a closing frame, if it was not closed."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await self._session.close()
        await self._socket.close()  # its connection is gone: nothing is sent, and it is given back

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY) and len(self._said) < MOST_KEPT:
                self._said.append(message.data)
        self._said.append(Closed(self._socket.close_code or 1006))


class WebStreams:
    """`ivr.carriers.jambonz.caller_stream.Streams` on the network."""

    def __init__(self, guard: Guard, *, speed: float = 1.0) -> None:
        """Send sound `speed` times as fast as it is heard; infinity: as fast as it can be taken."""
        self._guard = guard
        self._speed = speed

    async def open(self, request: StreamRequest) -> WebStream:
        """Open one; raise StreamRefused."""
        if not request.url.startswith(("ws://", "wss://")):
            raise StreamRefused(f"{request.url}: must begin with ws:// or wss://")
        # One session for each: to break off is to close all of its connections.
        connector = aiohttp.TCPConnector(resolver=self._guard, use_dns_cache=False)
        session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        try:
            url = self._guard.check("http" + request.url.removeprefix("ws"))
            protocols, headers = (request.subprotocol,), dict(request.headers)
            async with asyncio.timeout(CONNECTING):
                socket = await session.ws_connect(url, protocols=protocols, headers=headers, max_msg_size=MOST_MESSAGE)
        except (AddressNotAllowed, aiohttp.ClientError, OSError, TimeoutError) as error:
            await session.close()
            raise StreamRefused(f"{request.url} cannot be connected: {str(error) or type(error).__name__}") from error
        return WebStream(session, socket, self._speed)
