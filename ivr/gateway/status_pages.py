"""/healthz and /metrics, on a port of their own: for whoever watches the gateway, never for callers."""

import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from msgspec import Struct

from ivr.gateway.metrics import TYPE


class Health(Struct, frozen=True):
    """How the gateway is."""

    calls: int
    draining: bool


@asynccontextmanager
async def status_pages(
    sock: socket.socket, *, health: Callable[[], Health], metrics: Callable[[], bytes]
) -> AsyncIterator[None]:
    """Serve the pages on a bound socket, which is ours from now on, as long as the context lasts."""

    async def handle(request: web.BaseRequest) -> web.Response:
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405, headers={"Allow": "GET, HEAD"})
        match request.rel_url.path:
            case "/healthz":
                state = health()
                body = json.dumps({"status": "ok", "calls": state.calls, "draining": state.draining})
                return web.Response(text=f"{body}\n", content_type="application/json")
            case "/metrics":
                return web.Response(body=metrics(), headers={"Content-Type": TYPE})
        return web.Response(status=404)

    runner = web.ServerRunner(web.Server(handle, access_log=None), shutdown_timeout=1)
    await runner.setup()
    try:
        await web.SockSite(runner, sock).start()
        yield
    finally:
        await runner.cleanup()
