"""Sign-ins in the data folder: attempts, and in a table of its own the tokens that came of them, each sealed.

Their key is derived from that of other sealed values, so that a value of one kind opens as no other.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from msgspec import MsgspecError, json

from ivr.errors import BrokenSeal
from ivr.sign_in_storage import Attempt, SignIn, Tokens
from ivr.store.data_folder import DataFolder
from ivr.store.sealing import Sealer
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
_ATTEMPT, _TOKENS = json.Decoder(Attempt).decode, json.Decoder(Tokens).decode


class SqliteSignIns:
    """`SignInStore`, of a server."""

    def __init__(self, folder: DataFolder, *, server: Writes, key: bytes) -> None:
        """Keep them with the calls of a server; `key` seals them."""
        self._server = server
        self._sealer = Sealer(key, source="the one of sign-ins")
        self._reader = Reader(folder.database)

    async def load(self) -> Sequence[SignIn]:
        """Return all, the oldest first; what cannot be read is left out."""
        rows = await self._reader.read(lambda connection: connection.execute(_LOAD).fetchall())
        return [sign_in for row in rows if (sign_in := self._read(*row)) is not None]

    async def save(self, sign_in: SignIn) -> None:
        """Keep an attempt and its tokens as they are now, both or neither; nothing where there is no such call."""
        attempt, tokens = sign_in.attempt, sign_in.tokens
        body = self._sealer.seal(json.encode(attempt), _place(attempt.id))
        statements: list[Statement] = [(_SAVE, (attempt.id, body, attempt.call))]
        if tokens is None:
            statements.append((_ERASE_TOKENS, (attempt.id,)))
        else:
            sealed = self._sealer.seal(json.encode(tokens), _token_place(attempt.id))
            statements.append((_SAVE_TOKENS, (attempt.id, sealed, attempt.call)))
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

    def _read(self, name: Any, body: Any, tokens: Any) -> SignIn | None:
        try:
            attempt = _ATTEMPT(self._sealer.unseal(as_bytes(body), _place(name)))
            if tokens is None:
                return SignIn(attempt)
            return SignIn(attempt, _TOKENS(self._sealer.unseal(as_bytes(tokens), _token_place(name))))
        except (BrokenSeal, MsgspecError, UnicodeDecodeError, RecursionError):
            return None  # whoever waits for it hears that it has expired, and can begin anew


def _live(connection: sqlite3.Connection, calls: Sequence[str]) -> frozenset[str]:
    asked = f"SELECT id FROM call WHERE ended IS NULL AND id IN ({', '.join('?' * len(calls))})"  # noqa: S608  # marks
    return frozenset(call for (call,) in connection.execute(asked, tuple(calls)))


def _place(attempt: str) -> str:
    return f"sign-in {attempt}"


def _token_place(attempt: str) -> str:
    return f"tokens {attempt}"
