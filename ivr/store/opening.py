"""Which driver stands behind the ports of `ivr.storage`: whoever uses a store opens it here, and knows no other."""

from contextlib import closing

from ivr.errors import DataUnusable
from ivr.storage import Archive, MediaStore
from ivr.store.data_folder import DataFolder
from ivr.store.database_file import check_readable, open_for_reading
from ivr.store.sqlite_archive import PATIENCE, SqliteArchive
from ivr.store.sqlite_errors import REFUSALS, unusable
from ivr.store.sqlite_media import SqliteMedia


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
