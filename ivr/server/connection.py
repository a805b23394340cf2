"""One socket, before there is a request: how many there may be, how long they may be silent, what a bad head gets.

aiohttp has no limit on connections and no time-out for a head, and its own 400 repeats the offending header, a bearer
token perhaps, to the sender and to the log. All three are replaced here, with aiohttp's public classes alone.
"""

import asyncio
import logging
import socket
import struct
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import Any

from aiohttp import web
from msgspec import Struct

from ivr.errors import WebhookError
from ivr.server.replies import error_reply, raw_error

log = logging.getLogger(__name__)

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_BAD_HEAD = "The head of the request is not valid HTTP, or a line of it is too long."
_INTERNAL = "Something went wrong here. The log says what."

_AT_ONCE = struct.pack("ii", 1, 0)
"For `SO_LINGER`: closing resets the connection, and what was not delivered is dropped."


class ConnectionLimits(Struct, frozen=True):
    """How many connections, and how long one may be silent."""

    most: int = 512
    "With `spare`, below the 1,024 open files that many systems allow a process."
    spare: int = 64
    "Beyond `most`: each of these is read for one request, which is turned away unless it asks after our health."
    head: float = 10.0
    "Seconds for a whole head from its first byte on, and for a new connection to send one."
    idle: float = 75.0
    "Seconds between two requests, and for a slow reader to take its answer."
    grace: float = 1.0
    "Seconds of quiet after which a connection may be closed to make room for a new one."


class Connection(web.RequestHandler):
    """One connection, and since when it is quiet."""

    __slots__ = ("arrived", "busy", "crowded", "fresh", "guard", "head_since", "quiet_since", "wire")

    def __init__(self, guard: "GuardedServer", **options: Any) -> None:
        super().__init__(guard, **options)
        self.guard = guard
        self.busy = False
        self.crowded = False
        "One too many."
        self.fresh = True
        "No request yet."
        self.arrived = 0.0
        "When the first byte of the current request came, by the server's clock; 0: not known."
        self.head_since = 0.0
        "The same by the loop's clock, while the head is not whole; 0: nothing of it has come."
        self.quiet_since = 0.0
        self.wire: asyncio.Transport | None = None
        "The transport, which aiohttp forgets when it closes it, sent or not."

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or say that there are too many."""
        super().connection_made(transport)
        self.wire = self.transport
        if not self.guard.welcome(self):
            self.turn_away(_full())

    def data_received(self, data: bytes) -> None:
        """Note when a request begins."""
        if data and not self.busy and not self.head_since:
            self.head_since = self._loop.time()
            self.arrived = self.guard.now()
        super().data_received(data)

    def turn_away(self, error: WebhookError) -> None:
        """Answer without a request, and close."""
        if self.transport is None:
            return
        if self.transport.get_write_buffer_size():
            self.cut()  # it has not taken what was sent before, and would not take this
            return
        self.transport.write(raw_error(error))
        self.head_since = 0.0  # if even this is not taken, the connection is an idle one
        self.force_close()

    def retire(self) -> None:
        """Take no further request, and close once nothing is left to send."""
        self.close()
        if self.wire is not None and not self.wire.get_write_buffer_size():
            self.wire.close()  # aiohttp would hold it open, deaf, and a request sent on it would wait in vain

    def cut(self) -> None:
        """Close at once: who never takes an answer could hold a closing connection, and the answer, for ever."""
        if self.wire is not None:
            if self.wire.get_write_buffer_size():
                # The system has megabytes of the answer too, and would offer them for minutes after we have let go.
                self.wire.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            self.wire.abort()
        self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what aiohttp could not read, or what went wrong in a handler, without repeating a byte of it."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer is under way, no other can be sent")
        bad_head = status == 400
        if bad_head:
            # The exception holds the header; its class alone is safe to tell.
            log.info("bad head", extra={"reason": type(exc).__name__})
        elif not isinstance(exc, ConnectionError):
            log.error("request failed", exc_info=exc)
        error = WebhookError(400, "bad-head", _BAD_HEAD) if bad_head else WebhookError(500, "internal", _INTERNAL)
        response = error_reply(error)
        response.force_close()
        return response

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Log through our own logger, whose format leaves out what an exception says."""
        log.error("connection failed", exc_info=kw.get("exc_info"))


