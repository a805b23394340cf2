"""Erasing what bots keep, of one user or of all, while no server serves the data folder."""

import sqlite3
from contextlib import closing

from msgspec import Struct

from ivr.errors import DataUnusable, StoreUnavailable
from ivr.store.damaged import proves
from ivr.store.data_folder import DataFolder
from ivr.store.database_file import open_database
from ivr.store.sealing import Sealer
from ivr.store.sqlite_errors import REFUSALS, reason
from ivr.store.state_rows import PURPOSE, StateRows, erasing
from ivr.store.writer import empty_log


class ErasedStates(Struct, frozen=True):
    """What became of an order to erase what bots keep."""

    records: int
    left: str = ""
    "Why the store's log still holds what was erased, until it is erased again; empty: it holds nothing of it."


def erase_states(folder: DataFolder, user: str | None, *, seal_key: str | None, patience: float) -> ErasedStates:
    """Erase all records, or those of a user in any channel and by any bot, and overwrite what was there.

    Those of a conversation that has the user's own id are the user's, too: so some channels call a conversation of two.
    The caller owns the folder (`DataFolder.open`). `seal_key`: the one in the settings, if any. `patience`: seconds for
    which other programs are waited for. Blocks on the disk. Raises StoreUnavailable, and DataUnusable where the key of
    sealed values is not at hand, without which nobody's records can be found.
    """
    try:
        with closing(open_database(folder.database)) as connection:
            connection.execute(f"PRAGMA busy_timeout = {round(1000 * patience)}")
            records = _erase(connection, "", ()) if user is None else _erase_user(connection, folder, user, seal_key)
            return ErasedStates(records, empty_log(connection, wait=True))
    except REFUSALS as exc:
        raise StoreUnavailable(f"the database {folder.database} cannot be used: {reason(exc)}") from exc


def _erase_user(connection: sqlite3.Connection, folder: DataFolder, user: str, seal_key: str | None) -> int:
    if connection.execute("SELECT 1 FROM bot_state LIMIT 1").fetchone() is None:
        return 0
    sealer = Sealer.find(seal_key, folder.seal_key)
    if sealer.is_new or not proves(connection, sealer):
        raise DataUnusable(
            "What bots keep of a user is found with the key of sealed values alone, and it is not here. "
            f"Set IVR_SEAL_KEY as the server has it, or put {folder.seal_key} back."
        )
    hashed = StateRows(sealer.derived(PURPOSE)).hashed(user)
    return _erase(connection, "WHERE user = ?1 OR (conversation = ?1 AND user = '')", (hashed,))


def _erase(connection: sqlite3.Connection, where: str, values: tuple[str, ...]) -> int:
    connection.execute("BEGIN IMMEDIATE")
    for statement, given in erasing(where, *values):
        erased = connection.execute(statement, given).rowcount
    connection.execute("COMMIT")
    return erased
