"""One world for each store: the store itself, and what a crash leaves of it."""

import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from ivr.storage import CallStore, Order
from ivr.store.data_folder import DataFolder
from ivr.store.memory.memory_archive import MemoryArchive
from ivr.store.memory.memory_bot_state import MemoryBotStates
from ivr.store.memory.memory_calls import MemoryStore
from ivr.store.memory.memory_mailbox import MemoryMailbox
from ivr.store.memory.memory_outbox import MemoryOutbox, MemoryPlatformRequests
from ivr.store.memory.memory_search import MemorySearch
from ivr.store.memory.memory_sign_ins import MemorySignIns
from ivr.store.memory.memory_voicemails import MemoryVoicemails
from ivr.store.sqlite.sqlite_archive import SqliteArchive
from ivr.store.sqlite.sqlite_bot_state import SqliteBotStates
from ivr.store.sqlite.sqlite_calls import SqliteStore
from ivr.store.sqlite.sqlite_deliveries import SqliteOutbox, SqlitePlatformRequests
from ivr.store.sqlite.sqlite_mailbox import SqliteMailbox
from ivr.store.sqlite.sqlite_search import SqliteSearch
from ivr.store.sqlite.sqlite_sign_ins import SqliteSignIns
from ivr.store.sqlite.sqlite_voicemails import SqliteVoicemails
from ivr.store.sqlite.state_rows import StateRows
from ivr.store.state_columns import PURPOSE
from tests.store.postgres_world import PostgresWorld


class MemoryWorld:
    def __init__(self) -> None:
        self.store = MemoryStore()
        self.archive = MemoryArchive(self.store)
        self.outbox = MemoryOutbox(self.store)
        self.requests = MemoryPlatformRequests(self.store)
        self.states = MemoryBotStates()
        self.sign_ins = MemorySignIns(self.store)
        self.mailbox = MemoryMailbox(self.store)
        self.search = MemorySearch(self.store)
        self.voicemails = MemoryVoicemails(self.store)

    async def open(self) -> None:
        self.store.restart()

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
        self._archive: SqliteArchive | None = None
        self._outbox: SqliteOutbox | None = None
        self._requests: SqlitePlatformRequests | None = None
        self._states: SqliteBotStates | None = None
        self._sign_ins: SqliteSignIns | None = None
        self._mailbox: SqliteMailbox | None = None
        self._search: SqliteSearch | None = None
        self._voicemails: SqliteVoicemails | None = None

    @property
    def folder(self) -> Path:
        return self._folder / str(self._lives)

    @property
    def database(self) -> Path:
        return self.folder / "calls.db"

    @property
    def archive(self) -> SqliteArchive:
        """That of the server; nothing of it is open until it is used."""
        if self._archive is None:
            self._archive = SqliteArchive(DataFolder(self.folder), seal_key=self._seal_key, server=self.store)
        return self._archive

    @property
    def outbox(self) -> SqliteOutbox:
        """That of the server; nothing of it is open until it is used."""
        if self._outbox is None:
            self._outbox = SqliteOutbox(DataFolder(self.folder), server=self.store)
        return self._outbox

    @property
    def requests(self) -> SqlitePlatformRequests:
        """Those of the server; nothing of them is open until it is used."""
        if self._requests is None:
            self._requests = SqlitePlatformRequests(DataFolder(self.folder), server=self.store)
        return self._requests

    @property
    def states(self) -> SqliteBotStates:
        """Those of the server; nothing of them is open until it is used."""
        if self._states is None:
            self._states = SqliteBotStates(self.database, StateRows(self.store.derived_key(PURPOSE)), self.store)
        return self._states

    @property
    def sign_ins(self) -> SqliteSignIns:
        """Those of the server; nothing of them is open until it is used."""
        if self._sign_ins is None:
            key = self.store.derived_key("sealed sign-ins")
            self._sign_ins = SqliteSignIns(DataFolder(self.folder), server=self.store, key=key)
        return self._sign_ins

    @property
    def mailbox(self) -> SqliteMailbox:
        """That of the server; nothing of it is open until it is used."""
        if self._mailbox is None:
            key = self.store.derived_key("mailbox")
            self._mailbox = SqliteMailbox(DataFolder(self.folder), server=self.store, key=key)
        return self._mailbox

    @property
    def search(self) -> SqliteSearch:
        """That of the server; nothing of it is open until it is used."""
        if self._search is None:
            self._search = SqliteSearch(DataFolder(self.folder))
        return self._search

    @property
    def voicemails(self) -> SqliteVoicemails:
        """Those of the server; nothing of them is open until they are used."""
        if self._voicemails is None:
            self._voicemails = SqliteVoicemails(DataFolder(self.folder), server=self.store)
        return self._voicemails

    async def begin(self) -> None:
        self.folder.mkdir()
        await self.open()

    async def open(self, seal_key: str | None = None, **more: int) -> None:
        await self._close_archive()
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
        await self._close_archive()
        await self.store.close()

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement on the database, and return its rows."""
        return ask(self.database, sql)

    def held(self, words: Iterable[bytes]) -> set[bytes]:
        """Return which of these words stand in a file of the data folder."""
        contents = [path.read_bytes() for path in self.folder.rglob("*") if path.is_file()]
        return {word for word in words if any(word in content for content in contents)}

    def derived_key(self, purpose: str) -> bytes:
        """Return a key that is derived from that of sealed values."""
        return self.store.derived_key(purpose)

    async def _close_archive(self) -> None:
        if self._archive is not None:
            await self._archive.close()
            self._archive = None
        if self._outbox is not None:
            await self._outbox.close()
            self._outbox = None
        if self._requests is not None:
            await self._requests.close()
            self._requests = None
        if self._states is not None:
            await self._states.close()
            self._states = None
        if self._sign_ins is not None:
            await self._sign_ins.close()
            self._sign_ins = None
        if self._mailbox is not None:
            await self._mailbox.close()
            self._mailbox = None
        if self._search is not None:
            await self._search.close()
            self._search = None
        if self._voicemails is not None:
            await self._voicemails.close()
            self._voicemails = None


World = MemoryWorld | SqliteWorld
StatesWorld = World | PostgresWorld
DurableWorld = SqliteWorld | PostgresWorld


async def claim(
    store: CallStore, *, owner: str = "worker", now: float = 0.0, lease: float = 60.0, limit: int = 9
) -> list[Order]:
    """Take orders as a worker does; what is not said does not matter to the test."""
    return list(await store.claim(owner, now=now, lease=lease, limit=limit))


def ask(database: Path, sql: str) -> list[tuple[Any, ...]]:
    """Run a statement on a database and return its rows."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute(sql).fetchall()
        connection.commit()
    return rows
