"""Reports (RTCP) of one stream: what is told each five seconds, and what the other side tells (RFC 3550 6)."""

from collections.abc import Sequence
from typing import Final

from ivr.rtp.outgoing import Outgoing
from ivr.rtp.reception import Reception
from ivr.rtp.rtcp import (
    Goodbye,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SenderReport,
    SourceDescription,
    encode_compound,
    parse_compound,
)

INTERVAL: Final = 5.0
"Seconds between reports (RFC 3550 6.2)."
_SHORT: Final = 1 << 16
"Parts of a second in the middle of a time."
_FULL: Final = 1 << 32
_LONGEST_DELAY: Final = 60.0
"Seconds; what a report claims beyond is no round trip."


class Reporting:
    """What both sides say of one stream."""

    def __init__(self, now: float) -> None:
        self.round_trip: float | None = None
        "Seconds; None: not known."
        self.remote_loss: float | None = None
        "The part of our packets that the other side missed lately; None: it has not said."
        self.received = 0
        "Datagrams."
        self._begun = now
        self._due = now + INTERVAL
        self._sent_before = 0
        self._heard: tuple[int, float] | None = None
        "The middle of the time of the last sender report, and when it came."

    def due(self, now: float) -> bool:
        """Return whether it is time for a report."""
        return now >= self._due

    def report(self, outgoing: Outgoing, reception: Reception | None, now: float) -> bytes:
        """Return a report: a sender's if anything was sent since the last one, else a receiver's (6.4)."""
        self._due += INTERVAL
        if self._due <= now:  # nobody asked for a while
            self._due = now + INTERVAL
        return encode_compound((*self._reports(outgoing, reception, now), self._description(outgoing)))

    def goodbye(self, outgoing: Outgoing, reception: Reception | None, now: float) -> bytes:
        """Return the last report, with which the stream ends (6.6)."""
        packets = (*self._reports(outgoing, reception, now), self._description(outgoing), Goodbye(outgoing.source))
        return encode_compound(packets)

    def receive(self, datagram: bytes, outgoing: Outgoing, now: float) -> bool:
        """Take what the other side says; return whether it can be read."""
        packets = parse_compound(datagram)
        if packets is None:
            return False
        self.received += 1
        for packet in packets:
            if isinstance(packet, SenderReport):
                self._heard = (packet.time >> 16 & 0xFFFFFFFF, now)
            if isinstance(packet, SenderReport | ReceiverReport):
                self._take(packet.blocks, outgoing, now)
        return True

    def _take(self, blocks: Sequence[ReportBlock], outgoing: Outgoing, now: float) -> None:
        for block in blocks:
            if block.source != outgoing.source:
                continue
            self.remote_loss = block.fraction_lost / 256
            if block.last_report:  # A - LSR - DLSR (6.4.1), modulo 2**32
                trip = (self._middle(now) - block.last_report - block.delay) % _FULL / _SHORT
                self.round_trip = trip if trip < _LONGEST_DELAY else self.round_trip

    def _reports(self, outgoing: Outgoing, reception: Reception | None, now: float) -> tuple[RtcpPacket, ...]:
        blocks = () if reception is None else (self._block(reception, now),)
        sent, self._sent_before = outgoing.packets - self._sent_before, outgoing.packets
        if not sent:
            return (ReceiverReport(outgoing.source, blocks),)
        time = int((now - self._begun) * _FULL)  # time since the beginning is allowed (6.4.1)
        return (SenderReport(outgoing.source, time, outgoing.timestamp, outgoing.packets, outgoing.octets, blocks),)

    def _block(self, reception: Reception, now: float) -> ReportBlock:
        if self._heard is None:
            return reception.report(last_report=0, delay=0)
        last_report, at = self._heard
        return reception.report(last_report=last_report, delay=min(int((now - at) * _SHORT), 0xFFFFFFFF))

    @staticmethod
    def _description(outgoing: Outgoing) -> SourceDescription:
        # A name that says nothing of this machine, for one call (RFC 7022 4.2).
        return SourceDescription(outgoing.source, f"{outgoing.source:08x}")

    def _middle(self, now: float) -> int:
        return int((now - self._begun) * _SHORT) & 0xFFFFFFFF
