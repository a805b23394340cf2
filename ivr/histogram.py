"""How values are spread, as monitoring systems want to know it."""

from bisect import bisect_left
from collections.abc import Sequence


class Histogram:
    """Counts by upper bound."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        "Each value once; the last are those above all bounds."
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count a value; one below 0, as of a clock that was set back, adds nothing to the sum, which never falls."""
        self.counts[bisect_left(self.bounds, value)] += 1
        if value > 0.0:
            self.total += value
