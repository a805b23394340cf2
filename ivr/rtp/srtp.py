"""SRTP and SRTCP (RFC 3711) by libsrtp, with the keys that SDP agreed on (RFC 4568).

What was not made with the right key, or comes again, is refused before anything of it is read.
"""

from collections.abc import Callable
from typing import Final

import pylibsrtp

from ivr.sip.media_plan import SrtpKeys

_SUITES: Final = {
    "AES_CM_128_HMAC_SHA1_80": pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    "AES_CM_128_HMAC_SHA1_32": pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
}
_RTP_SOURCE: Final = slice(8, 12)
_RTCP_SOURCE: Final = slice(4, 8)
_MOST_SOURCES: Final = 32
"libsrtp keeps a state for each source that has the key, for as long as the call lasts."


class SrtpContext:
    """The keys of one call, at work."""

    def __init__(self, keys: SrtpKeys) -> None:
        """Raise KeyError for a suite that is not ours, ValueError for a key that is too short."""
        self._keys = keys
        self._local = _session(keys.suite, keys.local, pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
        self._remote = _session(keys.suite, keys.remote, pylibsrtp.Policy.SSRC_ANY_INBOUND)
        self._sources: set[bytes] = set()

    def use(self, keys: SrtpKeys) -> None:
        """Go on with other keys; raises as `__init__` does.

        A direction whose key stays has to stay as it is: both sides count its rounds of 65,536 packets (RFC 3711
        3.3.1), and no packet tells them.
        """
        before, self._keys = self._keys, keys
        if (keys.suite, keys.local) != (before.suite, before.local):
            self._local = _session(keys.suite, keys.local, pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
        if (keys.suite, keys.remote) != (before.suite, before.remote):
            self._remote = _session(keys.suite, keys.remote, pylibsrtp.Policy.SSRC_ANY_INBOUND)
            self._sources.clear()

    def protect(self, packet: bytes) -> bytes:
        """Return an RTP packet of ours, encrypted."""
        return self._local.protect(packet)

    def protect_rtcp(self, packet: bytes) -> bytes:
        """Return an RTCP packet of ours, encrypted."""
        return self._local.protect_rtcp(packet)

    def unprotect(self, datagram: bytes) -> bytes | None:
        """Return the RTP packet of a datagram; None: it was not made with the key, or comes again."""
        return self._opened(self._remote.unprotect, datagram, datagram[_RTP_SOURCE])

    def unprotect_rtcp(self, datagram: bytes) -> bytes | None:
        """Return the RTCP packet of a datagram; None: it was not made with the key, or comes again."""
        return self._opened(self._remote.unprotect_rtcp, datagram, datagram[_RTCP_SOURCE])

    def _opened(self, unprotect: Callable[[bytes], bytes], datagram: bytes, source: bytes) -> bytes | None:
        known = source in self._sources
        if not known and len(self._sources) >= _MOST_SOURCES:
            return None
        try:
            packet = unprotect(datagram)
        except (pylibsrtp.Error, ValueError):  # the latter: it is longer than any packet
            return None
        if not known:
            self._sources.add(source)
        return packet


def _session(suite: str, key: bytes, direction: int) -> pylibsrtp.Session:
    return pylibsrtp.Session(pylibsrtp.Policy(key, direction, srtp_profile=_SUITES[suite]))
