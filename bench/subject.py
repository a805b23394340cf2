"""A server that is measured: a process of its own, held to one core, looked at from outside."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from msgspec import Struct

STARTING = 20.0
"Seconds for a server to answer."
PYTHON = (sys.executable, "-m")


class Subject(Struct, frozen=True):
    """A running server."""

    pid: int
    port: int

    def memory(self) -> int:
        """Return what is resident now, in bytes."""
        return self._status("VmRSS")

    def reset_peak(self) -> None:
        """Forget the highest value so far (proc(5), clear_refs)."""
        with suppress(PermissionError):  # not as root: a server shows others nothing of its memory
            Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def peak(self) -> int:
        """Return the most that was resident since `reset_peak`, in bytes."""
        return self._status("VmHWM")

    def cpu(self) -> float:
        """Return the processor time that all its threads have used, those that ended too, in seconds."""
        return time.clock_gettime(~self.pid << 3 | 2)  # the number that clock_getcpuclockid(3) gives

    def switches(self) -> Counter[str]:
        """Return how often its threads stopped to wait (voluntary), and were made to stop (nonvoluntary)."""
        found: Counter[str] = Counter()
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            with suppress(OSError):  # it has just ended
                for line in (task / "status").read_text().splitlines():
                    name, _, value = line.partition("_ctxt_switches:")
                    if value:
                        found[name] += int(value)
        return found

    def threads(self) -> Counter[str]:
        """Return the processor time of the threads that run, in nanoseconds by name (proc(5), comm and schedstat)."""
        used: Counter[str] = Counter()
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            with suppress(OSError):  # it has just ended
                used[(task / "comm").read_text().strip()] += int((task / "schedstat").read_text().split()[0])
        return used

    def _status(self, name: str) -> int:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def cores() -> tuple[int, int]:
    """Return one core for servers and another for the load; the same one where there is no other."""
    available = sorted(os.sched_getaffinity(0))
    return available[0], available[-1]


def free_port() -> int:
    """Return a port that nobody has; below those that a system gives out, one of which the next program would get."""
    while True:
        port = random.randrange(30_000, 32_700)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@asynccontextmanager
async def running(
    command: Sequence[str],
    *,
    port: int,
    core: int | None,
    log: Path,
    environment: Mapping[str, str] | None = None,
    patience: float = STARTING,
    program: Sequence[str] = PYTHON,
) -> AsyncIterator[Subject]:
    """Run a command on one core (None: on any) until the block is left; raise SystemExit if it does not come up."""
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, ours if core is None else {core})  # a child begins where its parent is
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*program, *command],
                env={**os.environ, **(environment or {})},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
    finally:
        os.sched_setaffinity(0, ours)
    try:
        await _answers(process, port, log, patience)
        yield Subject(process.pid, port)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(process.wait, 15)
        except subprocess.TimeoutExpired:
            process.kill()


async def _answers(process: subprocess.Popen[bytes], port: int, log: Path, patience: float) -> None:
    for _ in range(int(patience / 0.1)):
        if process.poll() is not None:
            break
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise SystemExit(f"A server did not come up. It said:\n{log.read_text()[-2000:]}")
