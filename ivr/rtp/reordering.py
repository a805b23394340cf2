"""Packets in the order of their sequence numbers, although a network swaps, repeats and loses them.

| packet that comes | then |
| --- | --- |
| the next one | passes at once, with those that waited for it |
| one that comes up to 3,000 numbers later | waits for those between, 60 ms at most |
| one of the last 100 numbers | too late, or a repeat: dropped; after half a second without packets like any other |
| any other | dropped, unless the one after it follows: the source has begun anew (RFC 3550 A.1) |

Memory is bounded: 32 packets wait at most.
"""

from collections.abc import Sequence
from typing import Final

from ivr.rtp.arithmetic import FURTHEST, LATEST, SEQUENCES, sequence_after
from ivr.rtp.packet import RtpPacket

PATIENCE: Final = 0.06
"Seconds that a packet waits for the ones before it."
_MOST_WAITING: Final = 32
_PAUSE: Final = 0.5
"Seconds without a packet after which none is late any more: some sources play a file again with the same numbers."


class Reordering:
    """The packets of one source."""

    def __init__(self) -> None:
        self.late = 0
        "Packets that came too late, or twice."
        self.reordered = 0
        "Packets that came after a later one, and in time."
        self._next: int | None = None
        self._waiting: dict[int, tuple[RtpPacket, float]] = {}
        "By sequence number, with the time at which each came; the first has waited longest."
        self._at = 0.0
        "When a packet came in order."
        self._jumped: RtpPacket | None = None
        "A packet from elsewhere, which counts if the next one follows it."

    def put(self, packet: RtpPacket, now: float) -> Sequence[RtpPacket]:
        """Take a packet; return those whose turn it is. `now` is in seconds, and never goes back."""
        sequence = packet.sequence
        if sequence == self._next and not self._waiting:
            self._next = (sequence + 1) % SEQUENCES
            self._at = now
            return (packet,)
        return self._unusual(packet, now)

    def overdue(self, now: float) -> Sequence[RtpPacket]:
        """Return the packets that have waited long enough."""
        return self._released(now) if self._waiting else ()

    def restart(self) -> Sequence[RtpPacket]:
        """Take another source from now on; return what still waited of the former one."""
        rest = self._rest()
        self._next = self._jumped = None
        return rest

    def _unusual(self, packet: RtpPacket, now: float) -> Sequence[RtpPacket]:
        if self._next is None:
            self._next, self._at = sequence_after(packet.sequence), now
            return (packet,)
        ahead = (packet.sequence - self._next) % SEQUENCES
        if (ahead >= LATEST and now - self._at < _PAUSE) or packet.sequence in self._waiting:
            self.late += 1
            return self.overdue(now)
        if ahead >= FURTHEST:
            return self._from_elsewhere(packet, now)
        self._at = now
        if any((waiting - self._next) % SEQUENCES > ahead for waiting in self._waiting):
            self.reordered += 1
        self._waiting[packet.sequence] = (packet, now)
        return self._released(now)

    def _released(self, now: float) -> list[RtpPacket]:
        released = []
        while self._waiting and self._next is not None:
            if found := self._waiting.pop(self._next, None):
                released.append(found[0])
                self._next = sequence_after(self._next)
                continue
            _, since = next(iter(self._waiting.values()))
            if now < since + PATIENCE and len(self._waiting) <= _MOST_WAITING:
                break
            self._next = self._nearest(self._next)
        return released

    def _nearest(self, sequence: int) -> int:
        return min(self._waiting, key=lambda waiting: (waiting - sequence) % SEQUENCES)

    def _from_elsewhere(self, packet: RtpPacket, now: float) -> Sequence[RtpPacket]:
        before, self._jumped = self._jumped, packet
        if before is None or packet.sequence != sequence_after(before.sequence):
            return ()
        rest = self._rest()
        self._jumped = None
        self._next, self._at = sequence_after(packet.sequence), now
        return [*rest, before, packet]

    def _rest(self) -> list[RtpPacket]:
        first = self._next or 0
        numbers = sorted(self._waiting, key=lambda sequence: (sequence - first) % SEQUENCES)
        rest = [self._waiting[number][0] for number in numbers]
        self._waiting.clear()
        return rest
