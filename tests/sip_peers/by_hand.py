"""SIP over UDP by hand: for what the network does to messages, and what no program can be told to do."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

from tests.sip_peers.programs import PATIENCE

OFFER = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
)


class Socket(asyncio.DatagramProtocol):
    """A UDP socket, and everything that came to it."""

    def __init__(self) -> None:
        self.came: list[bytes] = []
        self._more = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)
        self.port: int = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.came.append(data)
        self._more.set()

    async def next(self, wanted: Callable[[bytes], bool], after: int = 0) -> bytes:
        """Wait for a datagram, among those that came after so many."""
        async with asyncio.timeout(PATIENCE):
            while not (found := [data for data in self.came[after:] if wanted(data)]):
                self._more.clear()
                await self._more.wait()
        return found[0]


@asynccontextmanager
async def bound() -> AsyncIterator[Socket]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(Socket, local_addr=("127.0.0.1", 0))
    try:
        yield protocol
    finally:
        transport.close()


class Dialog:
    """One call, message by message, as they are written."""

    def __init__(self, port: int, socket: Socket, number: str = "support", media: int = 9) -> None:
        self.port, self.socket, self.number, self.media = port, socket, number, media
        self.id, self.tag = secrets.token_hex(8), ""

    def message(self, method: str, cseq: int, *, branch: str = "", body: str = "", headers: str = "") -> bytes:
        to = f";tag={self.tag}" if self.tag else ""
        text = (
            f"{method} sip:{self.number}@127.0.0.1:{self.port} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.socket.port};branch=z9hG4bK{self.id}{branch or cseq};rport\r\n"
            f"From: <sip:{self.id}@127.0.0.1>;tag=a\r\nTo: <sip:{self.number}@127.0.0.1>{to}\r\n"
            f"Call-ID: {self.id}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\n"
            f"Contact: <sip:caller@127.0.0.1:{self.socket.port}>\r\n{headers}"
        )
        kind = "Content-Type: application/sdp\r\n" if body else ""
        return f"{text}{kind}Content-Length: {len(body)}\r\n\r\n{body}".encode()

    @property
    def offer(self) -> str:
        return OFFER.format(port=self.media)

    def invite(self, **changed: str) -> bytes:
        return self.message("INVITE", 1, body=self.offer, **changed)

    def send(self, *messages: bytes) -> None:
        for message in messages:
            self.socket.transport.sendto(message, ("127.0.0.1", self.port))

    async def status(self, cseq: str, *, after: int = 0) -> int:
        """Wait for the final response to a request of this call."""
        sought = (f"CSeq: {cseq}\r\n".encode(), f"Call-ID: {self.id}\r\n".encode())
        found = await self.socket.next(lambda data: is_final(data) and all(part in data for part in sought), after)
        return int(found.split()[1])

    async def answered(self) -> bytes:
        """Begin, and wait for the answer."""
        self.send(self.invite())
        return await self.taken()

    async def taken(self) -> bytes:
        """Wait for the answer to the INVITE, and acknowledge it."""
        answer = await self.socket.next(lambda data: data.startswith(b"SIP/2.0 200") and b"1 INVITE" in data)
        self.tag = tag_of(answer)
        self.send(self.message("ACK", 1, branch="ack"))
        return answer


def is_final(data: bytes) -> bool:
    return data.startswith(b"SIP/2.0 ") and not data.startswith(b"SIP/2.0 1")


def tag_of(response: bytes) -> str:
    found = re.search(rb"\r\nTo:[^\r]*;tag=([\w.~*+%!'`-]+)", response)
    assert found
    return found[1].decode()
