"""Jobs that do what a decoder might, once it was taken over; they run in worker processes alone."""

import os
import threading


def tells_its_number() -> int:
    return os.getpid()


def tells_its_number_and_stays(mark: int) -> None:
    os.write(mark, str(os.getpid()).encode())
    threading.Event().wait()


def prints_garbage() -> str:
    """Fill both outputs, as a chatty C library does."""
    for output in (1, 2):
        os.write(output, b"\xff\x00 garbage " * 100_000)
    return "done"


def answers_garbage(packet: bytes) -> None:
    """Write past the worker's own words."""
    os.write(0, packet)


def dies() -> None:
    os.abort()
