"""Numbers of one stream, for metrics, logs and the call's own facts."""

from msgspec import Struct


class StreamStatistics(Struct, frozen=True):
    """How a stream went so far. All but the last four are packets."""

    sent: int
    received: int
    "Of the other side, and good."
    expected: int
    "What it sent, as far as those that came tell."
    lost: int
    late: int
    "Too late, or twice."
    reordered: int
    foreign: int
    "From an address that is not the other side's."
    refused: int
    "With a wrong key, or repeated by a stranger (SRTP)."
    unexpected: int
    "No RTP, or of a type or a source that should not come."
    undecodable: int
    "With a payload that its codec refused."
    excess: int
    "With more sound than time had passed."
    reports: int
    "RTCP that came."
    keys: int
    jitter: float
    "Seconds."
    round_trip: float | None
    "Seconds; None: the other side does not tell."
    remote_loss: float | None
    "The part of our packets that the other side misses; None: it does not tell."

    @property
    def loss(self) -> float:
        """The part of the other side's packets that did not come, 0 to 1."""
        return self.lost / self.expected if self.expected else 0.0
