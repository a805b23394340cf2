"""Where the other side is (symmetric RTP, RFC 4961): where its sound comes from, not where it says that it is.

The address of the first good packet counts, and its port may move. A stranger who was first loses the call as soon as
anything comes from where its signalling comes from, and both lose it to the address that the other side named. Keys may
come from a port of their own, so that only sound moves the port.

Nobody but the caller may be made a target (the voice hammer of RFC 5245 18.5.1): who calls from a forged address can
name any address for the sound, and one datagram would buy half a minute of it. So before the call is confirmed, which
takes an answer that went to where the call came from, sound goes nowhere else; and never to this machine for somebody
who is on another one.
"""

from ipaddress import ip_address
from typing import Final

from ivr.sip.media_plan import HostPort

_NOWHERE: Final = ("0.0.0.0", "::")  # noqa: S104  # addresses that are compared, not bound


def is_nowhere(address: HostPort) -> bool:
    """Return whether an address is that of a telephone on hold (RFC 3264 8.4), where nothing can be sent to."""
    return address[0] in _NOWHERE


class Remote:
    """The other side's address for RTP."""

    def __init__(self, declared: HostPort, peer: str | None = None) -> None:
        """`peer` is the host that a call comes from; None: it is one that we place, and needs no confirmation."""
        self.destination = declared
        "Where to send to."
        self.host: str | None = None
        "Where packets come from; None: none came."
        self.waits = False
        "Nothing may be sent to the destination before the call is confirmed."
        self.nowhere = False
        "Nothing can be sent to the destination, or may ever be."
        self._declared = declared
        self._peer = peer
        self._confirmed = peer is None
        self._moved()

    def declare(self, declared: HostPort) -> None:
        """Take what a later offer or answer says; if it is something new, everything begins anew."""
        if declared != self._declared:
            self.destination = self._declared = declared
            self.host = None
            self._moved()

    def confirm(self) -> None:
        """Take it that the caller has got our answer."""
        self._confirmed = True
        self._moved()

    def may_be(self, host: str) -> bool:
        """Return whether a packet from there may be the other side's, if it is good."""
        return self.host is None or host == self.host or self._rank(host) > self._rank(self.host)

    def latch(self, source: HostPort, *, moves: bool) -> None:
        """Take the source of a good packet, from where it `may_be`; `moves`: and send to its port."""
        if moves or source[0] != self.host:
            self.destination = source
        self.host = source[0]
        self._moved()

    def takes(self, host: str) -> bool:
        """Return whether something may be sent to a host now."""
        if is_nowhere((host, 0)) or (_is_here(host) and not _is_here(self._peer or host)):
            return False
        return self._confirmed or host == self._peer

    def _rank(self, host: str) -> int:
        """Return how sure it is that a host is the other side's."""
        return 2 if host == self._declared[0] else int(host == self._peer)

    def _moved(self) -> None:
        host = self.destination[0]
        self.waits = not self._confirmed and host != self._peer
        self.nowhere = not self.waits and not self.takes(host)


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:  # an address with a zone is one of a network
        return False
