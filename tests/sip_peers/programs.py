"""Programs of others, and ours, as processes: found, started, listened to, ended.

What a test waits for is a line of a program, or its end; never a time. A time only says when to give up.
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest

T = TypeVar("T")

PATIENCE = 120.0
"Seconds after which something that should have happened has not: other tests keep the machine busy."


def program(name: str) -> str | None:
    """Return the path of a program; Debian keeps servers where not everybody looks."""
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))


def needs(name: str, package: str) -> pytest.MarkDecorator:
    """Return the mark of tests that run a program, and are skipped where it is not installed."""
    return pytest.mark.skipif(program(name) is None, reason=f"{name} is not installed (Debian: {package})")


class Program:
    """A running program, and the lines that it has printed."""

    def __init__(self, *command: str, folder: Path, environment: Mapping[str, str] = {}) -> None:
        """Start it; its output, errors among it, is kept."""
        self.name = Path(command[0]).name
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._over = False
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def said(self, *words: str) -> str:
        """Wait for a line with all of these words, and return it."""

        def found() -> str | None:
            return next((line for line in self.lines if all(word in line for word in words)), None)

        with self._changed:
            self._changed.wait_for(lambda: found() or self._over, PATIENCE)
            line = found()
        assert line, f"{self.name} did not say {words}; it said:\n{self.output}"
        return line

    def ended(self) -> int:
        """Wait for the end, and return the exit status."""
        status = self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return status

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, and return the exit status; a program that does not end is killed, which is a failure."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            return self.ended()
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    def _read(self) -> None:
        assert self._process.stdout
        with self._process.stdout as lines:
            for line in lines:
                with self._changed:
                    self.lines.append(line.rstrip("\n"))
                    self._changed.notify_all()
        with self._changed:
            self._over = True
            self._changed.notify_all()


def accepts(port: int) -> None:
    """Wait until somebody accepts connections at a port of this machine, for programs that do not say so."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"nobody listens at port {port}")


def has_ipv6() -> bool:
    """Return whether the loopback interface has IPv6."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def completed(work: Coroutine[Any, Any, T]) -> T:
    """Do what is asynchronous, for a fixture that is not: it may live longer than the loop of one test."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


async def finished(*command: str, folder: Path, patience: float = PATIENCE) -> tuple[int, str]:
    """Run a program to its end; return its exit status and its output."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(patience):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, output.decode(errors="replace")
