"""Recordings as a data folder holds them, small ones in its database and larger ones as files."""

from contextlib import closing
from pathlib import Path

from ivr.store.sqlite.database_file import open_for_reading


def kept_recordings(data: Path) -> dict[str, bytes]:
    """Return all recordings of a data folder by name, also while a server runs; a file need not be named by a call."""
    with closing(open_for_reading((data / "calls.db").absolute())) as connection:
        rows = dict(connection.execute("SELECT media, audio FROM turn WHERE audio IS NOT NULL"))
    files = {path.name: path.read_bytes() for path in (data / "audio").iterdir()}
    assert not rows.keys() & files.keys()
    return rows | files
