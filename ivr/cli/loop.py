"""The event loop of a command."""

import asyncio
from collections.abc import Callable


def fast_loop() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return the fastest loop that is installed."""
    try:
        import uvloop  # noqa: PLC0415  # a little faster, and not on every system
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
