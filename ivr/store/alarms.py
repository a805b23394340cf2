"""When calls must be woken: a heap of times, in which only each call's last one counts.

A call's time moves with every message. The old entry stays in the heap, is known by its time, and is dropped when it
comes up; a heap that is mostly old entries is built anew, so its size follows the number of live calls.
"""

import heapq

from ivr.ports import CallKey

SLACK = 64
"Entries that a heap may hold beyond twice the live ones before it is built anew."


class Alarms:
    """One time for each call."""

    def __init__(self) -> None:
        self._at: dict[CallKey, float] = {}
        self._heap: list[tuple[float, int, CallKey]] = []
        self._pushed = 0  # between equal times, since keys have no order

    def set(self, key: CallKey, at: float) -> None:
        """Wake this call at `at`, in seconds since 1970, and at no other time."""
        if self._at.get(key) == at:
            return
        self._at[key] = at
        self._push(at, key)
        if len(self._heap) > 2 * len(self._at) + SLACK:
            self._heap = []
            for other, time in self._at.items():
                self._push(time, other)

    def drop(self, key: CallKey) -> None:
        """Wake this call no more."""
        self._at.pop(key, None)

    def due(self, now: float) -> list[CallKey]:
        """Name the calls whose time is now or over, the earliest first; they stay due until `set` or `drop`."""
        passed: dict[CallKey, tuple[float, int, CallKey]] = {}
        while self._heap and self._heap[0][0] <= now:
            entry = heapq.heappop(self._heap)
            if self._at.get(entry[2]) == entry[0]:
                passed[entry[2]] = entry
        for entry in passed.values():
            heapq.heappush(self._heap, entry)
        return list(passed)

    def _push(self, at: float, key: CallKey) -> None:
        self._pushed += 1
        heapq.heappush(self._heap, (at, self._pushed, key))
