"""One world for each store: the store itself, and what a crash leaves of it."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from ivr.storage import CallStore, Order
from ivr.store.memory import MemoryStore
from ivr.store.sqlite import SqliteStore


class MemoryWorld:
    def __init__(self) -> None:
        self.store = MemoryStore()

    async def crash(self) -> None:
        self.store.restart()

    async def end(self) -> None:
        await self.store.close()


class SqliteWorld:
    """A crash is a copy of the files, taken while the store is open, and opened as if by the next process."""

    def __init__(self, folder: Path, seal_key: str | None = None) -> None:
        self._folder = folder
        self._seal_key = seal_key
        self._lives = 0
        self.store: SqliteStore

    @property
    def folder(self) -> Path:
        return self._folder / str(self._lives)

    @property
    def database(self) -> Path:
        return self.folder / "calls.db"

    async def begin(self) -> None:
        self.folder.mkdir()
        await self.open()

    async def open(self, seal_key: str | None = None, **more: int) -> None:
        self.store = await SqliteStore.open(
            self.database, seal_key=seal_key or self._seal_key, seal_file=self.folder / "seal.key", **more
        )

    async def crash(self) -> None:
        crashed, left_behind = self.store, self.folder
        self._lives += 1
        shutil.copytree(left_behind, self.folder)
        await crashed.close()
        await self.open()

    async def end(self) -> None:
        await self.store.close()


World = MemoryWorld | SqliteWorld


async def claim(
    store: CallStore, *, owner: str = "worker", now: float = 0.0, lease: float = 60.0, limit: int = 9
) -> Sequence[Order]:
    """Take orders as a worker does; what is not said does not matter to the test."""
    return await store.claim(owner, now=now, lease=lease, limit=limit)
