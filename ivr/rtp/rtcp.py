"""RTCP (RFC 3550 6): reports on what was sent and what came, who sends, and goodbye; datagrams and back.

A datagram is a chain of packets, of which the first is a report and one says who sends (6.1). Types that are not ours
are skipped.
"""

from struct import Struct as Layout
from typing import Final, TypeAlias

from msgspec import Struct

_HEADER: Final = Layout("!BBH")
_SOURCE: Final = Layout("!I")
_SENDER: Final = Layout("!QIII")
_BLOCK: Final = Layout("!IB3sIIII")
_VERSION: Final = 0x80
_PADDING: Final = 0x20
_COUNT: Final = 0x1F
_SR, _RR, _SDES, _BYE = 200, 201, 202, 203
_CNAME: Final = 1
_LONGEST_TEXT: Final = 255


class ReportBlock(Struct, frozen=True):
    """What a receiver says of one source (RFC 3550 6.4.1)."""

    source: int
    fraction_lost: int
    "Of 256, since the last report."
    lost: int
    "Packets; below zero: some came twice."
    highest: int
    "The highest sequence number, with its rounds."
    jitter: int
    "Units of the clock."
    last_report: int
    "The middle of the time of the last sender report, 1/65,536 s; 0: none came."
    delay: int
    "Since it came, 1/65,536 s."


class SenderReport(Struct, frozen=True):
    """What a source sent (6.4.1), and how it received others."""

    source: int
    time: int
    "1/2**32 s, of a clock that may be anything (6.4.1)."
    timestamp: int
    "The same moment, in RTP's clock."
    packets: int
    octets: int
    blocks: tuple[ReportBlock, ...] = ()


class ReceiverReport(Struct, frozen=True):
    """How one that sends nothing received others (6.4.2)."""

    source: int
    blocks: tuple[ReportBlock, ...] = ()


class SourceDescription(Struct, frozen=True):
    """Who sends (6.5): the canonical name of a source."""

    source: int
    name: str


class Goodbye(Struct, frozen=True):
    """A source that sends no more (6.6)."""

    source: int


RtcpPacket: TypeAlias = SenderReport | ReceiverReport | SourceDescription | Goodbye


def parse_compound(datagram: bytes) -> tuple[RtcpPacket, ...] | None:
    """Return the packets of a datagram, a description or goodbye for each source; None: it is damaged (A.2)."""
    packets: list[RtcpPacket] = []
    start = 0
    while start < len(datagram):
        if len(datagram) < start + _HEADER.size:
            return None
        first, kind, words = _HEADER.unpack_from(datagram, start)
        end = start + 4 * words + 4
        if first >> 6 != 2 or end > len(datagram):
            return None
        body = datagram[start + _HEADER.size : end]
        if first & _PADDING:
            body = body[: -body[-1]] if body and 0 < body[-1] <= len(body) else b""
        found = _packets(kind, first & _COUNT, body)
        if found is None:
            return None
        packets += found
        start = end
    return tuple(packets)


def encode_compound(packets: tuple[RtcpPacket, ...]) -> bytes:
    """Return the datagram of some packets."""
    return b"".join(_encoded(packet) for packet in packets)


def _packets(kind: int, count: int, body: bytes) -> list[RtcpPacket] | None:
    if kind == _SR:
        return _report(count, body, _SOURCE.size + _SENDER.size)
    if kind == _RR:
        return _report(count, body, _SOURCE.size)
    if kind == _SDES:
        return _descriptions(count, body)
    return _goodbyes(count, body) if kind == _BYE else []


def _report(count: int, body: bytes, start: int) -> list[RtcpPacket] | None:
    if len(body) < start + count * _BLOCK.size:
        return None
    (source,) = _SOURCE.unpack_from(body)
    blocks = tuple(_block(body, start + index * _BLOCK.size) for index in range(count))
    if start == _SOURCE.size:
        return [ReceiverReport(source, blocks)]
    time, timestamp, packets, octets = _SENDER.unpack_from(body, _SOURCE.size)
    return [SenderReport(source, time, timestamp, packets, octets, blocks)]


def _block(body: bytes, start: int) -> ReportBlock:
    source, fraction, lost, *rest = _BLOCK.unpack_from(body, start)
    return ReportBlock(source, fraction, int.from_bytes(lost, "big", signed=True), *rest)


def _descriptions(count: int, body: bytes) -> list[RtcpPacket] | None:
    """Read chunks: a source, then items, each a type, a length and a text, up to a zero; filled to four bytes."""
    found: list[RtcpPacket] = []
    place = 0
    for _ in range(count):
        if len(body) < place + _SOURCE.size:
            return None
        (source,) = _SOURCE.unpack_from(body, place)
        place += _SOURCE.size
        while place < len(body) and (kind := body[place]):
            if len(body) < place + 2 or len(body) < place + 2 + body[place + 1]:
                return None
            text = body[place + 2 : place + 2 + body[place + 1]]
            if kind == _CNAME:
                found.append(SourceDescription(source, text.decode("utf-8", "replace")))
            place += 2 + len(text)
        place += 4 - place % 4
    return found


def _goodbyes(count: int, body: bytes) -> list[RtcpPacket] | None:
    if len(body) < count * _SOURCE.size:
        return None
    return [Goodbye(_SOURCE.unpack_from(body, index * _SOURCE.size)[0]) for index in range(count)]


def _encoded(packet: RtcpPacket) -> bytes:
    source = _SOURCE.pack(packet.source)
    match packet:
        case SenderReport(time=time, timestamp=timestamp, packets=packets, octets=octets, blocks=blocks):
            sender = _SENDER.pack(time % (1 << 64), timestamp, packets % (1 << 32), octets % (1 << 32))
            return _whole(_SR, len(blocks), source + sender + b"".join(map(_encoded_block, blocks)))
        case ReceiverReport(blocks=blocks):
            return _whole(_RR, len(blocks), source + b"".join(map(_encoded_block, blocks)))
        case SourceDescription(name=name):
            text = name.encode()[:_LONGEST_TEXT]
            chunk = source + bytes((_CNAME, len(text))) + text
            return _whole(_SDES, 1, chunk + bytes(4 - len(chunk) % 4))
        case Goodbye():
            return _whole(_BYE, 1, source)


def _encoded_block(block: ReportBlock) -> bytes:
    lost = block.lost.to_bytes(3, "big", signed=True)
    return _BLOCK.pack(
        block.source, block.fraction_lost, lost, block.highest, block.jitter, block.last_report, block.delay
    )


def _whole(kind: int, count: int, body: bytes) -> bytes:
    return _HEADER.pack(_VERSION | count, kind, len(body) // 4) + body
