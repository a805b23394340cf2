"""What a receiver knows of a source (RFC 3550 A.1, A.3 and A.8): packets expected and lost, and jitter."""

from typing import Final

from ivr.rtp.arithmetic import FURTHEST, LATEST, SEQUENCES, units_between
from ivr.rtp.rtcp import ReportBlock

_MOST_LOST: Final = 0x7FFFFF
"The number of a report has 24 bits, with a sign."


class Reception:
    """The packets of one synchronization source, in the order in which they come."""

    def __init__(self, source: int, clock: int) -> None:
        self.source = source
        self.received = 0
        self._clock = clock
        self._jitter = 0.0
        "Mean deviation of the time between packets, in units of the clock."
        self._expected = 0
        self._highest = 0
        "The highest sequence number; each round of 65,536 adds to it."
        self._timestamp: int | None = None
        self._at = 0.0
        self._reported_expected = 0
        self._reported_received = 0

    @property
    def jitter(self) -> float:
        """Seconds."""
        return self._jitter / self._clock

    @property
    def lost(self) -> int:
        """Packets that have not come, so far."""
        return max(self._expected - self.received, 0)

    @property
    def expected(self) -> int:
        """Packets that were sent, as far as the numbers of those that came tell."""
        return self._expected

    def count(self, sequence: int) -> None:
        """Take any packet of the source."""
        self.received += 1
        ahead = (sequence - self._highest) % SEQUENCES
        if ahead == 1 or self.received == 1:
            self._expected += 1
            self._highest += ahead
        elif ahead < FURTHEST:
            self._expected += ahead
            self._highest += ahead
        elif ahead < LATEST:  # the source has begun anew: what is between was never sent
            self._expected += 1
            self._highest += ahead

    def time(self, timestamp: int, now: float) -> None:
        """Take the time of a packet of sound; keys repeat theirs (RFC 3550 A.8)."""
        if self._timestamp is not None:
            deviation = abs((now - self._at) * self._clock - units_between(self._timestamp, timestamp))
            self._jitter += (deviation - self._jitter) / 16
        self._timestamp, self._at = timestamp, now

    def report(self, *, last_report: int, delay: int) -> ReportBlock:
        """Return the block about this source; the loss is that since the last one."""
        expected = self._expected - self._reported_expected
        received = self.received - self._reported_received
        self._reported_expected, self._reported_received = self._expected, self.received
        lost = max(expected - received, 0)
        return ReportBlock(
            source=self.source,
            fraction_lost=lost * 256 // expected if lost else 0,
            lost=max(min(self._expected - self.received, _MOST_LOST), -_MOST_LOST),
            highest=self._highest % (1 << 32),
            jitter=min(int(self._jitter), 0xFFFFFFFF),
            last_report=last_report,
            delay=delay,
        )
