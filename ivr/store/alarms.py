"""When calls must be woken: a heap of times, in which only each call's last one counts.

A call's time moves with every message. The old entry stays in the heap, is known by its time, and is dropped when it
comes up; a heap that is mostly old entries is built anew, so its size follows the number of live calls.

A look names so many calls at most, since 100,000 can fall silent at once. Those that it named wait outside the heap,
and are named again when no others are due.
"""

import heapq
from itertools import islice

from ivr.ports import CallKey

SLACK = 64
"Entries that a heap may hold beyond twice the live ones before it is built anew."
AT_ONCE = 1000
"Calls that one look names: a few milliseconds of the event loop."


class Alarms:
    """One time for each call."""

    def __init__(self) -> None:
        self._at: dict[CallKey, float] = {}
        self._heap: list[tuple[float, int, CallKey]] = []
        self._named: dict[CallKey, tuple[float, int, CallKey]] = {}
        "What has come up and stays due; whoever was named longest ago comes first."
        self._pushed = 0  # between equal times, since keys have no order

    def set(self, key: CallKey, at: float) -> None:
        """Wake this call at `at`, in seconds since 1970, and at no other time."""
        if self._at.get(key) == at:
            return
        self._at[key] = at
        self._named.pop(key, None)
        self._push(at, key)
        if len(self._heap) > 2 * len(self._at) + SLACK:
            self._heap, self._named = [], {}
            for other, time in self._at.items():
                self._push(time, other)

    def drop(self, key: CallKey) -> None:
        """Wake this call no more."""
        self._at.pop(key, None)
        self._named.pop(key, None)

    def due(self, now: float, *, limit: int = AT_ONCE) -> list[CallKey]:
        """Return calls whose time is now or over, the earliest first; they stay due until `set` or `drop`.

        No more than `limit`, and those first that were not named yet.
        """
        found: dict[CallKey, tuple[float, int, CallKey]] = {}
        while self._heap and self._heap[0][0] <= now and len(found) < limit:
            entry = heapq.heappop(self._heap)
            if self._at.get(entry[2]) == entry[0] and entry[2] not in self._named:
                found[entry[2]] = entry
        for key in list(islice(self._named, limit - len(found))):
            entry = self._named.pop(key)
            if entry[0] <= now:
                found[key] = entry
            else:  # the clock was set back
                heapq.heappush(self._heap, entry)
        self._named |= found
        return [key for _, _, key in sorted(found.values(), key=lambda entry: entry[:2])]

    def _push(self, at: float, key: CallKey) -> None:
        self._pushed += 1
        heapq.heappush(self._heap, (at, self._pushed, key))
