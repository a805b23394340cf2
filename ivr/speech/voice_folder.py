"""A folder of spoken texts: each a file by its hash, written whole or not at all, and never more than is allowed.

Several processes may share one. A file that is not what it should be is taken for missing. All of it blocks.
"""

import contextlib
import hashlib
import logging
import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

import msgspec
from msgspec import Struct

from ivr.smallfiles import read_small

log = logging.getLogger(__name__)

_MAGIC = b"ivr-voice-1\n"
_SUFFIX, _NEW = ".speech", ".new"
MOST_OF_ONE = 32 << 20
"Bytes of one file."
_SLACK = 0.9
"How much of what is allowed is left when room is made, so that it is not made each time."


_COUNTED_AFTER = 20
"Files that are written before the folder is counted anew, since other processes may write, too."


class _Head(Struct, frozen=True, array_like=True):
    """The line before the samples."""

    sizes: tuple[int, ...]
    "Bytes of each part."
    digest: str
    "Of all samples, SHA-256."


class VoiceFolder:
    """Parts of samples by key, the ones that were not wanted for longest dropped first."""

    def __init__(self, folder: Path, *, most: int) -> None:
        """Use a folder, which is made if it is missing; raise OSError if it cannot be used. `most` is in bytes."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._most = most
        self._lock = threading.Lock()
        self._size = sum(size for _, size, _ in self._files())
        "As far as this process knows: others may write, too."
        self._written = 0
        "Files since it was counted."
        self._failing = False

    def get(self, key: str) -> Sequence[bytes] | None:
        """Return the parts; None: there are none, or they cannot be read."""
        try:
            parts = _read(read_small(self._file(key), MOST_OF_ONE))
        except OSError:
            return None
        if parts is not None:
            self.mark(key)
        return parts

    def mark(self, key: str) -> None:
        """Note that parts are wanted."""
        with contextlib.suppress(OSError):  # gone, and made again when they are asked for; or another user's
            os.utime(self._file(key))

    def put(self, key: str, parts: Sequence[bytes]) -> None:
        """Keep parts; a folder that takes no more is no reason not to speak, and is logged once."""
        data = _written(parts)
        if len(data) > min(MOST_OF_ONE, self._most):
            return
        try:
            self._write(self._file(key), data)
            with self._lock:
                self._size += len(data)
                self._written += 1
                if self._size > self._most or self._written >= _COUNTED_AFTER:
                    self._make_room()
        except OSError as error:
            if not self._failing:
                log.warning("voice cache cannot be written", extra={"reason": error.strerror})
            self._failing = True
        else:
            self._failing = False

    def _write(self, file: Path, data: bytes) -> None:
        handle, name = tempfile.mkstemp(dir=self._folder, suffix=_NEW)  # for this user alone
        try:
            with open(handle, "wb") as temporary:  # noqa: PTH123  # it is open already
                temporary.write(data)
                temporary.flush()
                os.fsync(handle)  # or a power cut could leave the new name without its content
            Path(name).replace(file)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _make_room(self) -> None:
        files = sorted(self._files(), key=lambda one: one[2])
        self._size = sum(size for _, size, _ in files)
        self._written = 0
        if self._size <= self._most:
            return
        for file, size, _ in files:
            if self._size <= self._most * _SLACK:
                break
            file.unlink(missing_ok=True)
            self._size -= size

    def _files(self) -> Iterator[tuple[Path, int, float]]:
        """Go through all files: name, bytes, when each was wanted last."""
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.endswith((_SUFFIX, _NEW)):
                    with contextlib.suppress(FileNotFoundError):  # another process was faster
                        found = entry.stat(follow_symlinks=False)
                        yield Path(entry.path), found.st_size, found.st_mtime

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}{_SUFFIX}"


def _written(parts: Sequence[bytes]) -> bytes:
    samples = b"".join(parts)
    head = _Head(tuple(map(len, parts)), hashlib.sha256(samples).hexdigest())
    return _MAGIC + msgspec.json.encode(head) + b"\n" + samples


def _read(data: bytes) -> Sequence[bytes] | None:
    head, newline, samples = data.removeprefix(_MAGIC).partition(b"\n")
    if not data.startswith(_MAGIC) or not newline:
        return None
    try:
        told = msgspec.json.decode(head, type=_Head)
    except msgspec.DecodeError:
        return None
    fits = all(size >= 0 and size % 2 == 0 for size in told.sizes) and sum(told.sizes) == len(samples)
    if not fits or hashlib.sha256(samples).hexdigest() != told.digest:
        return None
    return [samples[end - size : end] for size, end in zip(told.sizes, accumulate(told.sizes), strict=True)]
