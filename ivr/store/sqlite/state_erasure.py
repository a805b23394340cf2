"""Erasing what bots keep, of one user or of all, while no server serves the data folder."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from ivr.bot_state import ErasedStates
from ivr.errors import DataUnusable, StoreUnavailable
from ivr.storage import PATIENCE
from ivr.store.data_folder import DataFolder
from ivr.store.sealing import Sealer
from ivr.store.sqlite.damaged import proves
from ivr.store.sqlite.database_file import open_database
from ivr.store.sqlite.sqlite_errors import REFUSALS, reason
from ivr.store.sqlite.state_rows import StateRows, count_all, erasing
from ivr.store.sqlite.writer import empty_log
from ivr.store.state_columns import PURPOSE

_OF_USER = "WHERE user = ?1 OR (conversation = ?1 AND user = '')"
"Those of a conversation that has the user's own id are the user's, too: so some channels call a conversation of two."
_NOBODY = "WHERE FALSE"


class SqliteStateErasure:
    """`StateErasure`."""

    def __init__(self, folder: DataFolder, *, seal_key: str | None, patience: float = PATIENCE) -> None:
        """`seal_key`: the one in the settings, if any. `patience`: seconds for which other programs are waited for."""
        self._folder = folder
        self._seal_key = seal_key
        self._patience = patience

    async def count(self, user: str | None) -> int:
        """Count what `erase` would erase; it raises the same."""
        return await asyncio.to_thread(self._count, user)

    async def erase(self, user: str | None) -> ErasedStates:
        """Erase all records, or those of a user in any channel and by any bot, and overwrite what was there."""
        return await asyncio.to_thread(self._erase, user)

    def _count(self, user: str | None) -> int:
        with _opened(self._folder, self._patience) as connection:
            where, values = _whose(connection, self._folder, user, self._seal_key)
            return count_all(connection, where, *values)

    def _erase(self, user: str | None) -> ErasedStates:
        with _opened(self._folder, self._patience) as connection:
            where, values = _whose(connection, self._folder, user, self._seal_key)
            connection.execute("BEGIN IMMEDIATE")
            erased = 0
            for statement, given in erasing(where, *values):
                erased = connection.execute(statement, given).rowcount
            connection.execute("COMMIT")
            return ErasedStates(erased, empty_log(connection, wait=True))


def _whose(
    connection: sqlite3.Connection, folder: DataFolder, user: str | None, seal_key: str | None
) -> tuple[str, tuple[str, ...]]:
    if user is None:
        return "", ()
    if count_all(connection, "LIMIT 1") == 0:
        return _NOBODY, ()
    sealer = Sealer.find(seal_key, folder.seal_key)
    if sealer.is_new:
        raise DataUnusable(
            "What bots keep of a user is found with the key of sealed values alone, and it is not here. "
            f"Set IVR_SEAL_KEY as the server has it, or put {folder.seal_key} back. "
            "If it is lost, erase what bots keep of everybody: ivr botstate erase --all"
        )
    rows = StateRows(sealer.derived(PURPOSE))
    if not proves(connection, sealer):
        rows.require_right_key(connection)
    return _OF_USER, (rows.hashed(user),)


@contextmanager
def _opened(folder: DataFolder, patience: float) -> Iterator[sqlite3.Connection]:
    try:
        with closing(open_database(folder.database)) as connection:
            connection.execute(f"PRAGMA busy_timeout = {round(1000 * patience)}")
            yield connection
    except REFUSALS as exc:
        raise StoreUnavailable(f"the database {folder.database} cannot be used: {reason(exc)}") from exc
