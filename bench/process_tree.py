"""A program with all the processes that it has started: what they use together (proc(5))."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def tree_cpu(pid: int) -> float:
    """Return the processor time of a process and of all below it, those that ended too, in seconds."""
    return sum(_cpu_of(each) for each in _tree(pid))


def tree_memory(pid: int) -> list[int]:
    """Return the bytes that are resident in each, the largest first; what they share counts in each."""
    return sorted((_resident(each) for each in _tree(pid)), reverse=True)


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # it has just ended
            for child in task.read_text("ascii").split():
                yield from _tree(int(child))


def _cpu_of(pid: int) -> float:
    with suppress(OSError):
        # Behind the name, which may hold anything: utime, stime, and those of children that ended and were waited for.
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / _TICKS
    return 0.0


def _resident(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0
