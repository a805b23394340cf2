"""The services that calls order something of: they count how often they were asked for what, and by which name."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import wave
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer

SECRET = "whsec_" + "A" * 32
WORK = 0.2
"Seconds that a service takes, so that a server dies in the middle of orders, and not between them."


class Outside:
    """A web service, a speech engine, and who is notified."""

    def __init__(self) -> None:
        self.address = ""
        self.orders: Counter[str] = Counter()
        "How often each order was taken, by its key."
        self.receipts: dict[str, str] = {}
        "What was answered last, by key."
        self.listened: Counter[str] = Counter()
        "How often each recording was listened to, by its words."
        self.notices: defaultdict[str, list[str]] = defaultdict(list)
        "The text of each notification, as often as it came, by its id."

    async def take_order(self, request: web.Request) -> web.Response:
        key = request.headers["Idempotency-Key"]
        self.orders[key] += 1
        self.receipts[key] = f"r{self.orders.total()}"
        await asyncio.sleep(WORK)
        return web.json_response({"receipt": self.receipts[key]})

    async def listen(self, request: web.Request) -> web.Response:
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        words = words_of(file.file.read())
        file.file.close()
        self.listened[words] += 1
        await asyncio.sleep(WORK)
        return web.json_response({"text": words})

    async def notice(self, request: web.Request) -> web.Response:
        self.notices[request.headers["webhook-id"]].append(json.loads(await request.read())["data"]["text"])
        return web.Response()


def words_of(sound: bytes) -> str:
    """Return the words of a WAV file: other ones for other samples."""
    with wave.open(io.BytesIO(sound)) as file:
        samples = file.readframes(file.getnframes())
    return f"words {hashlib.sha256(samples).hexdigest()[:16]}"


@asynccontextmanager
async def outside() -> AsyncIterator[Outside]:
    """Serve them at a port of this machine."""
    one = Outside()
    app = web.Application(client_max_size=16 << 20)
    app.router.add_post("/orders", one.take_order)
    app.router.add_post("/v1/audio/transcriptions", one.listen)
    app.router.add_post("/notices", one.notice)
    async with TestServer(app) as server:
        one.address = f"127.0.0.1:{server.port}"
        yield one
