"""A connection whose plain requests take the short way, and whose other requests are aiohttp's: decided for each.

At a message boundary the connection is *short*: what comes goes to our own reader (`short_request`). What is plain is
taken at once, and answered by the callback of its commit, with one write. What is not goes to aiohttp from its first
byte, and the connection is *long* until aiohttp has answered all that was begun there and nothing of a next request has
come (`message_counter`). Where that cannot be told, it stays long.

    short ── plain, whole ──> waits for its commit ── answered ──> short
      │                            │ not that simple
      └──────── unusual ───────────┴──> long ── answered, and nothing left ──> short

Places, limits, the sweep and draining are those of `Connection` on both ways: a request is under way (`busy`) from the
end of its head to its answer.
"""

import logging
from hmac import compare_digest
from typing import Any

from aiohttp import web

from ivr.ports import GoodCredentials, WebhookReply
from ivr.server.connection import Connection, Guard
from ivr.server.message_counter import MessageCounter
from ivr.server.replies import raw_reply
from ivr.server.short_request import BODY, HEAD, WHOLE
from ivr.server.short_way import ShortWay

log = logging.getLogger(__name__)


class ShortConnection(Connection):
    """One connection with both ways."""

    __slots__ = ("_authorization", "_credentials", "_held", "_long", "_reader", "_short", "_stopped", "_waits")

    def __init__(self, server: web.Server, guard: Guard, short: ShortWay, **options: Any) -> None:
        super().__init__(server, guard, **options)
        self._short = short
        self._reader = short.reader()
        self._long: MessageCounter | None = None
        "While the connection is long: what has still to be answered."
        self._waits = False
        "The reply of a request on the short way is to come. What comes meanwhile is held, and nothing more is read."
        self._held = b""
        self._stopped = False
        self._authorization = b""
        "The header with which the last request on the short way was let in, and what is known of it."
        self._credentials: GoodCredentials | None = None

    def data_received(self, data: bytes) -> None:
        """Read on, in the way in which the connection is now."""
        if self._long is not None or not data:  # without data aiohttp reminds itself of what it has
            if self._long is not None:
                self._long.feed(data)
            super().data_received(data)
        elif self._waits:
            self._held += data
            if not self._stopped and self.transport is not None:
                self._stopped = True
                self.transport.pause_reading()
        elif not self.retired:
            self._read(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection; a request that is being saved goes on."""
        if self in self.guard.unfinished or self.handed:  # then nobody works on its request, and nobody will
            self.guard.unfinished.discard(self)
            self.busy = False
        super().connection_lost(exc)
        self._reader.close()
        if self._long is not None:
            self._long.close()

    # --- short ---

    def _read(self, data: bytes) -> None:
        if not (self.let_in or self.busy or self.head_since):
            self.begins(data)
            if self.transport is None:
                return  # there was no room
        verdict = self._reader.feed(data)
        if verdict is HEAD:
            if not self.head_since:
                self.begins(data)
        elif verdict is WHOLE and (self.busy or self._is_let_in()):
            self._take()
        elif verdict is BODY and (self.busy or (self._short.is_json(self._reader) and self._is_let_in())):
            if not self.busy:
                self.guard.works(self)
                self.guard.unfinished.add(self)
        else:
            self.go_long()

    def _is_let_in(self) -> bool:
        """Return whether a request, of which the head is there, may take the short way."""
        if self.crowded or self.guard.drains or self.writing_paused:
            return False
        now, authorization = self.guard.now(), self._reader.authorization
        known = self._credentials
        # Compared in constant time: a proxy may send several clients' requests over one connection.
        if known is None or not compare_digest(authorization, self._authorization) or not known.hold(now):
            known = self._short.credentials(authorization, now=now)
            self._authorization, self._credentials = authorization, known
            if known is None:
                return False
        self.let_in = True
        self.arrived = self.arrived or now
        return True

    def _take(self) -> None:
        if self.busy:
            self.guard.unfinished.discard(self)
        else:
            self.guard.works(self)
        self._waits = True  # now: a store that needs no time tells at once
        if not self._short.take(self._reader, self._told, arrived=self.arrived):
            self.go_long()

    def _told(self, reply: WebhookReply | None) -> None:
        """Answer a request whose turn is saved; None: it is not that simple."""
        if not self._waits:
            return  # the turn was begun, and failed all the same: the long way has this request
        if reply is None:
            self.go_long()
            return
        self._short.answered += 1
        try:
            self._answer(reply)
        except Exception:  # a mistake of ours: nobody may wait for this reply for ever
            log.exception("request failed")
            self.cut()
        self.guard.rests(self, whole=True)
        behind = self._reader.behind + self._held
        self._reader.next()
        self._held = behind
        if behind:
            self._loop.call_soon(self._go_on)  # not from here: behind that may be the next, and so on
        else:
            self._waits = False

    def _answer(self, reply: WebhookReply) -> None:
        if self.transport is None:
            return
        self.transport.write(raw_reply(reply, close=self.guard.drains))
        if self.guard.drains:
            self.retire()
            self.transport.close()  # once the reply is sent

    def _go_on(self) -> None:
        """Read what came while a reply was to come."""
        held = self._let_go()
        if self.transport is not None:
            self.data_received(held)

    def _let_go(self) -> bytes:
        """Hold nothing back any longer; return what was."""
        self._waits = False
        held, self._held = self._held, b""
        if self._stopped:
            self._stopped = False
            if self.transport is not None:
                self.transport.resume_reading()
        return held

    # --- long ---

    def go_long(self) -> None:
        """Leave the current request to aiohttp, from its first byte, with what came behind it."""
        data, behind = self._reader.raw, self._reader.behind + self._let_go()
        self.guard.unfinished.discard(self)
        if self.transport is None or self.transport.is_closing():
            self.guard.rests(self, whole=True)
            return
        self._long, self.handed = MessageCounter(), self.busy
        self._reader.begin_anew()
        self.data_received(data)
        if behind:  # by itself: what aiohttp refuses there must not take the request before it along
            self.data_received(behind)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer, and look whether the connection can be short again."""
        answered = await super().finish_response(request, resp, start_time)
        if self._long is not None:
            self._long.answered += 1
            if self._long.is_at_boundary and request.content.is_eof() and answered[0].keep_alive:
                self._long.close()
                self._long = None
        return answered
