"""What bots keep, in the database of a running server: read beside its writer, written by it.

Who writes looks first, and another one may write meanwhile. So what is kept of one user, or of one conversation, is
written by one at a time (`_turns`), also if the task that began a write has not waited for it (`quiet`).
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Hashable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol, TypeAlias
from weakref import WeakValueDictionary

from ivr.bot_state import TOUCHED_EVERY, StateKey, StateRecord, StateTags, may_write
from ivr.errors import StateChanged, StoreUnavailable, TooManyStates
from ivr.store.sqlite.read_only import Reader
from ivr.store.sqlite.state_rows import StateRows, count_of, count_old, forgetting, touching
from ivr.store.sqlite.writer import Statement
from ivr.store.state_columns import StoredState

SECOND = 1_000_000_000
"In nanoseconds."
_Owner: TypeAlias = tuple[str, str, str, str]
"The first is a word; then the app, the channel, and the user or the conversation."


class Writes(Protocol):
    """The server's own store."""

    def written(self, statements: Sequence[Statement], *, key: Hashable | None = None) -> "asyncio.Future[None]":
        """Carry statements out that touch nothing in memory; done once they stand, or StoreUnavailable."""

    async def quiet(self, key: Hashable) -> None:
        """Wait until nothing is being written under a key."""

    async def empty_log(self) -> bool:
        """Empty the log; return whether no reader prevented it."""


class SqliteBotStates:
    """`BotStates`."""

    def __init__(self, database: Path, rows: StateRows, server: Writes) -> None:
        self._rows = rows
        self._server = server
        self._reader = Reader(database)
        self._tags = StateTags()
        self._turns: WeakValueDictionary[_Owner, asyncio.Lock] = WeakValueDictionary()
        self._log_holds_some = False

    async def get(self, key: StateKey, *, at: int) -> StateRecord | None:
        """Return a record, which counts as used; None: there is none. Raises UnreadableRow."""
        row = await self._find(key)
        if row is None:
            return None
        if at / SECOND - row.touched >= TOUCHED_EVERY:
            with contextlib.suppress(StoreUnavailable):  # a full disk keeps nobody from reading
                await self._server.written([touching(row.name, at / SECOND)])
        return self._rows.read(row)

    async def put(self, key: StateKey, data: bytes, expected: str | None, *, at: int, most: int) -> StateRecord:
        """Keep data under a name, and return it with its new tag; raise StateChanged, TooManyStates."""
        async with self._turn(key) as owner:
            row = await self._checked(key, expected)
            if row is None and await self._reader.read(lambda one: count_of(one, key.app, most)) >= most:
                raise TooManyStates(f"{most} records")
            record = StateRecord(data, self._tags.next(at))
            await self._server.written([self._rows.putting(key, record, at / SECOND)], key=owner)
            return record

    async def drop(self, key: StateKey, expected: str | None) -> None:
        """Forget a record, which need not be there; raise StateChanged if it has another tag than the expected one."""
        async with self._turn(key) as owner:
            if await self._checked(key, expected) is not None:
                self._log_holds_some = True
                await self._server.written(self._rows.dropping(key), key=owner)

    async def drop_user(self, app: str, channel: str, user: str) -> Sequence[str]:
        """Forget all that a bot keeps of a user on a channel, but for what it keeps of conversations."""
        async with self._turn(StateKey(app, channel, user=user)) as owner:
            found = await self._reader.read(lambda one: self._rows.of_user(one, app, channel, user))
            if found:
                self._log_holds_some = True
                await self._server.written(self._rows.dropping_user(app, channel, user), key=owner)
            return [self._rows.shown_id(row) for row in found]

    async def forget(self, *, before: float, limit: int) -> int:
        """Forget records that were not used since then (seconds since 1970), and return how many: at most so many."""
        old = await self._reader.read(lambda one: count_old(one, before, limit))
        if old:
            self._log_holds_some = True
            await self._server.written(forgetting(before, limit))
        return old

    async def tidy(self) -> None:
        """Leave nothing of what was forgotten in the store's log; to be done again and again."""
        if self._log_holds_some and await self._server.empty_log():
            self._log_holds_some = False

    async def close(self) -> None:
        """Let go of the data."""
        await self._reader.close()

    @asynccontextmanager
    async def _turn(self, key: StateKey) -> AsyncGenerator[_Owner, None]:
        """Wait until nobody else writes what is kept of the same user, or conversation; return the key of writes."""
        owner = (type(self).__name__, key.app, key.channel, f"users/{key.user}" if key.user else key.conversation)
        lock = self._turns.setdefault(owner, asyncio.Lock())
        async with lock:
            await self._server.quiet(owner)
            yield owner

    async def _checked(self, key: StateKey, expected: str | None) -> StoredState | None:
        row = await self._find(key)
        if not may_write(row.tag if row else None, expected):
            raise StateChanged("another tag")
        return row

    async def _find(self, key: StateKey) -> StoredState | None:
        return await self._reader.read(lambda connection: self._rows.find(connection, key))
