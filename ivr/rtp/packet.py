"""RTP packets (RFC 3550 5.1), out of datagrams and into them."""

from struct import Struct as Layout
from typing import Final

from msgspec import Struct

HEADER_BYTES: Final = 12
HEADER = Layout("!BBHII")
_EXTENSION = Layout("!HH")
PLAIN: Final = 0x80
"Version 2, no padding, no extension, no contributing source: what nearly every packet begins with."
_PADDING: Final = 0x20
_EXTENDED: Final = 0x10
_CONTRIBUTORS: Final = 0x0F
MARKER: Final = 0x80
RTCP_TYPES: Final = range(192, 224)
"Second bytes of datagrams that are RTCP, where both share a port (RFC 5761 4)."


class RtpPacket(Struct, frozen=True, gc=False):
    """One packet."""

    payload_type: int
    sequence: int
    timestamp: int
    source: int
    "The synchronization source, SSRC."
    payload: bytes
    marker: bool = False


def parse(datagram: bytes) -> RtpPacket | None:
    """Return the packet of a datagram; None: it is none. Contributing sources, extension and padding are left out."""
    if len(datagram) < HEADER_BYTES:
        return None
    first, second, sequence, timestamp, source = HEADER.unpack_from(datagram)
    payload = datagram[HEADER_BYTES:] if first == PLAIN else _payload(datagram, first)
    if payload is None:
        return None
    return RtpPacket(second & 0x7F, sequence, timestamp, source, payload, second >= MARKER)


def encode(packet: RtpPacket) -> bytes:
    """Return the datagram of a packet."""
    second = packet.payload_type | MARKER if packet.marker else packet.payload_type
    return HEADER.pack(PLAIN, second, packet.sequence, packet.timestamp, packet.source) + packet.payload


def _payload(datagram: bytes, first: int) -> bytes | None:
    """Return what is left of a packet whose header is longer, or which is padded; None: it ends before."""
    if first >> 6 != 2:
        return None
    start, end = HEADER_BYTES + 4 * (first & _CONTRIBUTORS), len(datagram)
    if first & _EXTENDED:
        if end < start + _EXTENSION.size:
            return None
        _profile, words = _EXTENSION.unpack_from(datagram, start)
        start += _EXTENSION.size + 4 * words
    if first & _PADDING:
        padding = datagram[-1]
        if not padding:  # it counts itself (RFC 3550 5.1), so zero is no number of bytes
            return None
        end -= padding
    return datagram[start:end] if start <= end else None
