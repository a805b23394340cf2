"""The event loop of a command, and how it ends: at Ctrl-C, SIGTERM or a closed terminal.

Whoever is on the phone then hangs up, and only after that the command ends.
"""

import asyncio
import gc
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def on_first_signal(leave: Callable[[], object]) -> Iterator[None]:
    """Let the first signal call `leave`; the next one finds what it found before, and ends the command at once."""
    loop = asyncio.get_running_loop()

    def first() -> None:
        restore()
        leave()

    def restore() -> None:
        for number in ENDING_SIGNALS:
            loop.remove_signal_handler(number)

    for number in ENDING_SIGNALS:
        loop.add_signal_handler(number, first)
    try:
        yield
    finally:
        restore()


async def until_signal(work: Coroutine[Any, Any, T]) -> T:
    """Do the work; at the first signal it is cancelled, which lets the caller on the phone hang up."""
    task = asyncio.create_task(work)
    with on_first_signal(task.cancel):
        return await task


def fast_loop() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return the fastest loop that is installed."""
    try:
        import uvloop  # noqa: PLC0415  # a little faster, and not on every system
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


def spare_the_collector() -> None:
    """Look for cycles seldom, and never again in what is there since the start; call it when a server has started.

    Requests and calls leave next to none, but make enough objects to have modules and flows walked every few seconds,
    which kept all callers waiting for some 50 ms; young objects alone cost a tenth of each turn of a flow.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
