"""Which chores a server does, and how often: everything that happens because time passes (`ticker` does it)."""

import asyncio
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any

from ivr.server.backend import Backend
from ivr.server.ticker import (
    Retention,
    ValueRetention,
    every,
    forget_bot_states,
    sweep_recordings,
    wake_due,
)
from ivr.settings import Settings

SECOND, MINUTE, HOUR, DAY = 1.0, 60.0, 3600.0, 86400.0


def begin_chores(stack: AsyncExitStack, settings: Settings, backend: Backend) -> None:
    """Begin with all chores; `stack` ends them."""

    async def wake() -> None:
        backend.worker.kick()  # for orders that the store could not give out
        await wake_due(backend.store, backend.turns.wake, time.time())

    retention = Retention(backend.archive, backend.recordings, backend.folder)

    values = ValueRetention(backend.store, backend.archive)

    async def forget() -> None:
        if settings.retention is not None:
            await retention.erase_old(before=time.time() - settings.retention * DAY)
        await values.erase_old(now=time.time())

    async def sweep() -> None:
        await sweep_recordings(backend.store, backend.recordings, before=time.time() - settings.sweep_after)

    async def forget_states() -> None:
        before = None if settings.bot_state_retention is None else time.time() - settings.bot_state_retention * DAY
        await forget_bot_states(backend.states, before=before)

    async def tend() -> None:
        for plug in backend.plugs:
            if plug.tend is not None:
                plug.tend(time.time())
        await backend.sign_in.tend(time.time())

    _begin(stack, every(SECOND, wake, name="wake"))
    _begin(stack, every(SECOND, backend.sign_in.attempts.sweep, name="sign-ins"))
    _begin(stack, every(SECOND, backend.registry.refresh, name="flows"))
    _begin(stack, every(MINUTE, tend, name="channels"))
    _begin(stack, every(MINUTE, forget, name="forget"))
    _begin(stack, every(MINUTE, forget_states, name="bot state"))
    _begin(stack, every(HOUR, sweep, name="sweep"))


def _begin(stack: AsyncExitStack, chore: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(chore)

    async def end() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(end)
