"""Time for a live phone: the event loop's, or one that a test turns by hand."""

import asyncio
from collections.abc import Callable
from typing import Protocol


class Handle(Protocol):
    """Something that is going to happen."""

    def cancel(self) -> None:
        """Let it not happen."""


class Clock(Protocol):
    """Tells the time, in seconds from any beginning, and calls back."""

    def now(self) -> float:
        """Return the time; it never goes back."""

    def call_at(self, when: float, callback: Callable[[], None]) -> Handle:
        """Call back when it is that late, or soon if it is already."""


class LoopClock:
    """The running event loop's clock."""

    def now(self) -> float:
        """Return the loop's time."""
        return asyncio.get_running_loop().time()

    def call_at(self, when: float, callback: Callable[[], None]) -> Handle:
        """Call back from the loop."""
        return asyncio.get_running_loop().call_at(when, callback)


async def until(clock: Clock, when: float) -> None:
    """Wait until it is that late."""
    if clock.now() >= when:
        return
    reached = asyncio.Event()
    handle = clock.call_at(when, reached.set)
    try:
        await reached.wait()
    finally:
        handle.cancel()
