"""/metrics, at an address of its own: for whoever watches this server, never for callers or platforms.

The port of calls shows nothing of it, so a proxy before that cannot open it by accident.
"""

import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from ivr.bearer_token import is_borne
from ivr.errors import WebhookError
from ivr.server.guarded_server import ConnectionLimits
from ivr.server.listener import Listener, bind
from ivr.server.origin import is_loopback_name
from ivr.server.refusals import Refusals
from ivr.server.replies import error_reply, headers, not_found
from ivr.setting_sources import SettingsError, host_port_of
from ivr.settings import Settings

PATH = "/metrics"
TYPE = "text/plain; version=0.0.4; charset=utf-8"
LIMITS = ConnectionLimits(most=8, spare=2, lobby=8)
"Whoever asks for metrics needs one connection."

Written = Callable[[], Awaitable[bytes]]


def bind_metrics(settings: Settings, *, worker: int) -> socket.socket | None:
    """Take the address for /metrics, of several processes each a port of its own; None: it is served nowhere.

    Raises SettingsError if it cannot be had.
    """
    if settings.metrics is None:
        return None
    host, port = host_port_of(settings.metrics)
    try:
        return bind(host, port + worker if port else 0)
    except (OSError, OverflowError) as error:
        why = error.strerror if isinstance(error, OSError) else "there is no such port"
        raise SettingsError(f"IVR_METRICS: {host}, port {port + worker}, cannot be had: {why}.") from error


@asynccontextmanager
async def metrics_page(
    sock: socket.socket, written: Written, *, token: str | None, refusals: Refusals
) -> AsyncIterator[None]:
    """Serve what `written` returns on a bound socket, which is ours from now on, as long as the context lasts.

    `token`: who has it not gets 401; None: whoever on this machine reaches the socket may read.
    """

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if token is None:
            if not is_loopback_name(request.headers.get("Host", "")):  # a foreign web page, by a name that leads here
                return error_reply(WebhookError(403, "host", "Without a token, use localhost, 127.0.0.1 or [::1]."))
        elif not is_borne(request.headers.getall("Authorization", []), token.encode()):
            refusals.report("refused", reason="metrics-token", status=401, path=PATH)
            return error_reply(WebhookError(401, "token", "This address needs its token."))
        if request.rel_url.path != PATH:
            return error_reply(not_found())
        if request.method not in ("GET", "HEAD"):
            return error_reply(WebhookError(405, "method", "Only GET can be used here."), allow="GET, HEAD")
        return web.Response(body=await written(), headers=headers(TYPE))

    listener = await Listener.open(handle, sock, limits=LIMITS, now=time.time, refusals=refusals)
    try:
        yield
    finally:
        await listener.close(drain=0.0)
