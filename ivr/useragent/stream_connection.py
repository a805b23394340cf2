"""One TCP or TLS connection that carries SIP (RFC 3261 section 18.3, RFC 5626 section 3.5.1)."""

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

from ivr.sip.framing import KeepAlive, StreamFramer
from ivr.sip.media_plan import HostPort
from ivr.sip.message import MalformedMessage
from ivr.sip.outputs import Link, Transport
from ivr.useragent.configuration import StreamLimits


class Connections(Protocol):
    """Who owns a connection."""

    limits: StreamLimits

    def opened(self, connection: "StreamConnection", remote: HostPort) -> Link:
        """Take note of it, and return the link that it is."""

    def received(self, connection: "StreamConnection", data: bytes) -> None:
        """Take a whole message."""

    def closed(self, connection: "StreamConnection") -> None:
        """Take note that it is no more."""


class StreamConnection(asyncio.Protocol):
    """Cuts what comes into messages, answers keep-alives, and closes where the stream can no longer be followed."""

    def __init__(
        self, owner: Connections, transport: Transport, now: Callable[[], float], *, accepted_from: str | None
    ) -> None:
        """`accepted_from`: whose it is; None: it is ours, and need not send a message to be kept."""
        self.kind = transport
        self.link: Link | None = None
        "Known from when it is open."
        self.local: HostPort = ("", 0)
        "Of its socket."
        self.heard = now()
        "When the last byte came, or the connection was made."
        self.accepted_from = accepted_from
        self.made = False
        "It was open once: the handshake succeeded."
        self.proven = accepted_from is None
        "A whole message came by it, or it is ours."
        self.begun = None if self.proven else self.heard
        "When the message that is not whole yet began, or the connection that has sent none."
        self._owner = owner
        self._now = now
        self._framer = StreamFramer()
        self._transport: asyncio.Transport | None = None

    @property
    def open(self) -> bool:
        """Whether anything can be sent by it."""
        return self._transport is not None and not self._transport.is_closing()

    def send(self, data: bytes) -> None:
        """Send; what the other side does not take ends the connection."""
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > self._owner.limits.unsent:
            self._transport.abort()

    def close(self) -> None:
        """Close it once everything was sent."""
        if self._transport is not None:
            self._transport.close()

    def cut(self) -> None:
        """Close it now."""
        if self._transport is not None:
            self._transport.abort()

    # --- asyncio ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.made = True
        self._transport = cast("asyncio.Transport", transport)  # uvloop's class is not below asyncio's
        local, remote = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
        if local is None or remote is None:  # it is gone again already
            self._transport.abort()
            return
        self.local = local[:2]
        self.link = self._owner.opened(self, remote[:2])

    def data_received(self, data: bytes) -> None:
        """Take the messages that are whole now."""
        self.heard = self._now()
        try:
            for each in self._framer.feed(data):
                self._take(each)
                if not self.open:
                    return
        except MalformedMessage:
            self.close()
            return
        if self._framer.partial:
            self.begun = self.heard if self.begun is None else self.begun
        elif self.proven:
            self.begun = None

    def _take(self, each: bytes | KeepAlive) -> None:
        if isinstance(each, KeepAlive):
            if each.answer:
                self.send(each.answer)
            return
        self.proven, self.begun = True, None
        self._owner.received(self, each)

    def connection_lost(self, error: Exception | None) -> None:
        """Take note of the end."""
        self._transport = None
        self._owner.closed(self)
