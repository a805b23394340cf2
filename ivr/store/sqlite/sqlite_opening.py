"""Opens the store of a data folder: SQLite and a folder of recordings."""

import asyncio
import time
from contextlib import AsyncExitStack, closing
from typing import Protocol, TypeVar

from ivr.coordination import LocalCoordination
from ivr.errors import DataUnusable
from ivr.news import LocalNews
from ivr.store import mail_columns, sign_in_columns, state_columns
from ivr.store.call_reading import printable_id
from ivr.store.data_folder import DataFolder
from ivr.store.location import StoreLocation
from ivr.store.opened import CommandStore, Opened
from ivr.store.sqlite.database_file import check_readable, open_for_reading
from ivr.store.sqlite.sqlite_archive import SqliteArchive
from ivr.store.sqlite.sqlite_bot_state import SqliteBotStates
from ivr.store.sqlite.sqlite_calls import SqliteStore
from ivr.store.sqlite.sqlite_deliveries import SqliteOutbox, SqlitePlatformRequests
from ivr.store.sqlite.sqlite_errors import REFUSALS, unusable
from ivr.store.sqlite.sqlite_mailbox import SqliteMailbox
from ivr.store.sqlite.sqlite_media import SqliteMedia
from ivr.store.sqlite.sqlite_search import SqliteSearch
from ivr.store.sqlite.sqlite_sign_ins import SqliteSignIns
from ivr.store.sqlite.sqlite_voicemails import SqliteVoicemails
from ivr.store.sqlite.state_erasure import SqliteStateErasure
from ivr.store.sqlite.state_rows import StateRows


async def open_sqlite(location: StoreLocation) -> Opened:
    """Open it to serve calls from, and load the live ones; raise DataUnusable.

    The caller owns the folder (`StoreLocation.hold`) until all is closed.
    """
    folder, parts = location.folder, AsyncExitStack()
    store = await SqliteStore.open(folder.database, seal_key=location.seal_key, seal_file=folder.seal_key)
    states = StateRows(store.derived_key(state_columns.PURPOSE))
    return Opened(
        _closed_by(parts, store),
        _closed_by(parts, SqliteArchive(folder, server=store)),
        _closed_by(parts, SqliteSearch(folder)),
        _closed_by(parts, SqliteVoicemails(folder, server=store)),
        _closed_by(parts, SqliteMedia(folder.audio, folder.database)),
        _closed_by(parts, SqliteOutbox(folder, server=store)),
        _closed_by(parts, SqlitePlatformRequests(folder, server=store)),
        _closed_by(parts, SqliteBotStates(folder.database, states, store)),
        _closed_by(parts, SqliteSignIns(folder, server=store, key=store.derived_key(sign_in_columns.PURPOSE))),
        _closed_by(parts, SqliteMailbox(folder, server=store, key=store.derived_key(mail_columns.PURPOSE))),
        LocalNews(),
        LocalCoordination(time.time),
        link_key=store.derived_key("recording links"),
        token_key=store.derived_key("address tokens"),
        sign_in_key=store.derived_key("sign-in digests"),
        set_aside=[(printable_id(one.id), one.what) for one in store.damaged],
        flows_under_way=store.flows_under_way,
        tend=_nothing,
        parts=parts,
    )


async def open_sqlite_for_command(location: StoreLocation, *, patience: float) -> CommandStore:
    """Open it beside a running server, too; raise DataUnusable if there are no calls yet, or none can be read."""
    location.require()
    folder = location.folder
    await asyncio.to_thread(_check, folder)
    parts = AsyncExitStack()
    return CommandStore(
        _closed_by(parts, SqliteArchive(folder, seal_key=location.seal_key, patience=patience)),
        _closed_by(parts, SqliteMedia(folder.audio, folder.database)),
        _closed_by(parts, SqliteOutbox(folder, patience=patience)),
        _closed_by(parts, SqlitePlatformRequests(folder, patience=patience)),
        SqliteStateErasure(folder, seal_key=location.seal_key, patience=patience),
        parts,
    )


class _Closes(Protocol):
    async def close(self) -> None:
        """Let go of the data."""


_Part = TypeVar("_Part", bound=_Closes)


def _closed_by(parts: AsyncExitStack, part: _Part) -> _Part:
    """Return a part that is closed with all, before those that were named earlier."""
    parts.push_async_callback(part.close)
    return part


async def _nothing() -> None:
    """Do nothing: the file needs no tending."""


def _check(folder: DataFolder) -> None:
    try:
        with closing(open_for_reading(folder.database)) as connection:
            check_readable(connection, folder.database)
    except REFUSALS as exc:
        raise DataUnusable(unusable(folder.database, exc)) from exc
