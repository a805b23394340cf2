"""When each of many things is due: a heap that holds one moment for each thing, however often it changes."""

from collections.abc import Callable, Hashable, Iterator
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)

_SPARE = 64
"Moments in the heap beyond twice the things, before it is tidied."


class Deadlines(Generic[KeyT]):
    """Moments by keys. One that was put off is asked for again when it comes, so that nothing has to be searched."""

    def __init__(self, deadline_of: Callable[[KeyT], float | None]) -> None:
        """Begin; `deadline_of` returns when a thing is due as it stands, None if it is gone or waits for nothing."""
        self._deadline_of = deadline_of
        self._queued: dict[KeyT, float] = {}
        self._heap: list[tuple[float, int, KeyT]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._queued)

    @property
    def first(self) -> float | None:
        """No thing is due before this moment; None: none at all."""
        while self._heap and self._queued.get(self._heap[0][2]) != self._heap[0][0]:
            heappop(self._heap)  # it was brought forward, or is gone
        return self._heap[0][0] if self._heap else None

    def changed(self, key: KeyT) -> None:
        """Look at a thing that was changed."""
        due = self._deadline_of(key)
        queued = self._queued.get(key)
        if due is None:
            self._queued.pop(key, None)
        elif queued is None or due < queued:
            self._queued[key] = due
            self._count += 1
            heappush(self._heap, (due, self._count, key))
        if len(self._heap) > 2 * len(self._queued) + _SPARE:
            self._heap = [each for each in self._heap if self._queued.get(each[2]) == each[0]]
            heapify(self._heap)

    def take_due(self, now: float) -> Iterator[KeyT]:
        """Iterate over what is due, the earliest first."""
        while (first := self.first) is not None and first <= now:
            key = heappop(self._heap)[2]
            del self._queued[key]
            due = self._deadline_of(key)
            if due is not None and due <= now:
                yield key
            self.changed(key)
