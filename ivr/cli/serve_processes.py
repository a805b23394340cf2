"""Several processes that serve on one port: the others follow once the first serves; one that dies is begun anew.

The process that is told to serve does none of it. It forks before it has a thread, a loop or a connection, waits for
signals and for the ends of its children, and keeps nothing that a call could miss. Which child gets a connection is the
kernel's to say (SO_REUSEPORT). A child that its parent is gone from ends as if it were told to.
"""

import logging
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn, TypeAlias

from msgspec import Struct

log = logging.getLogger(__name__)

PAUSE, LONGEST_PAUSE = 0.5, 30.0
"Seconds before a child that died is begun anew; twice as many each time that it dies young."
YOUNG = 60.0
"Seconds of a life after which a death is no reason to be more patient."
_READY = b"."
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)


class ServeChild:
    """What a child has of its parent."""

    def __init__(self, number: int, line: socket.socket, *, first: bool) -> None:
        """`line` leads to the parent; `first`: no other child has served yet."""
        self.number = number
        "Counted from 0: the same in each of its lives."
        self.first = first
        self.line = line
        "Readable once the parent is gone."

    def ready(self) -> None:
        """Let the parent know that this child serves."""
        with suppress(OSError):  # it is gone
            self.line.send(_READY)


Serve: TypeAlias = Callable[[ServeChild], int]
"A child's life: it returns the exit status, and ends at SIGTERM."


class _Child(Struct):
    pid: int
    line: socket.socket
    born: float


class ServeProcesses:
    """Children that serve, each in as many lives as it takes."""

    def __init__(self, count: int, serve: Serve, *, patience: float) -> None:
        """`patience`: seconds from SIGTERM to the end, after which children are killed."""
        self._count = count
        self._serve = serve
        self._patience = patience
        self._children: dict[int, _Child] = {}
        "By number."
        self._dead: dict[int, float] = {}
        "By number: when it is begun anew."
        self._pauses: dict[int, float] = {}
        "By number: how long was waited after its last death."
        self._selector = selectors.DefaultSelector()
        self._woken, self._wakes = socket.socketpair()
        self._served = False
        "Whether one has been ready."
        self._stopping = False
        self._kills: float | None = None
        "When those are killed that have not ended."
        self._status = 0

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT, and return the exit status: that of the first child, should it never serve."""
        before = self._listen()
        try:
            self._begin(0)
            while self._children or self._dead:
                self._wait()
                self._bury()
                self._kill_late()
                self._begin_anew()
        finally:
            signal.set_wakeup_fd(-1)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._selector.close()
            for end in (self._woken, self._wakes):
                end.close()
        return self._status

    # --- signals ---

    def _listen(self) -> Mapping[int, Any]:
        for end in (self._woken, self._wakes):
            end.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        signal.set_wakeup_fd(self._wakes.fileno(), warn_on_full_buffer=False)
        return {number: signal.signal(number, _woken) for number in _SIGNALS}

    def _wait(self) -> None:
        """Wait for a signal, a child that is ready, or the next thing that is due."""
        due = [*self._dead.values()] + ([] if self._kills is None else [self._kills])
        for key, _ in self._selector.select(max(min(due) - time.monotonic(), 0.0) if due else None):
            if key.fileobj is self._woken:
                if {signal.SIGTERM, signal.SIGINT} & set(self._woken.recv(4096)):
                    self._stop()
            else:
                self._hear(key.data)

    def _stop(self) -> None:
        """End all; a second time does no harm."""
        if not self._stopping:
            self._stopping, self._kills = True, time.monotonic() + self._patience
        self._dead.clear()
        for child in self._children.values():
            os.kill(child.pid, signal.SIGTERM)

    # --- children ---

    def _begin(self, number: int) -> None:
        self._dead.pop(number, None)
        ours, theirs = socket.socketpair()
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # one that comes before the child is itself would be lost
        pid = os.fork()
        if not pid:
            self._live(ServeChild(number, theirs, first=not self._served), ours)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        theirs.close()
        self._children[number] = _Child(pid, ours, time.monotonic())
        self._selector.register(ours, selectors.EVENT_READ, number)

    def _live(self, child: ServeChild, parents: socket.socket) -> NoReturn:
        """Live a child's life; does not return."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            # The other ends of all lines: a child that held one would keep its siblings from seeing their parent gone.
            for line in (parents, self._woken, self._wakes, *(one.line for one in self._children.values())):
                line.close()
            self._selector.close()
            status = self._serve(child)
        except BaseException:  # the parent's frames are below: none of them may go on here
            sys.excepthook(*sys.exc_info())
        finally:
            for stream in (sys.stdout, sys.stderr):
                with suppress(OSError, ValueError):
                    stream.flush()
            os._exit(status)

    def _hear(self, number: int) -> None:
        """Note that a child is ready; the others follow the first. A line that has ended says nothing more."""
        child = self._children[number]
        if not child.line.recv(1):
            self._selector.unregister(child.line)
            return
        if not self._served and not self._stopping:
            self._served = True
            for other in range(1, self._count):
                self._begin(other)

    def _bury(self) -> None:
        now = time.monotonic()
        for number, child in [*self._children.items()]:
            pid, ended = os.waitpid(child.pid, os.WNOHANG)
            if not pid:
                continue
            del self._children[number]
            with suppress(KeyError, ValueError):  # its line has ended before
                self._selector.unregister(child.line)
            child.line.close()
            status = os.waitstatus_to_exitcode(ended)
            if self._stopping:
                self._status = self._status or (0 if status in {0, -signal.SIGTERM} else 1)
            elif not self._served:
                self._status = status if status > 0 else 1  # it has said why
            else:
                self._mourn(number, status, now - child.born)

    def _mourn(self, number: int, status: int, age: float) -> None:
        last = self._pauses.get(number, 0.0)
        pause = min(2 * last, LONGEST_PAUSE) if last and age < YOUNG else PAUSE
        self._pauses[number] = pause
        self._dead[number] = time.monotonic() + pause
        reason = f"signal {-status}" if status < 0 else f"exit status {status}"
        log.warning("worker died", extra={"worker": number, "reason": reason})

    def _begin_anew(self) -> None:
        now = time.monotonic()
        for number in [number for number, again in self._dead.items() if again <= now]:
            self._begin(number)

    def _kill_late(self) -> None:
        if self._kills is not None and time.monotonic() >= self._kills:
            self._kills = None
            for child in self._children.values():
                os.kill(child.pid, signal.SIGKILL)


def _woken(_: int, __: FrameType | None) -> None:
    """Do nothing: the signal has come by the wake-up descriptor."""
