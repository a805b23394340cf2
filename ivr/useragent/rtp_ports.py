"""UDP ports for sound: RTP on an even port, RTCP on the next (RFC 3550 section 11)."""

import errno
import random
import socket
from collections.abc import Iterator
from ipaddress import ip_address

from msgspec import Struct

from ivr.errors import IvrError
from ivr.useragent.configuration import PortRange

RECEIVE_BUFFER = 64 * 1024
"Bytes that the system keeps for one call: some 300 packets, more than a stall of the loop lets pile up."


class NoFreePorts(IvrError):
    """Every pair of the range is taken."""


class PortPair(Struct, frozen=True):
    """Two bound sockets, neither of which blocks."""

    rtp: socket.socket
    rtcp: socket.socket
    host: str
    port: int
    "The even one."

    def close(self) -> None:
        """Return both ports to the system."""
        self.rtp.close()
        self.rtcp.close()


class RtpPorts:
    """Hands out pairs of a range. Each search begins at a random place, so that ports are not easily guessed."""

    def __init__(self, ports: PortRange) -> None:
        self._first = ports.first + ports.first % 2
        self._pairs = max(0, (ports.last - self._first + 1) // 2)
        self._chance = random.SystemRandom()

    def bind(self, host: str) -> PortPair:
        """Bind a pair at an address of this machine; raise NoFreePorts, or OSError if the address cannot be had."""
        for port in self._candidates():
            pair = _bound(host, port)
            if pair is not None:
                return pair
        raise NoFreePorts(f"all of the {self._pairs} pairs of ports for sound are taken")

    def _candidates(self) -> Iterator[int]:
        start = self._chance.randrange(self._pairs) if self._pairs else 0
        for number in range(self._pairs):
            yield self._first + 2 * ((start + number) % self._pairs)


def _bound(host: str, port: int) -> PortPair | None:
    """Bind both ports; None: another has one of them."""
    family = socket.AF_INET6 if ip_address(host.partition("%")[0]).version == 6 else socket.AF_INET
    rtp = _socket(family, host, port)
    if rtp is None:
        return None
    try:
        rtcp = _socket(family, host, port + 1)
    except OSError:
        rtp.close()
        raise
    if rtcp is None:
        rtp.close()
        return None
    return PortPair(rtp, rtcp, host, port)


def _socket(family: socket.AddressFamily, host: str, port: int) -> socket.socket | None:
    made = socket.socket(family, socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((host, port))
    except OSError as error:
        made.close()
        if error.errno == errno.EADDRINUSE:
            return None
        raise
    return made
