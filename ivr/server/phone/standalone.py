"""The phone's page without our server beside it, for any bot that speaks the protocol. For this machine alone."""

import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web
from msgspec import Struct

from ivr.errors import IvrError, WebhookError
from ivr.phone.platform import Target
from ivr.server.guarded_server import ConnectionLimits
from ivr.server.listener import Listener, bind, port_instead
from ivr.server.phone.phone_page import ROOT
from ivr.server.phone.routes import PhonePages
from ivr.server.phone.shared_phone import SharedPhone
from ivr.server.replies import error_reply, headers, not_found

HOST = "127.0.0.1"


class StandalonePhone(Struct, frozen=True):
    """A phone that is there to call from."""

    page: str
    "Its address."
    metadata: str
    "The address of its OpenID metadata."


@asynccontextmanager
async def standalone_phone(target: Target, *, port: int) -> AsyncIterator[StandalonePhone]:
    """Serve the page as long as the context lasts; raise IvrError or OSError where it cannot be."""
    shared_phone = SharedPhone(target)
    pages = PhonePages(shared_phone)

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        try:
            if request.rel_url.path == "/":
                return web.Response(status=303, headers=headers("text/plain", Location=ROOT))
            if not pages.owns(request.rel_url.path):
                raise not_found()  # one place answers
            return await pages.handle(request)
        except WebhookError as error:
            return error_reply(error)

    async with AsyncExitStack() as stack:
        sock = stack.enter_context(_bound(port))
        stack.push_async_callback(pages.close)
        metadata = await shared_phone.open()
        listener = await Listener.open(handle, sock, limits=ConnectionLimits(), now=time.time)
        stack.push_async_callback(listener.close)
        stack.push_async_callback(pages.close)  # first: a page's line would be drained for ever
        yield StandalonePhone(f"http://{HOST}:{sock.getsockname()[1]}{ROOT}", metadata)


def _bound(port: int) -> socket.socket:
    try:
        return bind(HOST, port, loopback_only=True)
    except OSError as error:
        other = port_instead(error, port) or 0
        raise IvrError(
            f"Cannot listen on port {port}: {error.strerror}. Choose another with --port {other}."
        ) from error
