"""Which driver stands behind the ports of `ivr.storage` and `ivr.outbox`.

Whoever uses a store opens it here, and knows no other.
"""

from collections.abc import Sequence
from contextlib import closing

from msgspec import Struct

from ivr.bot_state import BotStates
from ivr.errors import DataUnusable
from ivr.mailbox import Mailbox
from ivr.outbox import Outbox, PlatformRequests
from ivr.sign_in_storage import SignInStore
from ivr.storage import PATIENCE, Archive, CallStoreInMemory, MediaStore
from ivr.store import mail_columns, sign_in_columns, state_columns
from ivr.store.call_reading import printable_id
from ivr.store.data_folder import DataFolder
from ivr.store.sqlite.database_file import check_readable, open_for_reading
from ivr.store.sqlite.sqlite_archive import SqliteArchive
from ivr.store.sqlite.sqlite_bot_state import SqliteBotStates
from ivr.store.sqlite.sqlite_calls import SqliteStore
from ivr.store.sqlite.sqlite_deliveries import SqliteOutbox, SqlitePlatformRequests
from ivr.store.sqlite.sqlite_errors import REFUSALS, unusable
from ivr.store.sqlite.sqlite_mailbox import SqliteMailbox
from ivr.store.sqlite.sqlite_media import SqliteMedia
from ivr.store.sqlite.sqlite_sign_ins import SqliteSignIns
from ivr.store.sqlite.state_rows import StateRows


class Opened(Struct, frozen=True):
    """What a server has of its data folder."""

    calls: CallStoreInMemory
    archive: Archive
    recordings: MediaStore
    outbox: Outbox
    requests: PlatformRequests
    states: BotStates
    sign_ins: SignInStore
    mailbox: Mailbox
    link_key: bytes
    "The key of the addresses of recordings: derived from that of sealed values, as the next one is."
    token_key: bytes
    "The key of tokens in the addresses that platforms are given."
    sign_in_key: bytes
    "The key of what callers and browsers prove themselves with."
    set_aside: Sequence[tuple[str, str]]
    "Calls that cannot be read: our id of each, as it may be shown, and what of it cannot be read."
    flows_under_way: Sequence[str]
    "The flows, by hash, that calls under way began with."

    async def close(self) -> None:
        """Let go of the data, after everything under way is saved."""
        await self.recordings.close()
        await self.states.close()
        await self.sign_ins.close()
        await self.mailbox.close()
        await self.requests.close()
        await self.outbox.close()
        await self.archive.close()
        await self.calls.close()


async def open_store(folder: DataFolder, *, seal_key: str | None = None) -> Opened:
    """Open a data folder to serve calls from, and load the live ones; raise DataUnusable.

    `seal_key` is the one in the settings, if any; else it is looked for in the folder. The caller owns the folder
    (`DataFolder.open`) until all is closed.
    """
    store = await SqliteStore.open(folder.database, seal_key=seal_key, seal_file=folder.seal_key)
    set_aside = [(printable_id(one.id), one.what) for one in store.damaged]
    archive = SqliteArchive(folder, server=store)
    outbox = SqliteOutbox(folder, server=store)
    requests = SqlitePlatformRequests(folder, server=store)
    return Opened(
        store,
        archive,
        open_media(folder),
        outbox,
        requests,
        SqliteBotStates(folder.database, StateRows(store.derived_key(state_columns.PURPOSE)), store),
        SqliteSignIns(folder, server=store, key=store.derived_key(sign_in_columns.PURPOSE)),
        SqliteMailbox(folder, server=store, key=store.derived_key(mail_columns.PURPOSE)),
        link_key=store.derived_key("recording links"),
        token_key=store.derived_key("address tokens"),
        sign_in_key=store.derived_key("sign-in digests"),
        set_aside=set_aside,
        flows_under_way=store.flows_under_way,
    )


def open_archive(folder: DataFolder, *, seal_key: str | None = None, patience: float = PATIENCE) -> Archive:
    """Open the calls of a data folder, beside a running server, too; blocks on the disk.

    `seal_key` is the one in the settings, if any; else it is looked for in the folder. To erase calls, own the folder
    (`DataFolder.open`): other programs that use it are waited for, `patience` seconds. Raises DataUnusable if there are
    no calls yet, or if they cannot be read.
    """
    database = folder.database
    if not database.is_file():
        raise DataUnusable(f"There are no calls yet ({database} does not exist).")
    try:
        with closing(open_for_reading(database)) as connection:
            check_readable(connection, database)
    except REFUSALS as exc:
        raise DataUnusable(unusable(database, exc)) from exc
    return SqliteArchive(folder, seal_key=seal_key, patience=patience)


def open_media(folder: DataFolder) -> MediaStore:
    """Open the recordings of a data folder, beside a running server, too; its calls can be read."""
    return SqliteMedia(folder.audio, folder.database)


def open_outbox(folder: DataFolder, *, patience: float = PATIENCE) -> Outbox:
    """Open the notifications of a data folder, beside a running server, too; its calls can be read."""
    return SqliteOutbox(folder, patience=patience)


def open_requests(folder: DataFolder, *, patience: float = PATIENCE) -> PlatformRequests:
    """Open the requests to platforms of a data folder, beside a running server, too; its calls can be read."""
    return SqlitePlatformRequests(folder, patience=patience)
