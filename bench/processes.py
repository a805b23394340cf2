"""What this process and its workers use: processor time and memory, read from outside (proc(5))."""

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from bench.subject import Subject

T = TypeVar("T", int, float)


def processor_time() -> float:
    """Return the seconds that this process and all that it has started have used so far."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime + sum(_of_workers(Subject.cpu))


def largest_worker() -> int:
    """Return the most memory that one of the workers ever had, in bytes."""
    return max(_of_workers(Subject.peak), default=0)


def _of_workers(value: Callable[[Subject], T]) -> Iterator[T]:
    files = Path("/proc/self/task").glob("*/children")
    for child in [child for file in files for child in file.read_text("ascii").split()]:
        with suppress(OSError, StopIteration):  # it has just ended
            yield value(Subject(int(child), 0))
