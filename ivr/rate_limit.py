"""How often each of many senders may do something: a token bucket for each, in a table that cannot grow."""

from collections import OrderedDict

from msgspec import Struct


class _Bucket(Struct):
    tokens: float
    at: float
    "When there were so many."


class RateLimit:
    """Lets each sender through `burst` times at once, and `per_second` times a second in the long run.

    A bucket that has refilled is as good as none, so it makes room for another. Where none has, a sender that is not in
    the table is not let through: a flood from many addresses must not reset the buckets of the others.
    """

    def __init__(self, per_second: float, burst: float, *, most: int = 4096) -> None:
        """`most`: senders that are remembered."""
        self._per_second = per_second
        self._burst = burst
        self._most = most
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        "The one that was used last comes last."

    def __len__(self) -> int:
        """Return how many senders are remembered."""
        return len(self._buckets)

    def take(self, sender: str, now: float) -> bool:
        """Return whether the sender may do it now; what it may not costs it nothing."""
        bucket = self._buckets.get(sender)
        if bucket is None:
            bucket = self._added(sender, now)
            if bucket is None:
                return False
        self._buckets.move_to_end(sender)
        bucket.tokens, bucket.at = self._filled(bucket, now), now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True

    def _added(self, sender: str, now: float) -> _Bucket | None:
        if len(self._buckets) >= self._most:
            oldest = next(iter(self._buckets))
            if self._filled(self._buckets[oldest], now) < self._burst:
                return None
            del self._buckets[oldest]
        bucket = self._buckets[sender] = _Bucket(self._burst, now)
        return bucket

    def _filled(self, bucket: _Bucket, now: float) -> float:
        return min(self._burst, bucket.tokens + (now - bucket.at) * self._per_second)
