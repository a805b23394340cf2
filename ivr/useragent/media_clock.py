"""One clock for the sound of all calls.

Each call has its place within the 20 ms, so that the work of many is spread evenly. A place is a *slot* of 2 ms: at
its time every call of the slot sends its frame, and whatever came for any call since the slot before is read. One
selector of our own is read once a slot; a reader of the event loop for each call costs twice as much processor time.
The clock never drifts: a slot's time is counted from the beginning, and one that was missed is made up for.
"""

import asyncio
import selectors
import socket
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Protocol

FRAME = 0.02
"Seconds of sound in a packet."
SLOTS = 10
"In one frame."
SLOT = FRAME / SLOTS
EARLY = 0.001
"Seconds by which a slot may be early: uvloop's timers count milliseconds, and fire that much before their time."
MOST_BEHIND = 0.5
"Seconds of frames that are made up for after the process stood still. Older ones are left out, and count as late."


class Ticking(Protocol):
    """The sound of one call."""

    def tick(self, now: float) -> None:
        """Send one frame."""


class LatenessHistogram:
    """How late frames were sent: counts by upper bound, as Prometheus has them."""

    BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
    "Seconds; later than the last is counted above all."

    def __init__(self) -> None:
        self.counts = [0] * (len(self.BOUNDS) + 1)
        "Frames for each bound, each counted once, and those later than all."
        self.seconds = 0.0
        "The sum of all."
        self.worst = 0.0

    def add(self, late: float, frames: int) -> None:
        """Count frames that were so many seconds late."""
        self.counts[bisect_left(self.BOUNDS, late)] += frames
        self.seconds += late * frames
        self.worst = max(self.worst, late)

    def later_than(self, bound: float) -> int:
        """Return how many frames were later than one of the bounds."""
        return sum(self.counts[self.BOUNDS.index(bound) + 1 :])

    @property
    def frames(self) -> int:
        """How many frames were counted."""
        return sum(self.counts)


class MediaClock:
    """Ticks every call each 20 ms, by the time of the running loop; rests while there is none."""

    def __init__(self) -> None:
        self.lateness = LatenessHistogram()
        self._loop = asyncio.get_running_loop()
        self._slots: list[list[Ticking]] = [[] for _ in range(SLOTS)]
        self._selector = selectors.DefaultSelector()
        self._begun = 0.0
        self._next = 0
        "The number of the slot that is due next, counted from `_begun`."
        self._timer: asyncio.TimerHandle | None = None

    def add(self, call: Ticking) -> None:
        """Let a call have its frames from now on, in the emptiest slot."""
        min(self._slots, key=len).append(call)
        if self._timer is None:
            self._begun, self._next = self._loop.time(), 0
            self._arm()

    def remove(self, call: Ticking) -> None:
        """Let a call have no more frames; one that has none already is none the worse."""
        for slot in self._slots:
            if call in slot:
                slot.remove(call)
        if self._timer is not None and not any(self._slots):
            self._timer.cancel()
            self._timer = None

    def watch(self, sock: socket.socket, readable: Callable[[float], None]) -> None:
        """Call `readable` with the time whenever there is something to read, until it is forgotten.

        It should read one packet: a sender of floods then gets one look a slot, like everybody else.
        """
        self._selector.register(sock, selectors.EVENT_READ, readable)

    def forget(self, sock: socket.socket) -> None:
        """Watch a socket no more; before it is closed."""
        self._selector.unregister(sock)

    def close(self) -> None:
        """End."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._selector.close()

    def _arm(self) -> None:
        if self._timer is not None:  # armed for a call that began while another had its frame
            self._timer.cancel()
        self._timer = self._loop.call_at(self._begun + self._next * SLOT, self._run)

    def _run(self) -> None:
        """Run the slots that are due, of one frame at most: the loop has other work as well."""
        now = self._loop.time()
        self._leave_out(now)
        for _ in range(SLOTS):
            due = self._begun + self._next * SLOT
            if due > now + EARLY:
                break
            self._read(now)
            slot = self._slots[self._next % SLOTS]
            self._next += 1
            if slot:
                self._send(slot, now)
                now = self._loop.time()
                self.lateness.add(max(0.0, now - due), len(slot))
        if self._timer is not None:  # the last call may have ended in one of its own frames
            self._arm()

    def _leave_out(self, now: float) -> None:
        behind = now - (self._begun + self._next * SLOT)
        if behind > MOST_BEHIND:
            slots = int(behind / SLOT)
            self.lateness.add(behind, sum(len(self._slots[(self._next + number) % SLOTS]) for number in range(slots)))
            self._next += slots

    def _read(self, now: float) -> None:
        for key, _ in self._selector.select(0):
            key.data(now)

    @staticmethod
    def _send(slot: Sequence[Ticking], now: float) -> None:
        for call in tuple(slot):  # a call that ends in its tick leaves the slot
            call.tick(now)
