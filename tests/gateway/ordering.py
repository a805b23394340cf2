"""Calls that a bot orders of a gateway: the order itself, and who is called, scripted message by message."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from ivr.gateway.running_gateway import RunningGateway
from ivr.sip.message import Headers, Request, Response, encode, from_, parse, top_via
from ivr.sip.outputs import Link
from ivr.sip.policy import Admission, Challenge
from ivr.sip.responses import respond
from tests.gateway.calling_the_gateway import gateway_to
from tests.gateway.raw_caller import HERE, Datagrams, offer
from tests.phone.fake_bot import FakeBot
from tests.useragent.parties import Open
from tests.waiting import PATIENCE

TOKEN = "correct-horse-battery"
NUMBER, SHOWN = "+436601234567", "+4315550100"
ID = "0123456789abcdef0123456789abcdef"


@asynccontextmanager
async def ordering(bot: FakeBot, port: int = 9, **flags: Any) -> AsyncIterator[RunningGateway]:
    """Run a gateway that places calls to numbers of one country, by a trunk at a port of this machine."""
    known = {
        "orders": "127.0.0.1:0",
        "orders_token": TOKEN,
        "call_targets": ("+43*",),
        "call_callers": (SHOWN,),
        "call_via": f"sip:{HERE}:{port}",
        **flags,
    }
    async with gateway_to(bot, **known) as gateway:
        yield gateway


def an_order(**members: Any) -> dict[str, Any]:
    return {"id": ID, "to": NUMBER, **members}


class Answered:
    """What the door said."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.json: Any = json.loads(body)


async def ordered(gateway: RunningGateway, order: Any = None, *, token: str = TOKEN) -> Answered:
    """Order a call as a server does."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{gateway.orders}/calls",
            json=an_order() if order is None else order,
            headers={"Authorization": f"Bearer {token}"},
        ) as reply,
    ):
        return Answered(reply.status, dict(reply.headers), await reply.read())


class Locked(Open):
    """The policy of a trunk that takes calls with a password alone."""

    def admit(self, request: Request, link: Link, now: float) -> Admission:
        return Challenge()

    def password_of(self, user: str) -> str | None:
        return "a long password" if user == "acme" else None


class RawCallee(Datagrams):
    """Somebody who is called, and answers what the test says."""

    @property
    def sdp(self) -> bytes:
        return offer(HERE, self.port + 1)

    async def asked(self, method: str) -> Request:
        """Wait for a request of this method, whatever comes before."""
        while True:
            message = parse(await self.next())
            if isinstance(message, Request) and message.method == method:
                return message

    def answers(
        self,
        request: Request,
        status: int,
        headers: Sequence[tuple[str, str]] = (),
        *,
        tag: str = "desk",
        sdp: bool = False,
    ) -> None:
        """Answer a request; an INVITE with a Contact, `sdp`: with a description of our sound."""
        if request.method == "INVITE" and status < 300:
            headers = (*headers, ("Contact", f"<sip:desk@{HERE}:{self.port}>"))
        answer = respond(request, status, headers, tag=tag, body=self.sdp if sdp else b"")
        self._send(encode(answer), request)

    def hangs_up(self, invite: Request, *, tag: str = "desk") -> None:
        """Send a BYE in the dialog of a call that was answered."""
        ours = f"SIP/2.0/UDP {HERE}:{self.port};branch=z9hG4bKbye{tag}"
        headers = Headers.of(
            ("Via", ours), ("Max-Forwards", "70"), ("From", f"{invite.headers.get('To')};tag={tag}"),
            ("To", from_(invite).text), ("Call-ID", invite.headers.get("Call-ID") or ""), ("CSeq", "7 BYE"),
        )  # fmt: skip
        self._send(encode(Request("BYE", "sip:ivr@127.0.0.1", headers)), invite)

    async def answered(self, status: int) -> Response:
        """Wait for an answer to a request of ours."""
        while True:
            message = parse(await self.next())
            if isinstance(message, Response) and message.status == status:
                return message

    def _send(self, data: bytes, request: Request) -> None:
        via = top_via(request)
        self.transport.sendto(data, (via.host, via.port or 5060))


@asynccontextmanager
async def raw_callee() -> AsyncIterator[RawCallee]:
    loop = asyncio.get_running_loop()
    transport, callee = await loop.create_datagram_endpoint(RawCallee, local_addr=(HERE, 0))
    try:
        yield callee
    finally:
        transport.close()


async def told(bot: FakeBot, count: int) -> list[dict[str, Any]]:
    """Wait until the bot was told so many things, and return them."""
    async with asyncio.timeout(PATIENCE):
        await bot.was_told(count)
    return [one.json for one in bot.told]
