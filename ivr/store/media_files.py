"""The folder of recordings: a file for each that is not small, under names that cannot be guessed.

All file work happens in one thread, so the loop never waits for a disk and work on one file keeps its order; only the
syncs of finished files are spread over a few, since the disk takes those together. A file counts as kept once it and
the folder are synced; the folder's sync is shared by all files that became ready meanwhile. A file that no call names
is rubbish: deleted at once where we know, swept later where a crash came between.
"""

import asyncio
import os
import re
import secrets
from collections import ChainMap, deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from functools import partial
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeVar

from ivr.audio.length import HEAD
from ivr.errors import StoreUnavailable
from ivr.media_storage import SMALL
from ivr.smallfiles import open_regular
from ivr.store.data_folder import sync_folder
from ivr.store.disk_errors import disk_reason
from ivr.store.started_threads import started_threads

T = TypeVar("T")

BUFFER = 256 * 1024
"Bytes that are gathered before they are worth a trip to the file thread: more than `SMALL`."
BATCH = 32
"Files that are open at the same time while they wait for the disk; connections need file handles too."

PORTION = 500
"Entries of the folder that are looked at in one go, some milliseconds of the file thread."

SYNCS = 4
"Files that are synced at the same time: the disk takes them together."

EXTENSIONS = {
    "audio/x-ms-wma": "wma",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/vnd.wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
}
"By type of the part; anything else is kept as `bin`, since what it really is only a decoder can tell."

_NAME = re.compile(r"[0-9a-f]{32}\.[a-z0-9]{1,4}")


