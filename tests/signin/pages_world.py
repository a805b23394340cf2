"""The pages of sign-in on a port, the provider beside them, and calls behind them."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from ivr.server.app import App
from ivr.server.sign_in.sign_in_pages import SignInPages
from ivr.server.webhook_routes import WebhookRoutes
from ivr.store.memory.memory_calls import MemoryStore
from tests.fakes.authority import FakeAuthority
from tests.signin.sign_in_world import Clock, SignInWorld

NAME = "Practice Dr. O'Neill & Sons"


class PagesWorld(SignInWorld):
    """`base` is where the pages are."""

    base = ""


@asynccontextmanager
async def pages_world(folder: Path, monkeypatch: pytest.MonkeyPatch, *, tls: bool = True) -> AsyncIterator[PagesWorld]:
    clock = Clock()
    authority = FakeAuthority(folder, now=clock)
    sock = socket.create_server(("127.0.0.1", 0))
    async with authority.served(tls=tls):
        monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", authority.trusted())
        world = PagesWorld(authority, clock, MemoryStore())
        world.base = world.public = f"http://127.0.0.1:{sock.getsockname()[1]}"
        await world.start()
        pages = SignInPages(world.browsers, name=NAME, login=authority.login, plain=True)
        runner = web.ServerRunner(web.Server(app_of(pages).handle), shutdown_timeout=1)
        await runner.setup()
        try:
            await web.SockSite(runner, sock).start()
            yield world
        finally:
            await runner.cleanup()
            await world.stop()


def app_of(pages: SignInPages) -> App:
    async def asset(name: str) -> None:
        return None

    return App(routes=WebhookRoutes([]), webhooks={}, asset=asset, checks={}, pages=[pages])
