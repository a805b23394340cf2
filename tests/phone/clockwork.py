"""A clock that a test turns by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Timer:
    when: float
    callback: Callable[[], None]
    clock: ManualClock

    def cancel(self) -> None:
        if self in self.clock.timers:
            self.clock.timers.remove(self)


@dataclass
class ManualClock:
    time: float = 1000.0
    timers: list[Timer] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(when, callback, self)
        self.timers.append(timer)
        return timer

    async def turn(self, seconds: float) -> None:
        """Let time pass, and everybody do what they do at each moment."""
        end = self.time + seconds
        while True:
            await settled()
            due = min((timer for timer in self.timers if timer.when <= end), key=lambda timer: timer.when, default=None)
            if due is None:
                break
            self.time = max(self.time, due.when)
            self.timers.remove(due)
            due.callback()
        self.time = end
        await settled()


async def settled() -> None:
    """Let everything happen that needs no time."""
    for _ in range(50):
        await asyncio.sleep(0)
