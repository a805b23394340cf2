"""A job that tells how much of its limit a worker process has needed: where it comes near, recordings are lost."""

import re
from pathlib import Path


def most_address_space() -> int:
    """Return the bytes of address space that this process had at its largest (proc_pid_status(5))."""
    kibibytes = re.search(r"^VmPeak:\s+(\d+) kB$", Path("/proc/self/status").read_text("ascii"), re.MULTILINE)
    assert kibibytes
    return 1024 * int(kibibytes[1])
