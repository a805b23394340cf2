"""Files that somebody names: regular ones alone are read, and never more of them than needed; written ones are whole.

A named pipe would keep its reader waiting for ever, a device would never end, and a file of gigabytes would take the
memory of a server. Whatever reads a file of an operator's or an author's reads it here (a test sees to that).
"""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path


def open_regular(file: Path) -> BufferedReader:
    """Open a file for reading; raise OSError, also for what is no regular file."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file", str(file))
    return os.fdopen(descriptor, "rb")


def read_head(file: Path, most: int) -> bytes:
    """Return the first bytes of a file, `most` of them at most; raise OSError."""
    with open_regular(file) as opened:
        return opened.read(most)


def read_small(file: Path, most: int) -> bytes:
    """Return a whole file; raise OSError, also for one of more than `most` bytes."""
    data = read_head(file, most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(file))
    return data


def write_whole(file: Path, data: bytes) -> None:
    """Write a file as a whole or not at all, in place of the one that was there; raise OSError.

    A device or a pipe is not replaced: it gets the bytes. Of a link, what it leads to is replaced.
    """
    if file.exists() and not file.is_file():
        file.write_bytes(data)
        return
    file = file.resolve()
    part = file.with_name(f".{file.name}.part")
    try:
        part.write_bytes(data)
        part.replace(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
