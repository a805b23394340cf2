"""Which chores a server does, and how often: everything that happens because time passes (`ticker` does it)."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, TypeAlias

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

Chore: TypeAlias = Callable[[], Awaitable[None]]


def begin_chores(stack: AsyncExitStack, settings: Settings, backend: Backend) -> None:
    """Begin with all chores; `stack` ends them."""
    server = secrets.token_hex(8)

    async def alone(chore: Chore, name: str, seconds: float) -> None:
        if await backend.store.coordination.lease("chore", name, owner=server, lasts=1.5 * seconds):
            await chore()

    for chore, name, seconds in _of_each_server(backend):
        _begin(stack, every(seconds, chore, name=name))
    for chore, name, seconds in _of_all_servers(settings, backend):
        _begin(stack, every(seconds, partial(alone, chore, name, seconds), name=name))


def _of_each_server(backend: Backend) -> Sequence[tuple[Chore, str, float]]:
    """Return what each server does for itself, with its name, and how often."""

    async def wake() -> None:
        backend.worker.kick()  # for orders that the store could not give out
        await wake_due(backend.store.calls, backend.turns.wake, time.time())

    async def tend() -> None:
        for plug in backend.plugs:
            if plug.tend is not None:
                plug.tend(time.time())
        await backend.sign_in.tend(time.time())

    return (
        (wake, "wake", SECOND),
        (backend.sign_in.sweep, "sign-ins", SECOND),
        (backend.registry.refresh, "flows", SECOND),
        (backend.arrivals.tell, "uploads", SECOND),
        (tend, "channels", MINUTE),
    )


def _of_all_servers(settings: Settings, backend: Backend) -> Sequence[tuple[Chore, str, float]]:
    """Return what one of all servers on a store does for all of them; done by two it is only wasted."""
    store = backend.store
    retention = Retention(store.archive, store.recordings, backend.folder)
    values = ValueRetention(store.calls, store.archive)

    async def forget() -> None:
        if settings.retention is not None:
            await retention.erase_old(before=time.time() - settings.retention * DAY)
        await values.erase_old(now=time.time())

    async def sweep() -> None:
        await sweep_recordings(store.calls, store.recordings, before=time.time() - settings.sweep_after)

    async def forget_states() -> None:
        before = None if settings.bot_state_retention is None else time.time() - settings.bot_state_retention * DAY
        await forget_bot_states(store.states, before=before)

    return (
        (forget, "forget", MINUTE),
        (forget_states, "bot state", MINUTE),
        (sweep, "sweep", HOUR),
        (store.tend, "store", HOUR),
    )


def _begin(stack: AsyncExitStack, chore: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(chore)

    async def end() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(end)
