"""The keys of a platform whose tokens are checked: read as the server starts, kept for the next start, renewed."""

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from ivr.auth.keys import KeyRing
from ivr.server.readiness import Check
from ivr.settings import SettingsError


def key_ring(documents: Sequence[str], *, setting: str, file: Path, loopback: bool) -> KeyRing:
    """Return a platform's keys: those of the last run, in `file`, if its hosts do not answer.

    `setting` names the addresses of the documents; `loopback`: they may be on this machine. Raises SettingsError.
    """
    try:
        return KeyRing(documents, file=file, allow_loopback=loopback)
    except ValueError as error:
        raise SettingsError(f"{setting}: {error}") from error


def beginning(keys: KeyRing) -> Callable[[AsyncExitStack], Awaitable[None]]:
    """Return what begins to fetch keys (`Plug.begin`)."""

    async def begin(stack: AsyncExitStack) -> None:
        await keys.start(now=time.time())
        stack.push_async_callback(keys.close)

    return begin


def having(keys: KeyRing) -> Check:
    """Return what asks whether there are keys (`Plug.checks`)."""

    async def has_keys() -> bool:
        if keys.empty:  # a balancer sends nobody before there are some, so no call would ask for them
            keys.tend(now=time.time())
        return not keys.empty

    return has_keys
