"""Where the other side is (symmetric RTP, RFC 4961): where its sound comes from, not where it says that it is.

The address of the first good packet counts, and its port may move. A stranger who was first loses the call to the
address that the other side named, as soon as anything comes from there. Keys may come from a port of their own, so that
only sound moves the port.
"""

from typing import Final

from ivr.sip.media_plan import HostPort

_NOWHERE: Final = ("0.0.0.0", "::")  # noqa: S104  # addresses that are compared, not bound


def is_nowhere(address: HostPort) -> bool:
    """Return whether an address is that of a telephone on hold (RFC 3264 8.4), where nothing can be sent to."""
    return address[0] in _NOWHERE


class Remote:
    """The other side's address for RTP."""

    def __init__(self, declared: HostPort) -> None:
        self.destination = declared
        "Where to send to."
        self.host: str | None = None
        "Where packets come from; None: none came."
        self._declared = declared

    def declare(self, declared: HostPort) -> None:
        """Take what a later offer or answer says; if it is something new, everything begins anew."""
        if declared != self._declared:
            self.destination = self._declared = declared
            self.host = None

    def may_be(self, host: str) -> bool:
        """Return whether a packet from there may be the other side's, if it is good."""
        return self.host is None or host in (self.host, self._declared[0])

    def latch(self, source: HostPort, *, moves: bool) -> None:
        """Take the source of a good packet, from where it `may_be`; `moves`: and send to its port."""
        if moves or source[0] != self.host:
            self.destination = source
        self.host = source[0]
