"""Our jambonz over sockets: a bot on aiohttp, its WebSocket, and the REST API by which it orders calls."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from ivr.carriers.api_server import api_served
from ivr.carriers.jambonz.call_machine import Application
from ivr.carriers.jambonz.call_order import Callee
from ivr.carriers.jambonz.hook_delivery import HookAccount
from ivr.carriers.jambonz.jambonz_carrier import JambonzCarrier
from ivr.carriers.jambonz.jambonz_orders import JambonzOrders
from ivr.carriers.jambonz.web_streams import WebStreams
from ivr.carriers.misbehaviour import Misbehaviour, Misdeed
from ivr.carriers.rest import ApiRequest
from ivr.carriers.web_bot import WebBot
from ivr.phone.callers.turn_based import Press, Speak
from ivr.phone.net.guard import Guard
from ivr.phone.net.post import WebPost
from ivr.phone.phone_events import Ended
from tests.carriers.jambonz.small_bot import SECRET, Person, SmallBot, carrier_of, handset
from tests.carriers.jambonz.test_whole_calls import ORDER

ACCOUNT, KEY = "ours", "an-api-key"


class NetworkBot:
    """A bot that records whoever speaks, and says goodbye."""

    def __init__(self, ends: str) -> None:
        self.url = ""
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.first: dict[str, Any] = {}
        self.protocol: str | None = None
        self.sound = 0
        self.close_code: int | None = None
        self.over = asyncio.Event()
        self._ends = ends

    async def hook(self, request: web.Request) -> web.Response:
        self.got.append((request.path, await request.json()))
        menu = {"verb": "gather", "actionHook": f"{self.url}/step#rc=1", "numDigits": 1, "say": {"text": "Press 1."}}
        listen = {"verb": "listen", "url": f"{self.url.replace('http', 'ws')}/rec", "actionHook": "/recorded"}
        documents = {"/call": [menu], "/step": [listen], "/recorded": [{"verb": "say", "text": "Goodbye."}]}
        return web.json_response(documents.get(request.path, []))

    async def record(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("audio.drachtio.org", "audio.jambonz.org"))
        await socket.prepare(request)
        self.protocol = socket.ws_protocol
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self.first = json.loads(message.data)
                continue
            self.sound += len(message.data)
            if self.sound >= 16_000:  # a second
                if self._ends == "closes":
                    break
                if self._ends == "disconnects":
                    await socket.send_str('{"type":"disconnect"}')
        self.close_code = socket.close_code
        self.over.set()
        return socket


@asynccontextmanager
async def served(ends: str = "closes") -> AsyncIterator[NetworkBot]:
    bot = NetworkBot(ends)
    app = web.Application()
    app.router.add_post("/{page}", bot.hook)
    app.router.add_get("/rec", bot.record)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    bot.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield bot
    finally:
        await runner.cleanup()


@asynccontextmanager
async def calling(bot: NetworkBot, *misdeeds: Misdeed, speed: float = 50.0) -> AsyncIterator[JambonzCarrier]:
    guard = Guard()
    post = WebPost(guard)
    try:
        yield JambonzCarrier(
            WebBot(post),
            Application(f"{bot.url}/call", f"{bot.url}/status"),
            HookAccount(SECRET),
            streams=WebStreams(guard, speed=speed),
            misbehaviour=Misbehaviour(frozenset(misdeeds), drops_after=0.5),
        )
    finally:
        await post.close()


@pytest.mark.parametrize("ends", ["closes", "disconnects"])
async def test_a_call_with_a_recording(ends: str) -> None:
    async with served(ends) as bot, calling(bot) as carrier:
        ended = await carrier.place(handset(Person(Press("1"), Speak("My flight was late."))))
        await asyncio.wait_for(bot.over.wait(), 10)
    assert ended == Ended("bot", "hangup", "The verbs are at an end.")
    assert bot.first["sampleRate"] == 8000
    assert bot.protocol == "audio.jambonz.org"
    assert bot.sound >= 16_000
    assert [path for path, _ in bot.got][-2:] == ["/recorded", "/status"]


async def test_a_socket_that_breaks_off_has_no_closing_frame() -> None:
    async with served() as bot, calling(bot, "socket-dropped") as carrier:
        await carrier.place(handset(Person(Press("1"), Speak("My flight was late."))))
        await asyncio.wait_for(bot.over.wait(), 10)
    assert bot.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE
    assert "/recorded" in [path for path, _ in bot.got]


async def test_a_socket_that_nobody_takes_lets_the_call_go_on() -> None:
    bot = SmallBot({"/call": [{"verb": "listen", "url": "ws://bot.test/nowhere", "actionHook": "/recorded"}]})
    await carrier_of(bot).place(handset(Person()))
    assert "/recorded" in [url for url, _ in bot.got]


@pytest.mark.parametrize("url", ["ws://192.0.2.1/rec", "http://127.0.0.1/rec", "ws://127.0.0.1:1/rec"])
async def test_streams_go_where_the_phone_may_connect_to(url: str) -> None:
    bot = SmallBot({"/call": [{"verb": "listen", "url": url, "actionHook": "/recorded"}]})
    carrier = carrier_of(bot)
    carrier._streams = WebStreams(Guard())
    await carrier.place(handset(Person()))
    assert "dial_call_duration" not in bot.got_by("/recorded")[0]


# --- orders ----------------------------------------------------------------------------------------------------------


def orders_of(bot: SmallBot, answers: str = "human") -> JambonzOrders:
    return JambonzOrders(
        carrier_of(bot),
        account=ACCOUNT,
        key=KEY,
        answer=lambda _: (Callee(answers), handset(Person())),  # type: ignore[arg-type]
    )


async def test_a_call_is_ordered_over_http() -> None:
    bot = SmallBot({"/call": [{"verb": "say", "text": "Hello."}]})
    orders = orders_of(bot)
    async with api_served(orders.handle) as base, aiohttp.ClientSession() as client:
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        async with client.post(f"{base}/v1/Accounts/{ACCOUNT}/Calls", data=ORDER, headers=headers) as reply:
            assert reply.status == 201
            sid = (await reply.json())["sid"]
        await asyncio.wait_for(orders.all_over(), 10)
    assert bot.got_by("/call")[0]["call_sid"] == sid


def asked(
    method: str = "POST",
    path: str = f"/v1/Accounts/{ACCOUNT}/Calls",
    authorization: str = f"Bearer {KEY}",
    content_type: str = "application/json",
    body: bytes = ORDER,
) -> ApiRequest:
    return ApiRequest(method, path, authorization, content_type, body)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (asked(authorization="Bearer other"), 401),
        (asked(authorization=""), 401),
        (asked(path="/v1/Accounts/theirs/Calls"), 401),
        (asked(path="/v1/Accounts/ours/Applications"), 404),
        (asked(method="DELETE"), 405),
        (asked(content_type="text/plain"), 415),
        (asked(body=b"{}"), 400),
        (asked(path=f"/v1/Accounts/{ACCOUNT}/Calls/{'0' * 36}", body=b'{"call_status":"completed"}'), 404),
    ],
)
async def test_what_is_no_order_is_refused(request_: ApiRequest, status: int) -> None:
    assert orders_of(SmallBot({})).handle(request_).status == status


async def test_a_call_that_was_ordered_can_be_hung_up_on() -> None:
    bot = SmallBot({"/call": [{"verb": "pause", "length": 3000}]})
    orders = orders_of(bot)
    sid = json.loads(orders.handle(asked()).body)["sid"]
    listed = json.loads(orders.handle(asked(method="GET")).body)
    assert listed == [{"call_sid": sid}]
    path = f"/v1/Accounts/{ACCOUNT}/Calls/{sid}"
    assert orders.handle(asked(path=path, body=b"{")).status == 400
    assert orders.handle(asked(path=path, body=b'{"call_hook":"x"}')).status == 400
    assert orders.handle(asked(path=path, body=b'{"call_status":"completed"}')).status == 202
    await asyncio.wait_for(orders.all_over(), 10)
    assert bot.got_by("/call") == []
    assert json.loads(orders.handle(asked(method="GET")).body) == []
