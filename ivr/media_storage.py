"""What a store promises of recordings: `MediaStore`. Which driver stands behind it, `ivr.store.opening` says."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

SMALL = 64 * 1024
"Bytes up to which a recording is saved with its turn (30 s of WMA, 2 s of 16 kHz WAV); larger ones are files."


class NewMedia(Protocol):
    """A recording as it arrives."""

    media: str
    "Its name: 32 hexadecimal digits, and an extension."
    size: int
    "Bytes so far."
    head: bytes
    "The first of them."

    def add(self, data: bytes) -> None:
        """Take more audio."""

    async def flush(self) -> None:
        """Write what has gathered, if it is enough to be worth it; raise StoreUnavailable if the disk is full."""

    async def keep(self) -> bytes | None:
        """Return a small recording, to be saved with its turn; a larger one is a file once this returns (None).

        The file would survive a power cut then. Raises StoreUnavailable if it cannot be kept.
        """

    async def keep_as_file(self) -> None:
        """Keep it as a file, small as it may be: for one that is named before its turn. Raises StoreUnavailable.

        The file would survive a power cut once this returns.
        """

    async def drop(self) -> None:
        """Leave nothing behind."""


class MediaStore(Protocol):
    """The recordings. A small one is part of the turn that took it, a larger one a file that its turn names."""

    def new(self, content_type: str) -> NewMedia:
        """Begin a recording; nothing is on disk yet."""

    def open(self, media: str) -> AbstractAsyncContextManager[BinaryIO]:
        """Open a recording for reading, as a file that a process can be given; raise FileNotFoundError."""

    def path(self, media: str) -> AbstractAsyncContextManager[Path]:
        """Return a file with the recording, for an engine that takes nothing else, and for as long as the context.

        Of a small recording it is a copy. Raises FileNotFoundError.
        """

    async def size(self, media: str) -> int:
        """Return the bytes of a recording; raise FileNotFoundError."""

    async def delete(self, media: str) -> None:
        """Remove a file; it need not exist. A small recording goes with its call.

        Raises FileNotFoundError for what is no name of a recording.
        """

    def older(self, before: float) -> AsyncGenerator[Sequence[str], None]:
        """Return the files that were last written before then (seconds since 1970), a portion at a time."""

    async def close(self) -> None:
        """Finish the work that is under way."""
