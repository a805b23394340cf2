"""Sign-ins in the data folder: attempts, and in a table of its own the tokens that came of them."""

import asyncio
import sqlite3
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from ivr.sign_in_storage import Attempt, SignIn, Watched, digests_of, due_at
from ivr.store.data_folder import DataFolder
from ivr.store.sign_in_columns import SignInColumns
from ivr.store.sqlite.read_only import Reader
from ivr.store.sqlite.sqlite_deliveries import Writes
from ivr.store.sqlite.tables import as_bytes
from ivr.store.sqlite.writer import Statement

_SAVE: Final = (
    "INSERT INTO sign_in (call, id, body) SELECT row, ?, ? FROM call WHERE id = ? "
    "ON CONFLICT (id) DO UPDATE SET body = excluded.body"
)
_SAVE_TOKENS: Final = (
    "INSERT INTO sign_in_token (call, id, body) SELECT row, ?, ? FROM call WHERE id = ? "
    "ON CONFLICT (id) DO UPDATE SET body = excluded.body"
)
_ERASE: Final = "DELETE FROM sign_in WHERE id = ?"
_ERASE_TOKENS: Final = "DELETE FROM sign_in_token WHERE id = ?"
_LOAD: Final = (
    "SELECT sign_in.id, sign_in.body, sign_in_token.body FROM sign_in "
    "LEFT JOIN sign_in_token ON sign_in_token.id = sign_in.id ORDER BY sign_in.rowid"
)


class SqliteSignIns:
    """`SignInStore`, of a server, which is the only one: what there is was read once, and is in memory, too."""

    def __init__(self, folder: DataFolder, *, server: Writes, key: bytes) -> None:
        """Keep them with the calls of a server; `key` seals them."""
        self._server = server
        self._columns = SignInColumns(key)
        self._reader = Reader(folder.database)
        self._lock = asyncio.Lock()
        "Of who changes something: what was read is as it was until that is written."
        self._all: dict[str, SignIn] | None = None
        "By id, the oldest first; None: it was not read yet."
        self._digests: dict[str, str] = {}
        "The ids by digest."

    async def add(self, attempt: Attempt) -> None:
        """Keep a new attempt; nothing where there is no such call."""
        async with self._lock:
            held = await self._loaded()
            await self._save(SignIn(attempt))
            if await self._reader.read(lambda connection: _calls(connection, [attempt.call])):
                self._put(held, SignIn(attempt))

    async def get(self, attempt: str) -> SignIn | None:
        """Return an attempt by its id; None: there is none."""
        return (await self._loaded()).get(attempt)

    async def known(self, digest: str) -> SignIn | None:
        """Return the attempt that has this digest."""
        held = await self._loaded()
        return held.get(self._digests.get(digest, ""))

    async def of_call(self, call: str) -> Sequence[SignIn]:
        """Return the attempts of a call, the oldest first."""
        return [one for one in (await self._loaded()).values() if one.attempt.call == call]

    async def count(self) -> int:
        """Count all that there are."""
        return len(await self._loaded())

    async def change(self, before: SignIn, after: SignIn) -> SignIn | None:
        """Keep `after` in the place of `before`, both or neither of its parts; None: it is as before no longer."""
        async with self._lock:
            held = await self._loaded()
            now = held.get(before.attempt.id)
            if now is None or now.version != before.version:
                return None
            changed = replace(after, version=before.version + 1)
            await self._save(changed)
            self._put(held, changed)
            return changed

    async def erase(self, attempts: Sequence[str]) -> None:
        """Erase attempts with their tokens, by their ids; they need not be there."""
        async with self._lock:
            held = await self._loaded()
            await self._server.written([(sql, (one,)) for one in attempts for sql in (_ERASE_TOKENS, _ERASE)])
            for one in attempts:
                self._forget(one)
                held.pop(one, None)

    async def watched(self, now: float) -> Sequence[Watched]:
        """Return those of calls that are over, and those that are due by then."""
        held = await self._loaded()
        if not held:
            return ()
        calls = list({one.attempt.call for one in held.values()})
        live = await self._reader.read(lambda connection: _calls(connection, calls, "AND ended IS NULL"))
        found = [Watched(one, one.attempt.call not in live) for one in held.values()]
        return [one for one in found if one.over or due_at(one.sign_in) <= now]

    async def close(self) -> None:
        """Let go of the data."""
        await self._reader.close()

    async def _loaded(self) -> dict[str, SignIn]:
        if self._all is None:
            rows = await self._reader.read(lambda connection: connection.execute(_LOAD).fetchall())
            if self._all is None:  # another one may have read them meanwhile
                self._all = {}
                for name, body, tokens in rows:
                    sign_in = self._columns.read(name, as_bytes(body), None if tokens is None else as_bytes(tokens))
                    if sign_in is not None:
                        self._put(self._all, sign_in)
        return self._all

    async def _save(self, sign_in: SignIn) -> None:
        attempt = sign_in.attempt
        body, tokens = self._columns.written(sign_in)
        statements: list[Statement] = [(_SAVE, (attempt.id, body, attempt.call))]
        if tokens is None:
            statements.append((_ERASE_TOKENS, (attempt.id,)))
        else:
            statements.append((_SAVE_TOKENS, (attempt.id, tokens, attempt.call)))
        await self._server.written(statements)

    def _put(self, held: dict[str, SignIn], sign_in: SignIn) -> None:
        self._forget(sign_in.attempt.id)
        held[sign_in.attempt.id] = sign_in
        self._digests.update(dict.fromkeys(digests_of(sign_in.attempt), sign_in.attempt.id))

    def _forget(self, attempt: str) -> None:
        """Let no digest lead to an attempt any more."""
        held = self._all.get(attempt) if self._all is not None else None
        for digest in digests_of(held.attempt) if held is not None else ():
            self._digests.pop(digest, None)


def _calls(connection: sqlite3.Connection, calls: Sequence[str], more: str = "") -> frozenset[str]:
    """Return those of these calls that there are."""
    asked = f"SELECT id FROM call WHERE id IN ({', '.join('?' * len(calls))}) {more}"  # noqa: S608  # marks
    return frozenset(call for (call,) in connection.execute(asked, tuple(calls)))
