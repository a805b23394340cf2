"""One socket, before there is a request: how many there may be, how long they may be silent, what a bad head gets.

aiohttp has no limit on connections and no time-out for a head, and its own 400 repeats the offending header, a bearer
token perhaps, to the sender and to the log. All three are replaced here, with aiohttp's public classes alone.

    accepted > lobby (a moment, until it could be read) > seat, or spare place > request > rests > request > … > closed

A newcomer that finds no place gets one from a resting connection (`ConnectionPlaces.first_to_go`); one with a request
under way is never closed for it. If all seats are busy, the newcomer gets a spare place: it is read for one request,
which is refused unless it asks for our health. So a server with too much to do still says that it is alive.
"""

import asyncio
import logging
import socket
import struct
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import suppress
from itertools import chain
from typing import Any

from aiohttp import web
from msgspec import Struct

from ivr.errors import WebhookError
from ivr.server.connection_places import ConnectionPlaces, Standing
from ivr.server.fatal import is_out_of_memory
from ivr.server.refusals import Refusals
from ivr.server.replies import error_reply, raw_error

log = logging.getLogger(__name__)

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_BAD_HEAD = "The request head is not valid HTTP, or one of its lines is too long."
_INTERNAL = "Internal error. See the server's log."

_AT_ONCE = struct.pack("ii", 1, 0)
"For `SO_LINGER`: closing resets the connection, and what was not delivered is dropped."


class ConnectionLimits(Struct, frozen=True):
    """How many connections, and how long one may be silent."""

    most: int = 512
    "With `spare`, below the 1,024 open files that many systems allow a process."
    spare: int = 64
    "Beyond `most`, for our health: each is read for one request, which is turned away unless it asks after that."
    lobby: int = 256
    "Beyond both, for a moment: connections that were just accepted, until it is known whether they have sent anything."
    head: float = 10.0
    "Seconds for a whole head from its first byte on, and for a new connection to send one."
    idle: float = 75.0
    "Seconds between two requests, and for a slow reader to take its answer."
    grace: float = 1.0
    "Seconds of quiet after which a connection that was let in may be closed to make room for a new one."


