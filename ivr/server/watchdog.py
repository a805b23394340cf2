"""Asks the server after its health from inside, and ends the process if it does not answer.

A thread of its own, since the loop cannot notice that it stands still. It asks over a real connection, through all that
a request goes through but the port: so a flood before the port is no reason to end, and a loop that turns without being
able to answer is one.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from ivr.server.fatal import OUT_OF_MEMORY, end_process, is_out_of_memory

Adopt = Callable[[socket.socket], Awaitable[None]]
"Serve on a socket as on any that came in by the port."

TRIES = 3
"Questions without an answer, one after the other. Time alone would not do: a process that was stopped is not dead."

_QUESTION = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_ANSWERS = (b"HTTP/1.1 200", b"HTTP/1.1 503")
"A server that answers that it has too much to do is alive."


class Watchdog:
    """Watches the loop in which it is made, until it is told to stop."""

    def __init__(self, adopt: Adopt, *, patience: float, end: Callable[[str], object] = end_process) -> None:
        """`patience`: seconds without an answer after which `end` is called, with the reason."""
        self._loop = asyncio.get_running_loop()
        self._adopt = adopt
        self._patience = patience
        self._end = end
        self._stopped = threading.Event()
        self._adopting: set[asyncio.Task[None]] = set()
        "The loop itself holds its tasks weakly: one that nothing else holds may be collected before it has run."
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Ask no more. The thread is not joined: it may be waiting for an answer that does not come."""
        self._stopped.set()

    def _watch(self) -> None:
        step, missed = self._patience / TRIES, 0
        while not self._stopped.is_set():
            began = time.monotonic()
            missed = 0 if self._is_answered(step) else missed + 1
            if missed == TRIES and not self._stopped.is_set():
                self._end(f"no answer from inside for {self._patience:g} seconds")
                return
            # One question per step, however fast the answer was; a slow one has used its step up already.
            self._stopped.wait(max(0.0, began + step - time.monotonic()))

    def _is_answered(self, patience: float) -> bool:
        try:
            ours, theirs = socket.socketpair()
            with ours:
                ours.settimeout(patience)
                self._hand_over(theirs)
                # This end never blocks on sending: the question is smaller than any socket's buffer.
                ours.sendall(_QUESTION)
                return ours.recv(len(_ANSWERS[0]), socket.MSG_WAITALL) in _ANSWERS
        except (OSError, RuntimeError, MemoryError) as error:  # no answer in time, no socket; or the loop is closed
            if is_out_of_memory(error):
                self._end(OUT_OF_MEMORY)
            return False

    def _hand_over(self, theirs: socket.socket) -> None:
        theirs.setblocking(False)
        try:
            # The only call of the loop's that another thread may make; all else happens in the loop, in `_take`.
            self._loop.call_soon_threadsafe(self._take, theirs)
        except RuntimeError:  # the loop is closed
            theirs.close()
            raise

    def _take(self, theirs: socket.socket) -> None:
        async def adopt() -> None:
            with suppress(OSError):  # the watchdog has given up waiting
                await self._adopt(theirs)

        task = self._loop.create_task(adopt())
        self._adopting.add(task)
        task.add_done_callback(self._adopting.discard)