class GuardedServer(web.Server):
    """The sockets of one server."""

    def __init__(
        self,
        handler: Handler,
        *,
        limits: ConnectionLimits,
        now: Callable[[], float],
        always: Collection[str] = (),
        **options: Any,
    ) -> None:
        """Serve with `handler`; the paths in `always` are answered even when there is no room for anything else."""
        super().__init__(self._serve, keepalive_timeout=limits.idle * 2, **options)  # the sweep is always sooner
        self._handler = handler
        self._always = always
        self._limits = limits
        self.now = now
        self._open: set[Connection] = set()
        self._quiet: dict[Connection, None] = {}
        "Connections without a request under way, the longest quiet first."
        self._calm: asyncio.Event | None = None
        "While draining: set once no request is under way."

    def __call__(self) -> Connection:
        """Make the protocol of a new connection."""
        return Connection(self, loop=self._loop, **self._kwargs)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = request.protocol
        if not isinstance(connection, Connection):
            raise TypeError("a connection that this server did not make")
        connection.busy, connection.fresh, connection.head_since = True, False, 0.0
        self._quiet.pop(connection, None)
        try:
            turned_away = connection.crowded and request.rel_url.path not in self._always
            response = error_reply(_full()) if turned_away else await self._handler(request)
            if connection.crowded or self._calm is not None:
                response.force_close()
            return response
        finally:
            connection.busy, connection.arrived = False, 0.0
            if connection.connected:
                self._rest(connection)
                self._tell_if_calm()
            else:
                self._forget(connection)

    async def drain(self, patience: float) -> None:
        """Close what is idle, and return when nothing is under way any more, or after so many seconds.

        aiohttp's own shutdown drops the rest of a body that is still arriving, so it must not begin before this.
        """
        self._calm = asyncio.Event()
        for connection in list(self._quiet):
            connection.retire()
        self._tell_if_calm()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._calm.wait()

    def welcome(self, connection: Connection) -> bool:
        """Make room for one more, if need be by closing the one that has been quiet longest; False: there is none."""
        if len(self._open) >= self._limits.most and not self._made_room():
            connection.crowded = True
            if len(self._open) >= self._limits.most + self._limits.spare:
                return False
        self._open.add(connection)
        self._rest(connection)
        return True

    def _made_room(self) -> bool:
        longest = next(iter(self._quiet), None)
        if longest is None or self._loop.time() - longest.quiet_since < self._limits.grace:
            return False
        self._forget(longest)
        longest.cut()  # one that takes no answers would stay open, and be counted by nobody
        return True

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        """Forget a connection, unless its request is still worked on: work without a listener counts too."""
        super().connection_lost(handler, exc)
        if isinstance(handler, Connection) and not handler.busy:
            self._forget(handler)

    def sweep(self) -> None:
        """Close what has been silent too long. To be called every second: cheaper than a timer for each request."""
        now = self._loop.time()
        for connection in list(self._quiet):
            quiet = now - connection.quiet_since
            if connection.head_since and now - connection.head_since > self._limits.head:
                connection.turn_away(_stalled())
            elif quiet > (self._limits.head if connection.fresh else self._limits.idle):
                connection.cut()

    @property
    def count(self) -> int:
        """How many connections are open."""
        return len(self._open)

    @property
    def busy(self) -> int:
        """How many connections have a request under way."""
        return len(self._open) - len(self._quiet)

    def _tell_if_calm(self) -> None:
        if self._calm is not None and not self.busy:
            self._calm.set()

    def _rest(self, connection: Connection) -> None:
        connection.quiet_since = self._loop.time()
        self._quiet[connection] = None

    def _forget(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._quiet.pop(connection, None)
        self._tell_if_calm()


def _stalled() -> WebhookError:
    return WebhookError(408, "stalled", "The head of the request did not arrive in time.")


def _full() -> WebhookError:
    return WebhookError(503, "too-many-connections", "All connections are in use. Try again in a moment.")