class Connection(web.RequestHandler):
    """One connection, and since when it is quiet."""

    __slots__ = (
        *(
            "answered",
            "arrived",
            "asking",
            "busy",
            "crowded",
            "fresh",
            "guard",
            "head_since",
            "heard",
            "let_in",
            "places",
        ),
        *("quiet_since", "wire"),
    )

    def __init__(self, guard: "GuardedServer", **options: Any) -> None:
        super().__init__(guard, **options)
        self.guard = guard
        self.busy = False
        self.crowded = False
        "One too many."
        self.heard = False
        "A byte has come."
        self.asking = False
        "A whole head has come, and the loop will soon see to it."
        self.fresh = True
        "No request yet."
        self.answered = False
        "A request that came whole was answered."
        self.let_in = False
        "One of its requests passed the token check, or the login of the console."
        self.places: ConnectionPlaces[Connection] | None = None
        "Where it has its place."
        self.arrived = 0.0
        "When the first byte of the current request came, by the server's clock; 0: not known."
        self.head_since = 0.0
        "The same by the loop's clock, while the head is not whole; 0: nothing of it has come."
        self.quiet_since = 0.0
        self.wire: asyncio.Transport | None = None
        "The transport, which aiohttp forgets when it closes it, sent or not."

    @property
    def standing(self) -> Standing:
        """How much it has done so far."""
        if self.let_in:
            return Standing.LET_IN
        if self.answered or self.asking:
            return Standing.ANSWERED
        return Standing.UNFINISHED if self.heard else Standing.SILENT

    @property
    def undelivered(self) -> bool:
        """Whether a part of its last answer is still to be sent."""
        return self.wire is not None and self.wire.get_write_buffer_size() > 0

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
            if not self.let_in:
                self.heard, self.asking = True, b"\r\n\r\n" in data
                self.guard.heard(self)
        super().data_received(data)

    def turn_away(self, error: WebhookError) -> None:
        """Answer without a request, and close."""
        if self.transport is None:
            return
        self.guard.refusals.report("refused", reason=error.code, status=error.status)
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
            # Only without anything left to send: closing the transport would drop it.
            self.wire.close()  # aiohttp would hold it open, deaf, and a request sent on it would wait in vain

    def cut(self) -> None:
        """Close at once: a client that never takes its answer could hold a closing connection for ever."""
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
            if is_out_of_memory(exc):
                log.error("request failed", exc_info=exc)  # which ends this process, if it may
            raise ConnectionError("the answer is under way, no other can be sent")
        bad_head = status == 400
        if bad_head:
            # The exception holds the header; its class alone is safe to tell.
            self.guard.refusals.report("bad head", reason=type(exc).__name__)
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
        refusals: Refusals | None = None,
        **options: Any,
    ) -> None:
        """Serve with `handler`; the paths in `always` are answered even when there is no room for anything else."""
        super().__init__(self._serve, keepalive_timeout=limits.idle * 2, **options)  # the sweep is always sooner
        self._handler = handler
        self._always = always
        self.refusals = refusals or Refusals()
        self._limits = limits
        self.now = now
        self._seats: ConnectionPlaces[Connection] = ConnectionPlaces(limits.most)
        self._spare: ConnectionPlaces[Connection] = ConnectionPlaces(limits.spare)
        self._lobby: set[Connection] = set()
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
        if connection.places is not None:
            connection.places.work(connection)
        try:
            turned_away = connection.crowded and request.rel_url.path not in self._always
            response = self._turned_away(request) if turned_away else await self._handler(request)
            if connection.crowded or self._calm is not None:
                response.force_close()
            return response
        finally:
            connection.busy, connection.arrived = False, 0.0
            # Only if the request came whole: a form without its end is no more than an open connection.
            connection.answered |= request.content.is_eof()
            connection.asking = False
            if connection.connected:
                self._rest(connection)
                self._tell_if_calm()
            else:
                self._forget(connection)

    def _turned_away(self, request: web.BaseRequest) -> web.Response:
        error = _full()
        self.refusals.report("refused", reason=error.code, status=error.status, path=request.rel_url.path[:100])
        return error_reply(error)

    async def drain(self, patience: float) -> None:
        """Close what is idle, and return when nothing is under way any more, or after so many seconds.

        aiohttp's own shutdown drops the rest of a body that is still arriving, so it must not begin before this.
        """
        self._calm = asyncio.Event()
        for connection in self._resting():
            connection.retire()
        self._tell_if_calm()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._calm.wait()

    def welcome(self, connection: Connection) -> bool:
        """Take one more in; False: there is no room.

        Many come at once, before anything of the first is read. So each waits until the loop has had time to read, or
        connections that have already sent something would give way to each other as if they were silent.
        """
        if len(self._lobby) >= self._limits.lobby:
            return self._seated(connection)
        self._lobby.add(connection)
        # The first bytes are read two rounds of the loop from here: in one it begins to watch the socket, in the next
        # it reads. So the decision comes in the round after that.
        self._loop.call_soon(self._loop.call_soon, self._loop.call_soon, self._settle, connection)
        return True

    def _settle(self, connection: Connection) -> None:
        if connection in self._lobby and not self._seated(connection):
            connection.turn_away(_full())

    def _seated(self, connection: Connection) -> bool:
        """Find a place, if necessary by closing another connection; False: all are taken.

        While all seats are busy, a newcomer gets one of the spare places, which are for health checks.
        """
        self._lobby.discard(connection)
        for places in (self._seats, self._spare):
            if not places.full or self._made_room(places):
                connection.crowded, connection.places = places is self._spare, places
                self._rest(connection)
                return True
        return False

    def heard(self, connection: Connection) -> None:
        """Note the first byte of a connection."""
        if connection in self._lobby:
            self._settle(connection)
        elif connection.places is not None:
            connection.places.rest(connection)

    def _made_room(self, places: ConnectionPlaces[Connection]) -> bool:
        first = places.first_to_go(quiet_before=self._loop.time() - self._limits.grace)
        if first is None:
            return False
        self._forget(first)
        first.cut()  # one that takes no answers would stay open, and no longer be counted
        return True

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        """Forget a connection, unless its request is still worked on: work without a listener counts too."""
        super().connection_lost(handler, exc)
        if isinstance(handler, Connection) and not handler.busy:
            self._forget(handler)

    def sweep(self) -> None:
        """Close what has been silent too long. To be called every second: cheaper than a timer for each request."""
        now = self._loop.time()
        for connection in self._resting():
            quiet = now - connection.quiet_since
            if connection.head_since and now - connection.head_since > self._limits.head:
                connection.turn_away(_stalled())
            elif quiet > (self._limits.head if connection.fresh else self._limits.idle):
                connection.cut()

    @property
    def count(self) -> int:
        """How many connections are open."""
        return len(self._seats) + len(self._spare) + len(self._lobby)

    @property
    def busy(self) -> int:
        """How many connections have a request under way."""
        return self._seats.busy + self._spare.busy

    def _resting(self) -> Iterator[Connection]:
        return chain(self._seats.resting(), self._spare.resting())

    def _tell_if_calm(self) -> None:
        if self._calm is not None and not self.busy:
            self._calm.set()

    def _rest(self, connection: Connection) -> None:
        connection.quiet_since = self._loop.time()
        if connection.places is not None:
            connection.places.rest(connection)

    def _forget(self, connection: Connection) -> None:
        self._lobby.discard(connection)
        if connection.places is not None:
            connection.places.leave(connection)
            connection.places = None
        self._tell_if_calm()


def let_in(request: web.BaseRequest) -> None:
    """Note that a request passed the token check or a login: its connection is among the last to give way."""
    if isinstance(request.protocol, Connection):
        request.protocol.let_in = True


def _stalled() -> WebhookError:
    return WebhookError(408, "stalled", "The request head did not arrive in time.")


def _full() -> WebhookError:
    return WebhookError(503, "too-many-connections", "All connections are in use. Try again in a moment.")
