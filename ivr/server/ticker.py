"""Everything that happens because time passes: calls that are due, silent connections, rubbish, edited flows."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from ivr.errors import IvrError
from ivr.ports import CallKey, CallStore
from ivr.server.recordings import Recordings

log = logging.getLogger(__name__)

WOKEN_AT_ONCE = 64
FORGOTTEN_AT_ONCE = 256


class Forgetful(Protocol):
    """A store that calls can be erased from."""

    async def forget(self, *, before: float, limit: int) -> int:
        """Erase calls that ended before then, at most so many; tell how many."""


async def every(seconds: float, action: Callable[[], Awaitable[None]], *, name: str) -> None:
    """Do something again and again, until cancelled; the first time at once."""
    while True:
        try:
            await action()
        except Exception:  # one bad round must not end the house-keeping of a server that runs for months
            log.exception("house-keeping failed", extra={"task": name})
        await asyncio.sleep(seconds)


async def wake_due(store: CallStore, wake: Callable[[CallKey], Awaitable[None]], now: float) -> None:
    """Wake every call whose deadline, idle time or wake-up time is over, or whose inbox waits."""
    keys = await store.due(now)
    for start in range(0, len(keys), WOKEN_AT_ONCE):
        results = await asyncio.gather(
            *(wake(key) for key in keys[start : start + WOKEN_AT_ONCE]), return_exceptions=True
        )
        for result in results:
            if isinstance(result, IvrError):
                log.warning("wake failed", extra={"reason": type(result).__name__})
            elif isinstance(result, BaseException):
                log.error("wake failed", exc_info=result)


async def forget_calls(store: Forgetful, *, before: float) -> None:
    """Erase the calls that ended before then (seconds since 1970); their audio goes with the next sweep."""
    forgotten = 0
    while found := await store.forget(before=before, limit=FORGOTTEN_AT_ONCE):
        forgotten += found
    if forgotten:
        log.info("calls forgotten", extra={"removed": forgotten})


async def sweep_recordings(store: CallStore, recordings: Recordings, *, before: float) -> None:
    """Delete the audio that no call names and that is older than any retry could be."""
    removed = await recordings.sweep(await store.media(), before=before)
    if removed:
        log.info("recordings swept", extra={"removed": removed})
