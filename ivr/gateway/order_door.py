"""`POST /calls`: where a server orders calls, at an address of its own (docs/protocol.md, 26).

| answer | when |
| --- | --- |
| 202 | taken, or taken before: the same order again is no second call |
| 401 | without the token, whatever is asked for; nothing of the body is read |
| 404, 405 | another address, another method |
| 400, 408, 413, 415, 422 | it cannot be read, or cannot be called |
| 403, 409 | the target or the caller is not allowed; the id has another order |
| 429, 503 | not now, with `Retry-After`: nothing was done |

Each connection has one request and one answer, within LONGEST seconds, and there are few of them: who connects cannot
take the sockets that calls need. Nothing of an order is repeated in an answer or a log.
"""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, cast

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from ivr.bearer_token import is_borne
from ivr.gateway.metrics import OrderRefusal
from ivr.gateway.order_book import CallOrder, NotTaken

log = logging.getLogger(__name__)

MAX_ORDER: Final = 16 * 1024
"Bytes of an order."
BODY_TIME: Final = 5.0
"Seconds for the body to come."
LONGEST: Final = 15.0
"Seconds of a connection."
MOST_CONNECTIONS: Final = 32
PATH: Final = "/calls"

_ORDER = msgspec.json.Decoder(CallOrder)


class _Refused(Exception):
    """A request that is not an order that can be taken."""

    def __init__(self, status: int, message: str, why: OrderRefusal = "order", **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.why: OrderRefusal = why
        self.headers = headers


class OrderDoor:
    """Answers one request at a time; what an order leads to is the business of `take`."""

    def __init__(self, token: str, take: Callable[[CallOrder], None], refused: Callable[[OrderRefusal], None]) -> None:
        """`take` raises NotTaken; `refused` counts."""
        self._token = token.encode()
        self._take = take
        self._refused = refused

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer one request."""
        try:
            order = await self._order(request)
            self._take(order)
        except (_Refused, NotTaken) as refusal:
            response = self._refusal(refusal)
        else:
            response = _reply(202, {"id": order.id})
        response.force_close()
        return response

    async def _order(self, request: web.BaseRequest) -> CallOrder:
        self._require_token(request)
        if request.rel_url.raw_path != PATH or request.rel_url.raw_query_string:
            raise _Refused(404, "Not found.")
        if request.method != "POST":
            raise _Refused(405, "Calls are ordered by POST.", Allow="POST")
        if request.content_type != "application/json" or "Content-Encoding" in request.headers:
            raise _Refused(415, "An order is application/json, as it is.")
        body = await _body(request)
        try:
            return _ORDER.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _Refused(400, "The body is no order of a call.") from error

    def _require_token(self, request: web.BaseRequest) -> None:
        if not is_borne(request.headers.getall("Authorization", ()), self._token):
            raise _Refused(401, "A token is needed here.", "token", **{"WWW-Authenticate": "Bearer"})

    def _refusal(self, refusal: _Refused | NotTaken) -> web.Response:
        self._refused(refusal.why)
        if refusal.why != "token":  # anybody may knock: that is counted, and does not fill the log
            log.warning("order refused", extra={"status": refusal.status, "reason": refusal.why})
        response = _reply(refusal.status, {"error": {"code": refusal.why, "message": str(refusal)}})
        if isinstance(refusal, _Refused):
            response.headers.update(refusal.headers)
        elif refusal.retry_after is not None:
            response.headers["Retry-After"] = str(refusal.retry_after)
        return response


async def _body(request: web.BaseRequest) -> bytes:
    """Read a body, never more than MAX_ORDER and never longer than BODY_TIME; raise _Refused."""
    if (request.content_length or 0) > MAX_ORDER:
        raise _too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIME):
            while not request.content.at_eof():
                body += await request.content.readany()
                if len(body) > MAX_ORDER:
                    raise _too_large()
    except TimeoutError as error:
        raise _Refused(408, "The body did not arrive in time.") from error
    except (HttpProcessingError, web.RequestPayloadError) as error:
        raise _Refused(400, "The body cannot be read.") from error
    return bytes(body)


def _too_large() -> _Refused:
    return _Refused(413, f"An order is {MAX_ORDER} bytes at most.", "size")


def _reply(status: int, content: object) -> web.Response:
    headers = {"Server": "ivr", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return web.Response(
        status=status, text=json.dumps(content) + "\n", content_type="application/json", headers=headers
    )


class _Server(web.Server):
    """The connections: few, and short."""

    def __init__(self, door: OrderDoor) -> None:
        super().__init__(door.handle, access_log=None, auto_decompress=False, lingering_time=1.0)
        self.open: set[_Connection] = set()

    def __call__(self) -> "_Connection":
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(web.RequestHandler):
    """One of them."""

    __slots__ = ("_ends", "_server")

    def __init__(self, server: _Server, **options: Any) -> None:
        super().__init__(server, **options)
        self._server = server
        self._ends: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        stream = cast("asyncio.WriteTransport", transport)  # uvloop's have no class in common with asyncio's
        if len(self._server.open) >= MOST_CONNECTIONS:
            stream.abort()
            return
        self._server.open.add(self)
        self._ends = asyncio.get_running_loop().call_later(LONGEST, stream.abort)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._server.open.discard(self)
        if self._ends is not None:
            self._ends.cancel()
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what could not be read, or what went wrong; aiohttp's own answer and log would repeat a header."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer is under way, no other can be sent")
        if status == 400:
            response = _reply(400, {"error": {"code": "order", "message": "The request is not valid HTTP."}})
        else:
            log.error("order failed", exc_info=exc)
            response = _reply(500, {"error": {"code": "internal", "message": "See the log of the gateway."}})
        response.force_close()
        return response

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Log through our own logger, whose format leaves out what an exception says."""
        log.error("order failed", exc_info=kw.get("exc_info"))


@asynccontextmanager
async def order_door(sock: socket.socket, door: OrderDoor) -> AsyncIterator[None]:
    """Serve the door on a bound socket, which is ours from now on, as long as the context lasts."""
    runner = web.ServerRunner(_Server(door), shutdown_timeout=1)
    await runner.setup()
    try:
        await web.SockSite(runner, sock).start()
        yield
    finally:
        await runner.cleanup()
