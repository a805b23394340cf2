"""Places many calls, each when there is a place for it and its time has come, until all are over or it is to stop."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from msgspec import Struct


class LoadPlan(Struct, frozen=True):
    """What is to be placed."""

    calls: int
    concurrency: int = 50
    rate: float | None = None
    "Calls begun a second; None: as many as go."
    seed: int = 1
    think: float = 0.0
    "Seconds for which callers think before they do something, on average: calls last, as those of people do."


class Dialler:
    """Begins the calls of a plan."""

    def __init__(
        self,
        plan: LoadPlan,
        place: Callable[[int], Awaitable[None]],
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`place` holds the call of that number to its end; `progress` is told how many are over."""
        self.begun = 0
        self._plan = plan
        self._place = place
        self._progress = progress
        self._free = asyncio.Semaphore(plan.concurrency)
        self._over = 0

    async def run(self, stop: asyncio.Event | None = None) -> None:
        """Place all calls. Once `stop` is set no more are begun, and those that are under way are cancelled."""
        work = asyncio.create_task(self._run())
        stopped = asyncio.create_task((stop or asyncio.Event()).wait())
        try:
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            work.cancel()
            stopped.cancel()
            await asyncio.gather(work, stopped, return_exceptions=True)
        if not work.cancelled():
            work.result()

    async def _run(self) -> None:
        start, rate = time.perf_counter(), self._plan.rate
        async with asyncio.TaskGroup() as group:
            for number in range(self._plan.calls):
                if rate:
                    await asyncio.sleep(max(0.0, start + number / rate - time.perf_counter()))
                await self._free.acquire()
                group.create_task(self._hold(number))

    async def _hold(self, number: int) -> None:
        self.begun += 1
        try:
            await self._place(number)
        finally:
            self._free.release()
            self._over += 1
            self._progress(self._over)
