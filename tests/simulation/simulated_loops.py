"""Event loops in simulated time, one for each server, all in one thread; nothing is chance but what a seed says.

A loop runs what is ready in its order, as asyncio's do; which loop goes on is chosen at random, and time moves once
nothing is ready anywhere. A loop can be stopped, as a process by SIGSTOP: time passes, what was to be done meanwhile
waits, and is done late. It can be killed: nothing of it goes on, and what it held is gone.
"""

from __future__ import annotations

import asyncio
import heapq
import random
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, cast


class Handle:
    """Something that a loop has to do, once."""

    __slots__ = ("args", "callback")

    def __init__(self, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
        self.callback: Callable[..., object] | None = callback
        self.args = args

    def cancel(self) -> None:
        self.callback = None
        self.args = ()

    def cancelled(self) -> bool:
        return self.callback is None


class SimulatedTime:
    """The clock of a world, and all that waits for it."""

    def __init__(self, chance: random.Random) -> None:
        self.now = 1000.0
        self.troubles: list[str] = []
        "What no loop should have met: a task that ended badly, and nobody looked."
        self._chance = chance
        self._loops: list[SimulatedLoop] = []
        self._timers: list[tuple[float, int, SimulatedLoop, Handle]] = []
        self._count = 0

    def loop(self, name: str) -> SimulatedLoop:
        """Return a loop more."""
        made = SimulatedLoop(self, name)
        self._loops.append(made)
        return made

    def drop(self, loop: SimulatedLoop) -> None:
        self._loops.remove(loop)

    def at(self, when: float, loop: SimulatedLoop, handle: Handle) -> None:
        """Let a loop do something then."""
        self._count += 1
        heapq.heappush(self._timers, (when, self._count, loop, handle))

    def step(self, until: float) -> bool:
        """Let one loop do one thing; False: nothing is left to be done before then."""
        while True:
            loops = [loop for loop in self._loops if loop.ready and not loop.is_stopped]
            if loops:
                loop = loops[0] if len(loops) == 1 else self._chance.choice(loops)
                if loop.run_one():
                    return True
            elif not self._pass(until):
                return False

    def _pass(self, until: float) -> bool:
        """Let time pass until something is to be done, everything of that moment."""
        if not self._timers or self._timers[0][0] > until:
            self.now = max(self.now, until)
            return False
        self.now = max(self.now, self._timers[0][0])
        while self._timers and self._timers[0][0] <= self.now:
            _, _, loop, handle = heapq.heappop(self._timers)
            if not loop.is_dead and handle.callback is not None:
                loop.ready.append(handle)
        return True


class SimulatedLoop:
    """The event loop of one process, as far as asyncio asks for it."""

    def __init__(self, time: SimulatedTime, name: str) -> None:
        self.name = name
        self.ready: deque[Handle] = deque()
        self.is_stopped = False
        self.is_dead = False
        self._time = time
        self._tasks: dict[asyncio.Task[Any], Coroutine[Any, Any, Any]] = {}

    # --- what asyncio asks of a loop ---

    def time(self) -> float:
        return self._time.now

    def call_soon(self, callback: Callable[..., object], *args: Any, context: object = None) -> Handle:
        handle = Handle(callback, args)
        if not self.is_dead:
            self.ready.append(handle)
        return handle

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any, context: object = None) -> Handle:
        return self.call_at(self._time.now + delay, callback, *args)

    def call_at(self, when: float, callback: Callable[..., object], *args: Any, context: object = None) -> Handle:
        handle = Handle(callback, args)
        if not self.is_dead:
            self._time.at(when, self, handle)
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=cast("Any", self))

    def create_task(self, coro: Any, *, name: str | None = None, context: object = None) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=cast("Any", self), name=name or "task")
        self._tasks[task] = coro
        task.add_done_callback(self._tasks.pop)
        return task

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return not self.is_dead

    def is_closed(self) -> bool:
        return self.is_dead

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if self.is_dead:
            return  # an answer that came too late for anybody
        self._time.troubles.append(f"{self.name}: {context['message']}: {context.get('exception')!r}")

    # --- what befalls it ---

    def run_one(self) -> bool:
        """Do the next thing that is ready; False: it was taken back."""
        handle = self.ready.popleft()
        if handle.callback is None:
            return False
        with self.running():
            handle.callback(*handle.args)
        return True

    def running(self) -> Running:
        """Have this loop be the one that runs, for as long as the context lasts."""
        return Running(self)

    def stop_for_a_while(self) -> None:
        self.is_stopped = True

    def go_on(self) -> None:
        self.is_stopped = False

    def kill(self) -> None:
        """End the process: no task of it gets another turn."""
        self.is_dead = True
        self.ready.clear()
        self._time.drop(self)
        with self.running():
            for task, work in self._tasks.items():
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                _close(work)
        self._tasks.clear()


def _close(work: Coroutine[Any, Any, Any]) -> None:
    """Let go of a coroutine, also of one that would wait for something before it ends: a dead process does not."""
    while True:
        try:
            work.close()
        except RuntimeError:
            continue
        return


class Running:
    """A context in which a loop is the running one."""

    __slots__ = ("_before", "_loop")

    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop

    def __enter__(self) -> None:
        self._before = events._get_running_loop()
        events._set_running_loop(cast("Any", self._loop))

    def __exit__(self, *_: object) -> None:
        events._set_running_loop(self._before)
