"""Serves the phone's metadata and key set on this machine, for bots that check tokens."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from ivr.phone.identity import METADATA_PATH, Identity

HOST = "127.0.0.1"


@asynccontextmanager
async def served(identity: Identity, port: int = 0) -> AsyncIterator[str]:
    """Serve while the context lasts, and give the metadata's address; raise OSError if the port is taken. 0: any."""
    sock = socket.create_server((HOST, port))
    base = f"http://{HOST}:{sock.getsockname()[1]}"
    documents = identity.documents(base)

    async def handle(request: web.BaseRequest) -> web.Response:
        document = documents.get(request.rel_url.path)
        if document is None or request.method not in ("GET", "HEAD"):
            return web.Response(status=404)
        return web.Response(body=document, content_type="application/json")

    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=1)
    await runner.setup()
    try:
        await web.SockSite(runner, sock).start()
        yield base + METADATA_PATH
    finally:
        await runner.cleanup()
