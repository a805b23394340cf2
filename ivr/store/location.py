"""Where calls are kept, as a value: a data folder with a database of its own, or a database that many servers share."""

import re
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from ivr.errors import DataUnusable
from ivr.store.data_folder import DataFolder

SCHEMES = ("postgresql", "postgres")
"What an address of a PostgreSQL database begins with."


_HOST = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^:\[\]]*)(:[0-9]{1,5})?", re.ASCII)


def is_url(text: str) -> bool:
    """Return whether this may be the address of a PostgreSQL database.

    One whose password holds a character that has a meaning in an address is none: a part of the password would be taken
    for the host or the database, looked up and shown.
    """
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    user, _, hosts = parts.netloc.rpartition("@")
    return (
        text.startswith(tuple(f"{one}://" for one in SCHEMES))
        and text.isprintable()
        and " " not in text
        and "#" not in text
        and not any("@" in place for place in (user, parts.path, parts.query))
        and all(_HOST.fullmatch(host) for host in hosts.split(","))
    )


def has_password(address: str) -> bool:
    """Return whether a password is in the address of a database."""
    parts = urlsplit(address)
    return ":" in parts.netloc.rpartition("@")[0] or "password" in parse_qs(parts.query, keep_blank_values=True)


class StoreLocation(Struct, frozen=True):
    """Where a store is, and what opens it. Nothing of it is in its text but what may be shown to anybody."""

    folder: DataFolder
    "This machine's; with SQLite it holds the calls, else what servers of this machine can do without."
    url: str = ""
    "Of a PostgreSQL database, which may hold a password; empty: SQLite in the folder."
    seal_key: str | None = None
    "The key of sealed values in the settings; None: it is looked for in the folder."

    @property
    def shared(self) -> bool:
        """Whether any number of servers and commands may use it at the same time."""
        return bool(self.url)

    def hold(self) -> DataFolder:
        """Make the folder if need be, and own it if its store is one process's alone; the caller closes it.

        Raises FolderInUse or DataUnusable. Blocks on the disk.
        """
        return DataFolder.shared(self.folder.path) if self.shared else DataFolder.open(self.folder.path)

    def require(self) -> None:
        """Raise DataUnusable if there is nothing yet, as far as a look at the disk tells."""
        if not self.shared and not self.folder.database.is_file():
            raise DataUnusable(f"There are no calls yet ({self.folder.database} does not exist).")

    def __str__(self) -> str:
        """Return its name for people: no user, password or option of a connection."""
        if not self.url:
            return f"the data folder {self.folder.path}"
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        name = parts.path.strip("/")
        return f"the database{f' {name}' if name else ''}{f' at {host}' if host else ''}"

    def __repr__(self) -> str:
        return f"<StoreLocation: {self}>"
