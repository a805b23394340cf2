"""How often something happened lately: in all, and for each of many, in a table that cannot grow."""

from collections import OrderedDict, deque


class Tally:
    """Counts within the last `window` seconds, exactly, by who did it."""

    def __init__(self, limit: int, window: float, *, most: int = 4096) -> None:
        """`most`: those who are remembered; of more, whoever did it longest ago is forgotten."""
        self._limit = limit
        self._window = window
        self._most = most
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many are remembered."""
        return len(self._times)

    def is_full(self, who: str, now: float) -> bool:
        """Return whether somebody has done it so often that the limit is reached."""
        times = self._times.get(who)
        if times is None:
            return False
        while times and not 0 <= now - times[0] < self._window:
            times.popleft()
        return len(times) >= self._limit

    def count(self, who: str, now: float) -> None:
        """Note that somebody does it."""
        times = self._times.setdefault(who, deque(maxlen=self._limit))
        times.append(now)
        self._times.move_to_end(who)
        if len(self._times) > self._most:
            self._times.popitem(last=False)
