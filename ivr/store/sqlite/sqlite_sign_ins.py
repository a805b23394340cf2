"""Sign-ins in the data folder: attempts, and in a table of its own the tokens that came of them."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from ivr.sign_in_storage import SignIn
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
    """`SignInStore`, of a server."""

    def __init__(self, folder: DataFolder, *, server: Writes, key: bytes) -> None:
        """Keep them with the calls of a server; `key` seals them."""
        self._server = server
        self._columns = SignInColumns(key)
        self._reader = Reader(folder.database)

    async def load(self) -> Sequence[SignIn]:
        """Return all, the oldest first; what cannot be read is left out."""
        rows = await self._reader.read(lambda connection: connection.execute(_LOAD).fetchall())
        found = (
            self._columns.read(name, as_bytes(body), None if tokens is None else as_bytes(tokens))
            for name, body, tokens in rows
        )
        return [sign_in for sign_in in found if sign_in is not None]

    async def save(self, sign_in: SignIn) -> None:
        """Keep an attempt and its tokens as they are now, both or neither; nothing where there is no such call."""
        attempt = sign_in.attempt
        body, tokens = self._columns.written(sign_in)
        statements: list[Statement] = [(_SAVE, (attempt.id, body, attempt.call))]
        if tokens is None:
            statements.append((_ERASE_TOKENS, (attempt.id,)))
        else:
            statements.append((_SAVE_TOKENS, (attempt.id, tokens, attempt.call)))
        await self._server.written(statements)

    async def erase(self, attempts: Sequence[str]) -> None:
        """Erase attempts with their tokens, by their ids; they need not be there."""
        await self._server.written([(sql, (one,)) for one in attempts for sql in (_ERASE_TOKENS, _ERASE)])

    async def over(self, calls: Sequence[str]) -> Sequence[str]:
        """Return those of these calls that are over, or that there are not."""
        live = await self._reader.read(lambda connection: _live(connection, calls))
        return [call for call in calls if call not in live]

    async def close(self) -> None:
        """Let go of the data."""
        await self._reader.close()


def _live(connection: sqlite3.Connection, calls: Sequence[str]) -> frozenset[str]:
    asked = f"SELECT id FROM call WHERE ended IS NULL AND id IN ({', '.join('?' * len(calls))})"  # noqa: S608  # marks
    return frozenset(call for (call,) in connection.execute(asked, tuple(calls)))
