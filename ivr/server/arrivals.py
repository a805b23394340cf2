"""The recordings that are on their way in.

A platform tells the end of a call apart from the recording that the end cut off, and the upload takes as long as it
takes. A call that waits for its recording is not closed while one that may be its own is under way. Which call it
belongs to is in the part of the form that mostly comes first; until that part is there, it may belong to any call.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

from ivr.ports import CallKey


class Arrival(Struct, eq=False):
    """One upload."""

    began: float
    "When its request's first byte came, in seconds since 1970."
    calls: frozenset[CallKey] | None = None
    "The calls it may belong to; None: not known yet."


class Arrivals:
    """All uploads that are not saved yet, nor refused."""

    def __init__(self) -> None:
        self._open: set[Arrival] = set()

    @contextmanager
    def count(self, began: float) -> Iterator[Arrival]:
        """Count an upload for as long as the context lasts."""
        arrival = Arrival(began)
        self._open.add(arrival)
        try:
            yield arrival
        finally:
            self._open.discard(arrival)

    def under_way(self, key: CallKey, *, before: float) -> bool:
        """Return whether an upload that began before then is this call's, or may be.

        Later ones do not count: else strangers' uploads, one after the other, would keep a call open for ever.
        """
        return any(one.began < before and (one.calls is None or key in one.calls) for one in self._open)
