"""The other side of OpenAI's speech protocol: takes orders on loopback, keeps them, and answers with sound.

server = VoiceApi(wav(tone(440, 1.0)).data)
await server.start()
…
assert server.orders[0].body["input"] == "Hello."
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web


@dataclass
class Order:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Sound:
    """What the server says; a status of 0 is a connection that is cut."""

    data: bytes = b""
    status: int = 200
    headers: dict[str, str] | None = None


class VoiceApi:
    """A server that gives its answers in order, the last one for ever; `hold` keeps them back."""

    def __init__(self, *answers: Sound | bytes) -> None:
        self.answers = [one if isinstance(one, Sound) else Sound(one) for one in answers]
        self.orders: list[Order] = []
        self.base = ""
        self._go_on = asyncio.Event()
        self._go_on.set()

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        self._go_on.set()
        await self._runner.cleanup()

    def hold(self) -> None:
        self._go_on.clear()

    def release(self) -> None:
        self._go_on.set()

    async def _serve(self, request: web.Request) -> web.Response:
        self.orders.append(Order(request.path, dict(request.headers), json.loads(await request.read())))
        await self._go_on.wait()
        answer = self.answers[min(len(self.orders), len(self.answers)) - 1]
        if answer.status == 0:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=answer.status or 500, body=answer.data, headers=answer.headers)
