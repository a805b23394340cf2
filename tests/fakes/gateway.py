"""A gateway without telephones, for tests of calls that our server has placed (protocol 26).

It takes orders, remembers them, and does to each what it is told: nobody answers, or somebody does, and then the phone
holds the call as it does in the gateway. Each message is that of the phone.
"""

import asyncio
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from ivr.engine.line_facts import LineFacts
from ivr.phone.callers.turn_based import TurnBased
from ivr.phone.phone_events import Ended
from ivr.phone.placed_call import Caller
from ivr.phone.platform import Platform
from tests.phone.fake_bot import listening
from tests.phone.people import QUIET, Person
from tests.waiting import Gate

TOKEN = "a-token-of-the-gateway-0123"
LINE = LineFacts(kind="sip", trunk="192.0.2.7:5060", transport="udp")

Fate = Callable[["FakeGateway", dict[str, Any]], Awaitable[None]]
"What becomes of an order."


class FakeGateway:
    """Orders, and their fates."""

    phone: Platform
    "The phone that calls the bot; there is a bot by the time of the first order."

    def __init__(self, fate: Fate) -> None:
        self.orders: list[dict[str, Any]] = []
        self.answer = 202
        "What the next orders get."
        self.holds: Gate | None = None
        "Orders that were taken get their answer when it is opened."
        self.ended: Ended | None = None
        "How the call that was held ended."
        self.over = asyncio.Event()
        "The last order has met its fate."
        self._fate = fate
        self._calls: set[asyncio.Task[None]] = set()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Take an order."""
        if not hmac.compare_digest(request.headers.get("Authorization", ""), f"Bearer {TOKEN}"):
            return web.Response(status=401)
        if (request.method, request.rel_url.path) != ("POST", "/calls"):
            return web.Response(status=404)
        order = await request.json()
        known = next((one for one in self.orders if one["id"] == order["id"]), None)
        if known is not None:
            return web.json_response({"id": order["id"]}, status=202 if known == order else 409)
        self.orders.append(order)
        if self.answer == 202:
            task = asyncio.create_task(self._meet(order))
            self._calls.add(task)
        if self.holds is not None:
            await self.holds.wait()
        return web.json_response({"id": order["id"]}, status=self.answer)

    async def _meet(self, order: dict[str, Any]) -> None:
        try:
            await self._fate(self, order)
        finally:
            self.over.set()

    async def close(self) -> None:
        """Forget all calls."""
        for task in self._calls:
            task.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)


def answers(status: int, ended: str) -> Fate:
    """Ring, and nobody takes the call."""

    async def fate(gateway: FakeGateway, order: dict[str, Any]) -> None:
        news = gateway.phone.news_of(order["id"])
        news.ringing()
        await news.not_answered(LineFacts(kind="sip", status=status, ended=ended))

    return fate


def takes_it(person: Person) -> Fate:
    """Ring, and somebody takes the call."""

    async def fate(gateway: FakeGateway, order: dict[str, Any]) -> None:
        news = gateway.phone.news_of(order["id"])
        news.ringing()
        who = Caller(order["to"], order["caller"] or "+4315550199", None)
        holding = gateway.phone.holding(order["id"])
        gateway.ended = await holding.place(TurnBased(person, QUIET), who=who, line=lambda: LINE)
        await news.close()

    return fate


async def forgets_it(gateway: FakeGateway, order: dict[str, Any]) -> None:
    """Leave the call as it is: nothing is told of it."""


@asynccontextmanager
async def gateway_served(fate: Fate) -> AsyncIterator[tuple[FakeGateway, str]]:
    """Take orders on a free port, and return its address, too."""
    gateway = FakeGateway(fate)
    async with listening(gateway.handle) as url:
        yield gateway, url
        await gateway.close()
