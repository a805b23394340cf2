"""Serves a carrier's REST API over HTTP, on this machine."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from ivr.carriers.rest import Api, ApiRequest

HOST = "127.0.0.1"


@asynccontextmanager
async def api_served(api: Api, port: int = 0) -> AsyncIterator[str]:
    """Serve as long as the context lasts, and return the address; raise OSError if the port is taken (0: any)."""
    sock = socket.create_server((HOST, port))
    base = f"http://{HOST}:{sock.getsockname()[1]}"

    async def handle(request: web.BaseRequest) -> web.Response:
        headers = request.headers
        asked = ApiRequest(
            request.method,
            request.rel_url.path,
            headers.get("Authorization", ""),
            headers.get("Content-Type", ""),
            await request.read(),
        )
        reply = api(asked)
        return web.Response(status=reply.status, body=reply.body, content_type=reply.content_type)

    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=1)
    await runner.setup()
    try:
        await web.SockSite(runner, sock).start()
        yield base
    finally:
        await runner.cleanup()
