"""Whether calls can be taken: what `/readyz` asks, so that asking costs little and never waits for a dead disk."""

import asyncio
import os
import tempfile
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

Check = Callable[[], Awaitable[bool]]
"Is this part of the server ready?"

FRESH = 1.0
"Seconds for which an answer is good."
PATIENCE = 1.0
"Seconds after which a check that has not answered counts as a no."
PROBE = bytes(4096)


class CachedCheck:
    """A check that is made once at a time, and not more often than every `FRESH` seconds, however often it is asked.

    Any client can ask for `/readyz`; if a disk does not answer, each question would otherwise leave a thread behind.
    """

    def __init__(self, check: Check) -> None:
        self._check = check
        self._began = 0.0
        self._answer: asyncio.Future[bool] | None = None

    async def __call__(self) -> bool:
        """Answer, at once if it was answered just now."""
        now = asyncio.get_running_loop().time()
        if self._answer is None or (self._answer.done() and now - self._began >= FRESH):
            self._began = now
            self._answer = asyncio.ensure_future(self._check())
        answer = self._answer
        await asyncio.wait({answer}, timeout=max(0.0, self._began + PATIENCE - now))
        return answer.done() and answer.result()


async def are_writable(folders: Sequence[Path]) -> bool:
    """Return whether each of these folders takes a file and its disk a sync; nothing is left behind."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bool] = loop.create_future()

    def settle(*, good: bool) -> None:
        if not answer.done():
            answer.set_result(good)

    def probe() -> None:
        good = all(map(_takes_a_file, folders))
        with suppress(RuntimeError):  # the server has gone down meanwhile
            loop.call_soon_threadsafe(lambda: settle(good=good))

    # In a separate thread that is never joined: a disk may never answer, and must not keep the server from ending.
    threading.Thread(target=probe, name="readiness", daemon=True).start()
    return await answer


def _takes_a_file(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder) as file:  # without a name, where the system knows such files
            file.write(PROBE)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        return False
    return True
