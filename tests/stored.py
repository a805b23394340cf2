"""The calls of a data folder, for tests that look at what a server stored."""

from pathlib import Path

from ivr.cli.stored_calls import StoredCalls
from ivr.store.data_folder import DataFolder
from ivr.store.opening import open_archive


def stored_in(folder: Path) -> StoredCalls:
    """Open the calls of a data folder."""
    return StoredCalls(open_archive(DataFolder(folder)))
