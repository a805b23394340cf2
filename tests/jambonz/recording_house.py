"""A server's turns on the jambonz channel, its WebSocket on a real port, and jambonz's end of both."""

import asyncio
import json
import wave
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from ivr.call_record import CallRecord
from ivr.channels.jambonz import wire
from ivr.channels.jambonz.addresses import LISTEN
from ivr.coordination import LocalCoordination
from ivr.engine.events import Event
from ivr.errors import WebhookError
from ivr.media.sound import tone
from ivr.ports import WebhookReply
from ivr.server.arrivals import Arrivals
from ivr.server.closings import Closings
from ivr.server.guarded_server import ConnectionLimits
from ivr.server.listen_pages import ListenPages
from ivr.server.listener import Listener, bind
from ivr.server.refusals import Refusals
from ivr.server.replies import error_reply
from ivr.store.memory.memory_calls import MemoryStore
from ivr.store.memory.memory_media import MemoryMedia
from ivr.turn import TurnsInMemory
from tests.flows import flow_of
from tests.jambonz.jambonz_line import CHANNEL, KEY, PUBLIC, request
from tests.turn.house import GRACE, IDLE, Kicks, OneFlow

RATE = 8000
FLOW = flow_of("""
flow: desk
initial: leave
on: {exhausted: bye, error: sorry}
states:
  leave:
    record: {prompt: Speak., into: message, maxDuration: 60s, maxSilence: 2s, initialSilence: 3s, terminators: "#*"}
    next: thanks
  thanks: {menu: {prompt: "Thank you. Press 1.", choices: {one: {dtmf: "1"}}}, on: {one: bye}}
  sorry: {say: Sorry., final: true}
  bye: {say: Goodbye., final: true}
""")


def voice(seconds: float) -> bytes:
    """Return something like speech at 8 kHz: syllables of a tone, with short gaps."""
    syllable = array("h", tone(180, 0.16))[::2].tobytes() + bytes(2 * int(0.04 * RATE))
    return (syllable * (int(seconds / 0.2) + 1))[: 2 * round(seconds * RATE)]


def quiet(seconds: float) -> bytes:
    return bytes(2 * round(seconds * RATE))


class RecordingHouse:
    """One call that is being recorded."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.media = MemoryMedia(self.store.media)
        self.arrivals = Arrivals()
        self.time = 1000.0
        self.turns = TurnsInMemory(
            store=self.store,
            channels={"jambonz": CHANNEL},
            flows=OneFlow(FLOW),
            jobs=Kicks(),
            uploads=self.arrivals,
            closings=Closings(Path("no-such-folder")),
            now=lambda: self.time,
            mint=lambda: "0" * 32,
            idle=IDLE,
            grace=GRACE,
            budget=2.0,
        )
        self.refusals = Refusals()
        self.pages = ListenPages(
            channel=CHANNEL,
            path=LISTEN,
            store=self.store,
            recordings=self.media,
            turns=self.turns,
            arrivals=self.arrivals,
            coordination=LocalCoordination(lambda: self.time),
            now=lambda: self.time,
            refusals=self.refusals,
        )
        self.port = 0
        self.client: aiohttp.ClientSession
        self.listen: dict[str, Any] = {}
        "The verb of the recording."

    # --- jambonz's end ---

    async def post(self, address: str, **fields: Any) -> list[dict[str, Any]]:
        """Post to an address as jambonz does, and return the verbs."""
        messages = CHANNEL.decode(request(address, **fields))
        assert not isinstance(messages, WebhookReply)
        (incoming,) = messages
        await self.pages.before(incoming)
        reply = await self.turns.take(incoming, arrived=self.time)
        verbs: list[dict[str, Any]] = json.loads(reply.body)
        return verbs

    async def ring(self) -> None:
        verbs = await self.post("/jambonz/call", call_status="trying")
        self.listen = next(verb for verb in verbs if verb["verb"] == "listen")

    async def ended(self, **fields: Any) -> list[dict[str, Any]]:
        """Post the end of `listen`."""
        return await self.post(self.listen["actionHook"], **fields)

    def address(self, url: str = "") -> str:
        return f"http://127.0.0.1:{self.port}" + (url or self.listen["url"]).removeprefix(
            PUBLIC.replace("https", "wss")
        )

    @asynccontextmanager
    async def socket(
        self, *, protocol: str = wire.SUBPROTOCOLS[0], first: str | None = ""
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Open the WebSocket that the document named, and say what jambonz says first."""
        async with self.client.ws_connect(self.address(), protocols=(protocol,), autoping=False) as socket:
            assert socket.protocol == protocol
            if first is not None:
                await socket.send_str(first or json.dumps({"sampleRate": RATE, "mixType": "mono", "callSid": KEY.id}))
            yield socket

    # --- what the server knows ---

    async def saved(self) -> None:
        """Wait until no recording is under way."""
        while self.pages.under_way:
            await self.pages.under_way[0].wait()

    @property
    def events(self) -> list[Event]:
        return [step.event for step in self.store.traces["0" * 32]]

    async def record(self) -> CallRecord:
        record = await self.store.load(KEY)
        assert record is not None
        return record

    async def recorded(self, media: str) -> bytes:
        """Return the samples of a recording."""
        async with self.media.open(media) as file:
            content = file.read()
        with wave.open(BytesIO(content)) as sound:
            assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (RATE, 1, 2)
            return sound.readframes(sound.getnframes())


async def played(socket: aiohttp.ClientWebSocketResponse, sound: bytes) -> None:
    """Send sound as jambonz does, in frames of 20 ms, but as fast as it goes."""
    for start in range(0, len(sound), 320):
        await socket.send_bytes(sound[start : start + 320])


async def pressed(socket: aiohttp.ClientWebSocketResponse, key: str) -> None:
    await socket.send_str(json.dumps({"event": "dtmf", "dtmf": key, "duration": 1600}))


async def heard(socket: aiohttp.ClientWebSocketResponse) -> None:
    """Wait until the server has read all that was sent: only then it comes to the ping behind it."""
    await socket.ping()
    async with asyncio.timeout(30):
        while (await socket.receive()).type is not aiohttp.WSMsgType.PONG:
            pass


async def closed(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    """Wait until the server has closed the socket, and return with which code."""
    async with asyncio.timeout(30):
        async for _ in socket:
            pass
    return socket.close_code


@asynccontextmanager
async def recording_house() -> AsyncIterator[RecordingHouse]:
    """Have a call come in, up to the recording, and serve its WebSocket."""
    house = RecordingHouse()

    async def handle(got: web.BaseRequest) -> web.StreamResponse:
        try:
            return await house.pages.handle(got)
        except WebhookError as error:
            return error_reply(error)

    sock = bind("127.0.0.1", 0)
    house.port = sock.getsockname()[1]
    listener = await Listener.open(handle, sock, limits=ConnectionLimits(), now=lambda: house.time)
    try:
        async with aiohttp.ClientSession() as house.client:
            await house.ring()
            yield house
    finally:
        await house.pages.close()
        await listener.close(drain=1.0)
        house.refusals.close()