class MediaFiles:
    """The audio folder of one data folder: a `MediaStore` of files. Small recordings it gives to others to keep."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._thread = started_threads(1, "recordings")
        self._syncs = started_threads(SYNCS, "recordings-sync")
        self._ready: deque[tuple[MediaFile, asyncio.Future[None]]] = deque()

    def new(self, content_type: str) -> "MediaFile":
        """Begin a recording; nothing is on disk yet."""
        name = new_name(content_type)
        return MediaFile(self, name, self._folder / name)

    @asynccontextmanager
    async def open(self, media: str) -> AsyncIterator[BinaryIO]:
        """Open a recording for reading; raise FileNotFoundError, also for anything that is not a name of ours."""
        opening = self._thread.submit(lambda: open_regular(self._file(media)))
        try:
            file = await _read(opening)
            yield file
        finally:
            opening.add_done_callback(_close)  # even if the waiting task was cancelled before it was open

    @asynccontextmanager
    async def copy(self, media: str, pieces: AsyncIterable[bytes]) -> AsyncIterator[Path]:
        """Make a file of a recording that is none, under a name that no call knows, for as long as the context.

        It is not synced. What a crash leaves of it, the sweep deletes.
        """
        path = self._file(f"{secrets.token_hex(16)}{self._file(media).suffix}")
        try:
            await self.do(lambda: os.close(create_file(path)))
            async for piece in pieces:
                await self.do(partial(_append, path, piece))
            yield path
        finally:
            with suppress(StoreUnavailable):  # then the sweep deletes it
                await self.do(lambda: path.unlink(missing_ok=True))

    @asynccontextmanager
    async def path(self, media: str) -> AsyncIterator[Path]:
        """Return the file of a recording; raise FileNotFoundError."""
        await self.size(media)
        yield self._file(media)

    async def size(self, media: str) -> int:
        """Return the bytes of a recording; raise FileNotFoundError."""
        return await _read(self._thread.submit(lambda: self._file(media).stat().st_size))

    async def delete(self, media: str) -> None:
        """Remove a recording; it need not exist. Raises FileNotFoundError if it is no name of ours."""
        file = self._file(media)
        await self.do(lambda: file.unlink(missing_ok=True))

    async def older(self, before: float) -> AsyncGenerator[Sequence[str], None]:
        """Return the recordings that were last written before then (seconds since 1970), a portion at a time.

        However many there are, no upload waits for more than the look at one portion.
        """
        walk = _FolderWalk(self._folder, before)
        try:
            while (names := await self.do(walk.portion)) is not None:
                if names:
                    yield names
        finally:
            self._thread.submit(walk.close)  # even if the caller has stopped iterating

    async def close(self) -> None:
        """Finish the work that is under way."""
        self._thread.shutdown()
        self._syncs.shutdown()

    def _file(self, media: str) -> Path:
        check_name(media)
        return self._folder / media

    async def do(self, work: Callable[[], T]) -> T:
        """Run file work in the thread. It is finished even if the waiting task is cancelled."""
        try:
            return await asyncio.shield(asyncio.wrap_future(self._thread.submit(work)))
        except OSError as error:
            raise _disk_trouble(error) from error

    async def sync(self, file: "MediaFile") -> None:
        """Have a file written whole and synced, and the folder too, even if the waiting task is cancelled."""
        loop = asyncio.get_running_loop()
        kept: asyncio.Future[None] = loop.create_future()
        self._ready.append((file, kept))
        if len(self._ready) == 1:  # else a run that is under way or on its way takes this one along
            self._thread.submit(self._sync_ready, loop)
        try:
            await kept
        except OSError as error:
            raise _disk_trouble(error) from error

    def _sync_ready(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._ready:
            batch = [self._ready.popleft() for _ in range(min(len(self._ready), BATCH))]
            files = [file for file, _ in batch]
            # All are written before the first is synced: the disk then has most of the others on its way already.
            failures = _tried(MediaFile.write_rest, files)
            failures |= self._synced([file for file in files if file not in failures])
            try:
                sync_folder(self._folder)
            except OSError as error:
                failures = dict.fromkeys(files, error) | failures
            loop.call_soon_threadsafe(_settle, [(kept, failures.get(file)) for file, kept in batch])

    def _synced(self, files: Sequence["MediaFile"]) -> dict["MediaFile", Exception]:
        parts = [files[first::SYNCS] for first in range(min(SYNCS, len(files)))]
        return dict(ChainMap(*self._syncs.map(lambda part: _tried(MediaFile.sync, part), parts)))


class MediaFile:
    """One recording as it arrives."""

    def __init__(self, folder: MediaFiles, media: str, path: Path) -> None:
        self.media = media
        self.size = 0
        "Bytes so far."
        self.head = b""
        "The first of them."
        self._files = folder
        self._path = path
        self._file: int | None = None
        self._buffer: list[bytes] = []
        self._buffered = 0
        self._is_file = False

    def add(self, data: bytes) -> None:
        """Take more audio."""
        if len(self.head) < HEAD:
            self.head += data[: HEAD - len(self.head)]
        self._buffer.append(data)
        self._buffered += len(data)
        self.size += len(data)

    async def flush(self) -> None:
        """Write what has gathered, if it is enough to be worth it; raise StoreUnavailable if the disk is full."""
        if self._buffered >= BUFFER:
            chunks = self._take()
            await self._files.do(lambda: self._write(chunks))

    async def keep(self) -> bytes | None:
        """Return a small recording. A larger one would survive a power cut once this returns (None).

        Raises StoreUnavailable if it cannot be kept.
        """
        if self.size <= SMALL:
            return b"".join(self._take())
        await self._files.sync(self)
        return None

    async def keep_as_file(self) -> None:
        """Keep it as a file, small as it may be; it would survive a power cut once this returns.

        Raises StoreUnavailable if it cannot be kept.
        """
        self._is_file = True
        await self._files.sync(self)

    def write_rest(self) -> None:
        """Write all that has gathered, even if it is nothing. In the file thread, like `sync`."""
        self._write(self._take())

    def sync(self) -> None:
        """Have the disk take what was written, and close."""
        if self._file is not None:
            os.fsync(self._file)
        self._close()

    async def drop(self) -> None:
        """Leave nothing behind."""
        self._take()
        if self.size <= SMALL and not self._is_file:  # nothing was ever written
            return

        def remove() -> None:
            self._close()
            self._path.unlink(missing_ok=True)

        await self._files.do(remove)

    def _take(self) -> list[bytes]:
        chunks, self._buffer, self._buffered = self._buffer, [], 0
        return chunks

    def _write(self, chunks: list[bytes]) -> None:
        if self._file is None:
            self._file = create_file(self._path)
        for chunk in chunks:
            write_all(self._file, chunk)

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


def new_name(content_type: str) -> str:
    """Make up the name of a recording: 128 random bits, and an extension for its type."""
    return f"{secrets.token_hex(16)}.{EXTENSIONS.get(content_type, 'bin')}"


def in_memory(audio: bytes) -> BinaryIO:
    """Open some bytes as a file that a process can be given."""
    file = os.fdopen(os.memfd_create("recording"), "w+b")
    file.write(audio)
    file.seek(0)
    return file


async def in_one_piece(audio: bytes) -> AsyncGenerator[bytes, None]:
    """Yield some bytes, as those that come in pieces are."""
    yield audio


def is_name(media: str) -> bool:
    """Return whether this is a name of ours."""
    return _NAME.fullmatch(media) is not None


def check_name(media: str) -> None:
    """Raise FileNotFoundError for anything that is not a name of ours."""
    if not is_name(media):
        raise FileNotFoundError("not the name of a recording")


def create_file(path: Path) -> int:
    """Make a file for its owner alone, where there is none yet; return its descriptor."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def write_all(file: int, data: bytes) -> None:
    """Write all of it."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def _append(path: Path, data: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        write_all(file, data)
    finally:
        os.close(file)


class _FolderWalk:
    """A walk through the folder, a portion at a time; all of it in the file thread."""

    def __init__(self, folder: Path, before: float) -> None:
        self._folder = folder
        self._before = before
        self._entries: os._ScandirIterator[str] | None = None

    def portion(self) -> Sequence[str] | None:
        """Look at some entries, and return the old recordings among them; None: that was all."""
        if self._entries is None:
            self._entries = os.scandir(self._folder)
        looked_at = list(islice(self._entries, PORTION))
        return [entry.name for entry in looked_at if self._is_old(entry)] if looked_at else None

    def close(self) -> None:
        """Let go of the folder."""
        if self._entries is not None:
            self._entries.close()

    def _is_old(self, entry: "os.DirEntry[str]") -> bool:
        with suppress(FileNotFoundError):  # deleted since it was listed
            ours = is_name(entry.name) and entry.is_file(follow_symlinks=False)
            return ours and entry.stat(follow_symlinks=False).st_mtime < self._before
        return False


def _tried(work: Callable[[MediaFile], None], files: Iterable[MediaFile]) -> dict[MediaFile, Exception]:
    """Do it with each file, whatever happens to the others; give what failed."""
    failures = {}
    for file in files:
        try:
            work(file)
        except Exception as error:  # of any kind: the task that waits for this file gets it
            failures[file] = error
    return failures


def _settle(outcomes: Sequence[tuple[asyncio.Future[None], Exception | None]]) -> None:
    for kept, failure in outcomes:
        if kept.done():
            continue  # the waiting task was cancelled
        if failure is not None:
            kept.set_exception(failure)
        else:
            kept.set_result(None)


async def _read(opening: Future[T]) -> T:
    """Return what was found in a file; raise FileNotFoundError if it is gone."""
    try:
        return await asyncio.shield(asyncio.wrap_future(opening))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreUnavailable(f"The recording cannot be read: {disk_reason(error)}.") from error


def _close(opening: Future[BufferedReader]) -> None:
    if opening.exception() is None:
        opening.result().close()


def _disk_trouble(error: OSError) -> StoreUnavailable:
    """Return the kind of trouble, not the path."""
    return StoreUnavailable(f"The recording cannot be written: {disk_reason(error)}.")
