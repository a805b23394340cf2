"""Jobs that behave as no job should. They run in worker processes alone, found there by name."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

from ivr.errors import TranscriptionFailed


def reads(source: int) -> dict[str, Any]:
    """The one good job: tells what it was given."""
    with open(source, "rb") as file:
        return {"pid": os.getpid(), "text": file.read().decode()}


_remembered: list[str] = []


def remembers(words: str | None) -> str:
    """Keep words in this process, and return those of before."""
    if words is not None:
        _remembered.append(words)
    return _remembered[-1]


def eats_memory() -> None:
    blocks = []
    while True:
        blocks.append(bytearray(16 * 1024 * 1024))


def burns() -> None:
    while True:
        pass


def sleeps() -> None:
    threading.Event().wait()


def crashes(log: int) -> None:
    """Leave a mark, so that the test can count, and follow a null pointer."""
    os.write(log, b"x")
    ctypes.string_at(0)


def crashes_once(log: int) -> str:
    marks = os.lseek(log, 0, os.SEEK_END)
    if not marks:
        crashes(log)
    return "survived"


def exits() -> None:
    os._exit(3)


def raises() -> None:
    raise KeyError("a secret of the caller")


def refuses() -> None:
    raise TranscriptionFailed("recording", "no sound in it")


def answers_too_much() -> str:
    return "x" * 1_000_000


def marks_and_sleeps(log: int) -> None:
    os.write(log, f"{os.getpid()}\n".encode())
    threading.Event().wait()


def works_for_half_a_second() -> str:
    end = time.process_time() + 0.5
    while time.process_time() < end:
        pass
    return "done"


def fills_a_file(target: int) -> str:
    block = b"\0" * 1_000_000
    with open(target, "wb") as file:
        try:
            for _ in range(100):
                file.write(block)
                file.flush()
        except OSError as error:
            return type(error).__name__ + f" {error.errno}"
    return "all written"


def looks_around() -> dict[str, Any]:
    """Return what a worker sees of the server, and what it is let do."""
    return {
        "environment": sorted(os.environ),
        "modules": sorted(name for name in ("aiohttp", "pydantic", "av", "pocketsphinx") if name in sys.modules),
        "folder": str(Path.cwd()),
        "open to others": ctypes.CDLL(None).prctl(3),  # PR_GET_DUMPABLE
        "files": [number for number in range(1000) if _tries(partial(os.fstat, number)) == "allowed"],
        "network": _tries(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM)),
        "program": _tries(lambda: subprocess.run(["/bin/true"], check=True)),
        "process": _tries(lambda: os.fork() or os._exit(0)),
        "thread": _tries(threading.Thread(target=int).start),
        "signal": _tries(lambda: os.kill(os.getppid(), signal.SIGCONT)),
    }


def _tries(action: Any) -> str:
    try:
        action()
    except OSError as error:
        return type(error).__name__
    return "allowed"


def asks_a_hub() -> str:
    """Ask where models are published, with the client that is installed, and return what stood in the way."""
    from huggingface_hub import get_session  # noqa: PLC0415

    try:
        get_session().get("http://127.0.0.1:9/")
    except Exception as error:
        return str(error)
    return "it answered"
