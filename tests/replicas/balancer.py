"""A load balancer without affinity: each request goes to the next server, whoever sends it and on which connection."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import cycle

import aiohttp
from aiohttp import web

_HOPS = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}
"Fields that are a connection's own (RFC 9110, 7.6.1), and `Host`."


class Balancer:
    """Where it listens, and whom it has asked."""

    def __init__(self, servers: Sequence[str], session: aiohttp.ClientSession) -> None:
        self.port = 0
        self.asked: list[tuple[str, str]] = []
        "The server and the path of each request."
        self._next = cycle(servers)
        self._session = session

    async def forward(self, request: web.BaseRequest) -> web.Response:
        """Hand a request on, as it is."""
        server = next(self._next)
        self.asked.append((server, request.path))
        fields = [(name, value) for name, value in request.headers.items() if name.lower() not in _HOPS]
        url = f"{server}{request.path_qs}"
        async with self._session.request(
            request.method, url, data=await request.read(), headers=fields, allow_redirects=False
        ) as answer:
            kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _HOPS]
            return web.Response(status=answer.status, body=await answer.read(), headers=dict(kept))


@asynccontextmanager
async def balanced(servers: Sequence[str]) -> AsyncIterator[Balancer]:
    """Balance between these servers, each by its address."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False) as session:
        balancer = Balancer(servers, session)
        runner = web.ServerRunner(web.Server(balancer.forward), shutdown_timeout=1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            balancer.port = runner.addresses[0][1]
            yield balancer
        finally:
            await runner.cleanup()
