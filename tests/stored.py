"""The calls of a data folder, for tests that look at what a server stored."""

from pathlib import Path

from ivr.cli.stored_calls import StoredCalls
from ivr.store.data_folder import DataFolder
from ivr.store.location import StoreLocation
from ivr.store.opening import open_for_command


def stored_in(folder: Path) -> StoredCalls:
    """Open the calls of a data folder."""
    return StoredCalls(open_for_command(StoreLocation(DataFolder(folder))))
