"""All sockets that carry SIP: where requests come in, and the way that each message takes (RFC 3261 section 18)."""

import asyncio
import itertools
import socket
import ssl
from collections.abc import Callable, Container
from functools import partial
from ipaddress import ip_address

from msgspec import Struct

from ivr.errors import IvrError
from ivr.sip.media_plan import HostPort
from ivr.sip.outputs import Hop, Link, Transport
from ivr.useragent.configuration import (
    ListenAddress,
    StreamLimits,
    UserAgentConfig,
    client_context,
    load_certificate,
    server_context,
)
from ivr.useragent.datagrams import DatagramSocket, local_address
from ivr.useragent.stream_connection import StreamConnection
from ivr.useragent.stream_listener import Places, StreamListener

CONNECTING = 10.0
"Seconds for a connection of ours, the handshake included."
MOST_WAITING = 100
"Messages that wait for one connection of ours to be made."


class Unreachable(IvrError):
    """A peer that no way leads to; the text says why."""


class TransportCounts(Struct, frozen=True):
    """What the sockets have seen since the start."""

    received: int
    "Messages."
    sent: int
    connections: int
    "Open now, both ways."
    refused: int
    "Connections that found no place."


class Transports:
    """Sends and receives. `received` and `failed` are called in the loop, `failed` never from within `send`."""

    def __init__(
        self,
        config: UserAgentConfig,
        received: Callable[[bytes, Link], None],
        failed: Callable[[Link | Hop], None],
    ) -> None:
        self.limits: StreamLimits = config.limits
        self._config = config
        self._advertised = config.advertised
        self._received = received
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._datagrams: list[DatagramSocket] = []
        self._listeners: dict[Transport, list[StreamListener]] = {"tcp": [], "tls": []}
        self._places = Places(config.limits)
        self._numbers = itertools.count(1)
        self._connections: dict[int, StreamConnection] = {}
        self._by_peer: dict[Hop, int] = {}
        "The open connection to a peer, by where it was found, and by its address."
        self._connecting: dict[Hop, asyncio.Task[Link]] = {}
        self._deliveries: set[asyncio.Task[None]] = set()
        self._server_contexts: list[ssl.SSLContext] = []
        self._context: ssl.SSLContext | None = None
        "Of connections that we make."
        self._received_count = self._sent = 0

    # --- opening and closing ---

    def listen(self) -> None:
        """Bind every address; raise OSError, with nothing left open."""
        try:
            for address in self._config.listen:
                self._listen(address)
        except OSError:
            for each in self._datagrams:
                each.close()
            for listener in itertools.chain(*self._listeners.values()):
                listener.stop()
            raise

    @property
    def addresses(self) -> tuple[ListenAddress, ...]:
        """Where it listens, with the ports that were found."""
        return (
            *(ListenAddress("udp", each.host, each.port) for each in self._datagrams),
            *(ListenAddress(kind, each.host, each.port) for kind, many in self._listeners.items() for each in many),
        )

    async def close(self) -> None:
        """Close everything."""
        for each in self._datagrams:
            each.close()
        for listener in itertools.chain(*self._listeners.values()):
            await listener.close()
        tasks = [*self._deliveries, *self._connecting.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for connection in tuple(self._connections.values()):
            connection.close()

    def reload_tls(self) -> None:
        """Read the files of TLS again, for new connections; raise OSError if they cannot be used."""
        for context in self._server_contexts:
            load_certificate(context, self._config.tls)
        self._context = None

    def sweep(self, in_use: Container[int]) -> None:
        """Close connections that keep us waiting, or that nobody uses; to be called each second.

        `in_use`: numbers of connections that a call or a registration was made by.
        """
        now = self._loop.time()
        for number, connection in tuple(self._connections.items()):
            if connection.begun is not None and now - connection.begun > self.limits.message:
                connection.cut()
            elif now - connection.heard > self.limits.idle and number not in in_use:
                connection.close()

    @property
    def counts(self) -> TransportCounts:
        """Return what was counted."""
        return TransportCounts(self._received_count, self._sent, len(self._connections), self._places.refused)

    def _listen(self, address: ListenAddress) -> None:
        if address.transport == "udp":
            received = partial(self._datagram_received, len(self._datagrams))
            self._datagrams.append(DatagramSocket(address, received))
            return
        context = None
        if address.transport == "tls":
            context = server_context(self._config.tls)
            self._server_contexts.append(context)
        make = partial(self._make, address.transport)
        listener = StreamListener(
            address, self._places, make, make_room=self._make_room, context=context, handshake=self.limits.message
        )
        self._listeners[address.transport].append(listener)

    # --- sending ---

    def send(self, to: Link | Hop, data: bytes) -> None:
        """Send a message, as soon as there is a way; where there is none, `failed` is called later."""
        self._sent += 1
        link = to if isinstance(to, Link) else self._ready(to)
        if link is None:
            self._send_later(to, data)
        elif not self._sent_by(link, data):
            self._loop.call_soon(self._failed, to)

    async def reach(self, hop: Hop) -> Link:
        """Return a link to a peer, connected if need be; raise Unreachable."""
        link = self._ready(hop)
        if link is not None:
            return link
        try:
            async with asyncio.timeout(CONNECTING):
                return await (self._resolved(hop) if hop.transport == "udp" else self._connected(hop))
        except TimeoutError as error:
            raise Unreachable(f"{hop.host}:{hop.port} did not answer within {CONNECTING:g} s") from error
        except ssl.SSLError as error:
            raise Unreachable(f"{hop.host}:{hop.port} cannot be trusted: {error.reason or error}") from error
        except OSError as error:
            raise Unreachable(f"{hop.host}:{hop.port} cannot be reached: {error.strerror or error}") from error

    def sound_host(self, link: Link) -> str:
        """Return the address of this machine that the sound of a call by this link is bound to."""
        if link.transport == "udp":
            return link.local[0] if not self._advertised else self._datagram_socket(link.local, link.remote).host
        connection = self._connections.get(link.connection)
        return local_address(link.remote) if connection is None else connection.local[0]

    def _ready(self, hop: Hop) -> Link | None:
        """Return the link to a peer where nothing is to be waited for."""
        if hop.transport == "udp":
            return self._udp_link((hop.host, hop.port)) if _is_address(hop.host) else None
        number = self._by_peer.get(hop)
        connection = None if number is None else self._connections.get(number)
        return connection.link if connection is not None and connection.open else None

    def _send_later(self, to: Link | Hop, data: bytes) -> None:
        if isinstance(to, Link) or len(self._deliveries) >= MOST_WAITING:
            self._loop.call_soon(self._failed, to)
            return
        task = self._loop.create_task(self._deliver(to, data))
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)

    async def _deliver(self, hop: Hop, data: bytes) -> None:
        try:
            delivered = self._sent_by(await self.reach(hop), data)
        except Unreachable:
            delivered = False
        if not delivered:
            self._failed(hop)

    def _sent_by(self, link: Link, data: bytes) -> bool:
        """Send by an open link; False: it is not open any more, or leads nowhere."""
        if link.transport == "udp":
            try:
                source = "" if self._advertised else link.local[0]
                self._datagram_socket(link.local, link.remote).send(data, link.remote, source)
            except (OSError, Unreachable):
                return False
            return True
        connection = self._connections.get(link.connection)
        if connection is None or not connection.open:
            return False
        connection.send(data)
        return True

    # --- datagrams ---

    def _datagram_received(self, number: int, data: bytes, host: str, remote: HostPort) -> None:
        self._received_count += 1
        port = self._datagrams[number].port
        self._received(data, Link("udp", (self._advertised or host, port), remote))

    def _datagram_socket(self, local: HostPort, remote: HostPort) -> DatagramSocket:
        """Return the socket that has a local address, or else the first that can reach the other; raise Unreachable."""
        family = socket.AF_INET6 if ":" in remote[0] else socket.AF_INET
        able = [each for each in self._datagrams if each.family == family]
        if not able:
            raise Unreachable(f"no UDP address of ours reaches {remote[0]}")
        same_port = [each for each in able if each.port == local[1]]
        exact = [each for each in same_port if each.wildcard or each.host == local[0]]
        return next(itertools.chain(exact, same_port, able))

    def _udp_link(self, remote: HostPort) -> Link | None:
        try:
            used = self._datagram_socket(("", 0), remote)
            host = self._advertised or (local_address(remote) if used.wildcard else used.host)
        except (OSError, Unreachable):
            return None
        return Link("udp", (host, used.port), remote)

    async def _resolved(self, hop: Hop) -> Link:
        found = await self._loop.getaddrinfo(hop.host, hop.port, type=socket.SOCK_DGRAM)
        for *_, remote in found:
            link = self._udp_link((str(remote[0]), int(remote[1])))
            if link is not None:
                return link
        raise Unreachable(f"no UDP address of ours reaches {hop.host}")

    # --- streams ---

    async def _connected(self, hop: Hop) -> Link:
        """Return a connection; who asks while another already connects shares it."""
        task = self._connecting.get(hop)
        if task is None:
            task = self._connecting[hop] = self._loop.create_task(self._connect(hop))
            task.add_done_callback(lambda _: self._connecting.pop(hop, None))
        return await asyncio.shield(task)

    async def _connect(self, hop: Hop) -> Link:
        secure = hop.transport == "tls"
        if secure and self._context is None:
            self._context = await asyncio.to_thread(client_context, self._config.tls)
        connection = StreamConnection(self, hop.transport, self._loop.time, accepted_from=None)
        await self._loop.create_connection(
            lambda: connection,
            hop.host,
            hop.port,
            ssl=self._context if secure else None,
            server_hostname=hop.host if secure else None,
            ssl_handshake_timeout=CONNECTING if secure else None,
        )
        if connection.link is None:
            raise ConnectionResetError
        self._by_peer[hop] = connection.link.connection
        return connection.link

    def _make(self, kind: Transport, host: str) -> StreamConnection:
        return StreamConnection(self, kind, self._loop.time, accepted_from=host)

    def _make_room(self) -> None:
        """Close the connection that has been silent for the longest, of those that never sent a message."""
        silent = [each for each in self._connections.values() if not each.proven]
        if silent:
            first = min(silent, key=lambda each: each.heard)
            first.cut()
            self.closed(first)

    # --- of a connection ---

    def opened(self, connection: StreamConnection, remote: HostPort) -> Link:
        """Take note of it, and return the link that it is."""
        kind, local = connection.kind, connection.local
        listeners = self._listeners[kind]
        port = next(
            (each.port for each in listeners if each.host == local[0]), listeners[0].port if listeners else local[1]
        )
        link = Link(kind, (self._advertised or local[0], port), remote, next(self._numbers))
        self._connections[link.connection] = connection
        self._by_peer[Hop(kind, *remote)] = link.connection
        return link

    def received(self, connection: StreamConnection, data: bytes) -> None:
        """Take a whole message."""
        self._received_count += 1
        if connection.link is not None:
            self._received(data, connection.link)

    def closed(self, connection: StreamConnection) -> None:
        """Take note that it is no more. Twice does no harm."""
        host, connection.accepted_from = connection.accepted_from, None
        if host is not None:
            self._places.leave(host)
        if connection.link is not None and self._connections.pop(connection.link.connection, None) is not None:
            self._by_peer = {hop: each for hop, each in self._by_peer.items() if each != connection.link.connection}


def _is_address(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
