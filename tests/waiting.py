"""Waiting for the thing itself: no test sleeps, and none asks again and again whether it may go on."""

import asyncio
import contextlib
import ctypes
import logging
import os
import select
import socket
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE = 120.0
"""Seconds after which a test that waits has failed. Other tests keep the machine busy: a command that starts in a
second took half a minute once."""

_CREATED, _DELETED, _WRITTEN, _MOVED = 0x100, 0x200, 0x2, 0x80
"Of inotify(7)."


async def begun(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Begin a task, and return once it waits for somebody else."""
    started = asyncio.Event()

    async def run() -> T:
        started.set()
        return await work

    task = asyncio.create_task(run())
    await started.wait()  # whoever set it went on until it had to wait
    return task


class Gate(asyncio.Event):
    """An event that also tells when somebody has begun to wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self._reached = asyncio.Event()

    async def wait(self) -> bool:  # type: ignore[override]  # typeshed promises a literal
        self._reached.set()
        return await super().wait()

    async def reached(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self._reached.wait()


class Clock:
    """The clock of an event loop, turned by hand beside its own pace: what is due then happens at once."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def turn(self, seconds: float) -> None:
        self._ahead += seconds

    @classmethod
    @contextlib.contextmanager
    def of_this_loop(cls) -> Iterator["Clock"]:
        loop, clock = asyncio.get_running_loop(), cls()
        own = loop.time
        loop.time = lambda: own() + clock._ahead  # type: ignore[method-assign]
        try:
            yield clock
        finally:
            loop.time = own  # type: ignore[method-assign]


async def until(holds: Callable[[], bool], *, within: Path, patience: float = PATIENCE) -> None:
    """Return once something is true of a folder or a file, which the system tells of at each change."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    loop, changed = asyncio.get_running_loop(), asyncio.Event()

    def read() -> None:
        os.read(watch, 65536)
        changed.set()

    try:
        if libc.inotify_add_watch(watch, os.fsencode(within), _CREATED | _DELETED | _WRITTEN | _MOVED) < 0:
            raise OSError(ctypes.get_errno(), "nothing can be watched here", str(within))
        loop.add_reader(watch, read)
        async with asyncio.timeout(patience):
            while not holds():  # asked after the watch began: no change is missed
                await changed.wait()
                changed.clear()
    finally:
        loop.remove_reader(watch)
        os.close(watch)


class Logged(logging.Handler):
    """Tells when our log has a message; what it says is saved by then."""

    def __init__(self, message: str) -> None:
        super().__init__()
        self._message = message
        self._happened = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg == self._message:
            self._happened.set()

    async def once(self) -> None:
        """Return once it was there."""
        async with asyncio.timeout(PATIENCE):
            await self._happened.wait()


@contextlib.contextmanager
def logged(message: str) -> Iterator[Logged]:
    """Look out for a message of this process from now on."""
    log, watching = logging.getLogger("ivr"), Logged(message)
    level = log.level
    log.setLevel(logging.INFO)
    log.addHandler(watching)
    try:
        yield watching
    finally:
        log.removeHandler(watching)
        log.setLevel(level)


async def ended(pid: int) -> None:
    """Return once a process has ended, whosoever child it is."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(handle, over.set)
    try:
        async with asyncio.timeout(PATIENCE):
            await over.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)


async def broken_off(sock: socket.socket) -> None:
    """Return once the other side has reset a connection; nothing is read from it, which would make room for more."""
    poll = select.poll()
    poll.register(sock, 0)  # a reset is told without being asked for
    happened = await asyncio.to_thread(poll.poll, PATIENCE * 1000)
    assert happened, "the connection is still open"
