"""One socket, before there is a request: since when it is silent, what a bad head gets, how it ends.

aiohttp has no time-out for a head, and its own 400 repeats the offending header, a bearer token perhaps, to the sender
and to the log. Both are replaced here, with aiohttp's public classes alone. How many connections there may be is the
affair of `guarded_server`.
"""

import asyncio
import logging
import socket
import struct
from collections.abc import Callable
from typing import Any, Protocol

from aiohttp import web

from ivr.errors import WebhookError
from ivr.server.connection_places import ConnectionPlaces, Standing
from ivr.server.fatal import is_out_of_memory
from ivr.server.refusals import Refusals
from ivr.server.replies import error_reply, raw_error

log = logging.getLogger(__name__)

_BAD_HEAD = "The request head is not valid HTTP, or one of its lines is too long."
_INTERNAL = "Internal error. See the server's log."

_AT_ONCE = struct.pack("ii", 1, 0)
"For `SO_LINGER`: closing resets the connection, and what was not delivered is dropped."


class Unfinished(Protocol):
    """A connection that waits for the rest of a body."""

    def go_long(self) -> None:
        """Wait no longer on the short way."""


class Guard(Protocol):
    """The part of `GuardedServer` that a connection needs."""

    now: Callable[[], float]
    refusals: Refusals
    unfinished: set[Unfinished]
    "Those on the short way that wait for the rest of a body."
    drains: bool
    "No further request is taken."

    def welcome(self, connection: "Connection") -> bool:
        """Take a new connection in; False: there is no room."""

    def heard(self, connection: "Connection") -> None:
        """Note the first byte of a connection; it may be turned away now."""

    def works(self, connection: "Connection") -> None:
        """Note that a request of a connection is under way."""

    def rests(self, connection: "Connection", *, whole: bool) -> None:
        """Note that it is no longer; `whole`: all of it had come."""


class Connection(web.RequestHandler):
    """One connection, and since when it is quiet."""

    __slots__ = (
        *("answered", "arrived", "asking", "busy", "crowded", "fresh", "guard", "handed", "head_since", "heard"),
        *("let_in", "places", "quiet_since", "retired", "wire"),
    )

    def __init__(self, server: web.Server, guard: Guard, **options: Any) -> None:
        super().__init__(server, **options)
        self.guard = guard
        self.busy = False
        "A request is under way."
        self.handed = False
        "It was handed over to aiohttp, which has not begun with it yet."
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
        self.retired = False
        "It takes no further request."
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
            self.turn_away(no_room())

    def data_received(self, data: bytes) -> None:
        """Note when a request begins."""
        if data and not self.busy and not self.head_since:
            self.begins(data)
        super().data_received(data)

    def begins(self, data: bytes) -> None:
        """Note the first bytes of a request; there may be no room for it."""
        self.head_since = self._loop.time()
        self.arrived = self.guard.now()
        if not self.let_in:
            self.heard, self.asking = True, b"\r\n\r\n" in data
            self.guard.heard(self)

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
        self.retired = True
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


def let_in(request: web.BaseRequest) -> None:
    """Note that a request passed the token check or a login: its connection is among the last to give way."""
    if isinstance(request.protocol, Connection):
        request.protocol.let_in = True


def stalled() -> WebhookError:
    """Return the refusal of a head that takes too long."""
    return WebhookError(408, "stalled", "The request head did not arrive in time.")


def no_room() -> WebhookError:
    """Return the refusal of a connection for which there is no place."""
    return WebhookError(503, "too-many-connections", "All connections are in use. Try again in a moment.")
