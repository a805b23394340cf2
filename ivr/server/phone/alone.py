"""The phone's page without our server beside it, for any bot that speaks the protocol. For this machine alone."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from ivr.errors import WebhookError
from ivr.phone.platform import Target
from ivr.server.connection import ConnectionLimits
from ivr.server.listener import Listener, bind
from ivr.server.phone.desk import Desk
from ivr.server.phone.doors import PhonePages
from ivr.server.phone.page import ROOT
from ivr.server.replies import error_reply, headers

HOST = "127.0.0.1"


@asynccontextmanager
async def phone_alone(target: Target, *, port: int) -> AsyncIterator[str]:
    """Serve the page as long as the context lasts, and give its address; raise OSError if the port is taken."""
    sock = bind(HOST, port, loopback_only=True)
    address = f"http://{HOST}:{sock.getsockname()[1]}{ROOT}"
    pages = PhonePages(Desk(target))

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        try:
            if request.rel_url.path == "/":
                return web.Response(status=303, headers=headers("text/plain", Location=ROOT))
            if not pages.owns(request.rel_url.path):
                raise WebhookError(404, "not-found", "There is nothing here.")  # noqa: TRY301  # one place answers
            return await pages.handle(request)
        except WebhookError as error:
            return error_reply(error)

    listener = await Listener.open(handle, sock, limits=ConnectionLimits(), now=time.time)
    try:
        yield address
    finally:
        await pages.close()
        await listener.close()
