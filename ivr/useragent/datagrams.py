"""A UDP socket for SIP (RFC 3261 section 18)."""

import asyncio
import ipaddress
import socket
import struct
from collections.abc import Callable

from ivr.sip.media_plan import HostPort
from ivr.useragent.configuration import ANY_ADDRESS, ListenAddress

MOST_AT_ONCE = 64
"Datagrams that are taken before other work has its turn."
_LARGEST = 65_535
_BUFFER = 1024 * 1024
"Bytes that the system keeps for us: a burst of some hundred INVITEs."
_IP_PKTINFO = getattr(socket, "IP_PKTINFO", 8)  # Linux's number; Python names it from 3.12 on

Received = Callable[[bytes, str, HostPort], None]
"A datagram, the address of ours that it was sent to, and who sent it."


class DatagramSocket:
    """Bound and read; `received` is called in the loop.

    At a wildcard address each datagram is asked which address it was sent to, and an answer leaves from there: a
    machine with several addresses must not answer from another one than it was asked at (RFC 3581 section 4).
    """

    def __init__(self, address: ListenAddress, received: Received) -> None:
        """Raise OSError if the address cannot be had."""
        self._received = received
        self._loop = asyncio.get_running_loop()
        self.sock = _bound(address)
        self.family = self.sock.family
        self.host, self.port = self.sock.getsockname()[:2]
        self.wildcard = self.host in ANY_ADDRESS
        if self.wildcard and self.family == socket.AF_INET6:
            self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        elif self.wildcard:
            self.sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        self._loop.add_reader(self.sock, self._read)

    def send(self, data: bytes, remote: HostPort, source: str) -> None:
        """Send, from `source` if this socket has all addresses; raise OSError if it cannot be sent."""
        # What does not fit into the system's buffer is lost, as on any way from here: SIP repeats it.
        try:
            if self.wildcard and source:
                self.sock.sendmsg([data], _information(self.family, source), 0, remote)
            else:
                self.sock.sendto(data, remote)
        except BlockingIOError:
            return

    def close(self) -> None:
        """Close it. Twice does no harm."""
        if self.sock.fileno() >= 0:
            self._loop.remove_reader(self.sock)
            self.sock.close()

    def _read(self) -> None:
        for _ in range(MOST_AT_ONCE):
            try:
                if self.wildcard:
                    data, ancillary, _, source = self.sock.recvmsg(_LARGEST, 128)
                    host = _destination(ancillary)
                else:
                    data, source = self.sock.recvfrom(_LARGEST)
                    host = self.host
            except BlockingIOError:
                return
            except OSError:  # what an earlier datagram of ours met on its way (ICMP); its sender notices the silence
                continue
            self._received(data, host, source[:2])


def local_address(remote: HostPort) -> str:
    """Return the address of this machine that leads to another; raise OSError if none does. Nothing is sent."""
    family = socket.AF_INET6 if ":" in remote[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((remote[0], remote[1] or 5060))
        return str(probe.getsockname()[0])


def _bound(address: ListenAddress) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((address.host, address.port))
    except OSError:
        made.close()
        raise
    return made


def _destination(ancillary: list[tuple[int, int, bytes]]) -> str:
    """Return the address that a datagram was sent to (ip(7): struct in_pktinfo, ipv6(7): struct in6_pktinfo)."""
    for level, kind, data in ancillary:
        if level == socket.IPPROTO_IP and kind == _IP_PKTINFO:
            return str(ipaddress.IPv4Address(data[8:12]))
        if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
            return str(ipaddress.IPv6Address(data[:16]))
    return ""


def _information(family: int, source: str) -> list[tuple[int, int, bytes]]:
    packed = ipaddress.ip_address(source.partition("%")[0]).packed
    if family == socket.AF_INET6:
        return [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, packed + struct.pack("@I", 0))]
    return [(socket.IPPROTO_IP, _IP_PKTINFO, struct.pack("@I", 0) + packed + bytes(4))]
