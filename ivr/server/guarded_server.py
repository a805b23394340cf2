"""All sockets of one server: how many there may be, how long they may be silent, how they end.

aiohttp has no limit on connections. Here each gets its place, or gives way to another:

    accepted > lobby (a moment, until it could be read) > seat, or spare place > request > rests > request > … > closed

A newcomer that finds no place gets one from a resting connection (`ConnectionPlaces.first_to_go`); one with a request
under way is never closed for it. If all seats are busy, the newcomer gets a spare place: it is read for one request,
which is refused unless it asks for our health. So a server with too much to do still says that it is alive.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import suppress
from itertools import chain
from typing import Any

from aiohttp import web
from msgspec import Struct

from ivr.server.connection import Connection, Unfinished, no_room, stalled
from ivr.server.connection_places import ConnectionPlaces
from ivr.server.logged_path import logged_path
from ivr.server.refusals import Refusals
from ivr.server.replies import error_reply
from ivr.server.short_connection import ShortConnection
from ivr.server.short_way import ShortWay

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_FOR_EVER = 10 * 365 * 86400.0
"Seconds. aiohttp's own clock for idle connections does not know of requests that take the short way; the sweep does."


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
        short: ShortWay | None = None,
        **options: Any,
    ) -> None:
        """Serve with `handler`; the paths in `always` are answered even when there is no room for anything else.

        `short`: the way that plain requests take; None: all go by `handler`.
        """
        super().__init__(self._serve, keepalive_timeout=_FOR_EVER, **options)
        self._handler = handler
        self._always = always
        self.refusals = refusals or Refusals()
        self._limits = limits
        self._short = short
        self.now = now
        self.unfinished: set[Unfinished] = set()
        "Those on the short way that wait for the rest of a body."
        self._seats: ConnectionPlaces[Connection] = ConnectionPlaces(limits.most)
        self._spare: ConnectionPlaces[Connection] = ConnectionPlaces(limits.spare)
        self._lobby: set[Connection] = set()
        self.drains = False
        "No further request is taken."
        self._calm: asyncio.Event | None = None
        "While draining: set once no request is under way."

    def __call__(self) -> Connection:
        """Make the protocol of a new connection."""
        if self._short is None:
            return Connection(self, self, loop=self._loop, **self._kwargs)
        return ShortConnection(self, self, self._short, loop=self._loop, **self._kwargs)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = request.protocol
        if not isinstance(connection, Connection):
            raise TypeError("a connection that this server did not make")
        if connection.retired:
            # It came as the connection was closed for being idle. What could not be answered is not taken either.
            raise ConnectionResetError("closed before the request was begun")
        self.works(connection)
        try:
            turned_away = connection.crowded and request.rel_url.path not in self._always
            response = self._turned_away(request) if turned_away else await self._handler(request)
            if connection.crowded or self.drains:
                response.force_close()
            return response
        finally:
            # Only if the request came whole: a form without its end is no more than an open connection.
            self.rests(connection, whole=request.content.is_eof())

    def works(self, connection: Connection) -> None:
        """Note that a request of a connection is under way."""
        connection.busy, connection.fresh, connection.handed, connection.head_since = True, False, False, 0.0
        if connection.places is not None:
            connection.places.work(connection)

    def rests(self, connection: Connection, *, whole: bool) -> None:
        """Note that it is no longer; `whole`: all of it had come."""
        connection.busy, connection.arrived = False, 0.0
        connection.answered |= whole
        connection.asking = False
        if connection.connected:
            self._rest(connection)
            self._tell_if_calm()
        else:
            self._forget(connection)

    def _turned_away(self, request: web.BaseRequest) -> web.Response:
        error = no_room()
        path = logged_path(request.rel_url.path)
        self.refusals.report("refused", reason=error.code, status=error.status, path=path)
        return error_reply(error)

    async def drain(self, patience: float) -> None:
        """Close what is idle, and return when nothing is under way any more, or after so many seconds.

        aiohttp's own shutdown drops the rest of a body that is still arriving, so it must not begin before this.
        """
        self._calm, self.drains = asyncio.Event(), True
        self._hand_over_unfinished()
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
            connection.turn_away(no_room())

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
        self._hand_over_unfinished()
        for connection in self._resting():
            quiet = now - connection.quiet_since
            if connection.head_since and now - connection.head_since > self._limits.head:
                connection.turn_away(stalled())
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

    def _hand_over_unfinished(self) -> None:
        """Leave bodies that are slow to come to aiohttp's way, which has limits for them."""
        for connection in list(self.unfinished):
            connection.go_long()

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
