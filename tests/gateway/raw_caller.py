"""A caller of bare datagrams, for calls that no telephone would make."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ivr.sip.message import Headers, Request, Response, encode, parse, to
from tests.gateway.requests_made import request
from tests.waiting import PATIENCE

HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"
"Where the caller is, and a third party."


class Datagrams(asyncio.DatagramProtocol):
    """A socket that keeps what comes."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[bytes] = asyncio.Queue()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.came.put_nowait(data)

    @property
    def port(self) -> int:
        return int(self.transport.get_extra_info("sockname")[1])

    async def next(self) -> bytes:
        async with asyncio.timeout(PATIENCE):
            return await self.came.get()


class RawCaller(Datagrams):
    """Sends requests to one gateway."""

    def __init__(self, gateway: str) -> None:
        super().__init__()
        host, _, port = gateway.removeprefix("udp://").rpartition(":")
        self.gateway = (host, int(port))

    def invite(self, sdp: bytes, uri: str = "sip:support@127.0.0.1", **headers: str) -> Request:
        """Return an INVITE that comes from here."""
        ours = f"{HERE}:{self.port}"
        headers = {"Contact": f"<sip:anna@{ours}>", "Content_Type": "application/sdp", **headers}
        made = request("INVITE", uri, Via=f"SIP/2.0/UDP {ours};branch=z9hG4bK{self.port};rport", **headers)
        return Request(made.method, made.uri, made.headers, sdp)

    def ack(self, invite: Request, answer: Response) -> Request:
        headers = invite.headers.replaced("CSeq", "1 ACK").replaced("To", to(answer).text)
        return Request("ACK", invite.uri, headers.replaced("Via", f"SIP/2.0/UDP {HERE}:{self.port};branch=z9hG4bKack"))

    def sends(self, message: Request) -> None:
        self.transport.sendto(encode(message), self.gateway)

    async def answered(self, status: int) -> Response:
        """Wait for an answer with this status, whatever comes before."""
        while True:
            message = parse(await self.next())
            if isinstance(message, Response) and message.status == status:
                return message

    async def asked(self, method: str) -> Request:
        """Wait for a request of this method, whatever comes before."""
        while True:
            message = parse(await self.next())
            if isinstance(message, Request) and message.method == method:
                return message

    def accepts(self, asked: Request, status: int = 202) -> None:
        """Answer a request."""
        names = ("Via", "From", "To", "Call-ID", "CSeq")
        headers = Headers.of(*((name, asked.headers.get(name) or "") for name in names))
        self.transport.sendto(encode(Response(status, "Accepted", headers)), self.gateway)

    async def is_transferred(self, port: int, status: str) -> str:
        """Call, with sound to a port; be sent elsewhere, tell what became of that ("486 Busy Here"), and be hung up.

        Return where to.
        """
        invite = self.invite(offer(ELSEWHERE, port))
        self.sends(invite)
        answer = await self.answered(200)
        self.sends(self.ack(invite, answer))
        asked = await self.asked("REFER")
        self.accepts(asked)
        news = {"Event": "refer", "Subscription_State": "terminated", "Content_Type": "message/sipfrag"}
        self.sends(self.within(invite, answer, "NOTIFY", f"SIP/2.0 {status}\r\n".encode(), **news))
        self.accepts(await self.asked("BYE"), 200)
        return asked.headers.get("Refer-To") or ""

    def within(self, invite: Request, answer: Response, method: str, body: bytes = b"", **headers: str) -> Request:
        """Return the next request of a call that was answered."""
        fields = invite.headers.without("Content-Type").replaced("To", to(answer).text)
        fields = fields.replaced("CSeq", f"2 {method}")
        fields = fields.replaced("Via", f"SIP/2.0/UDP {HERE}:{self.port};branch=z9hG4bK{method};rport")
        for name, value in headers.items():
            fields = fields.added(name.replace("_", "-"), value)
        return Request(method, invite.uri, fields, body)


def offer(host: str, port: int) -> bytes:
    """Return an offer of sound that is wanted at an address."""
    lines = ("v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0", f"m=audio {port} RTP/AVP 8")
    return "".join(f"{line}\r\n" for line in lines).encode()


@asynccontextmanager
async def raw_caller(gateway: str) -> AsyncIterator[tuple[RawCaller, Datagrams]]:
    """Make a caller, and a third party that has asked for nothing."""
    loop = asyncio.get_running_loop()
    _, caller = await loop.create_datagram_endpoint(lambda: RawCaller(gateway), (HERE, 0))
    _, bystander = await loop.create_datagram_endpoint(Datagrams, (ELSEWHERE, 0))
    try:
        yield caller, bystander
    finally:
        caller.transport.close()
        bystander.transport.close()
