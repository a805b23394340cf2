"""What the operator has closed: calendars named in `IVR_CLOSED`, and files in the folder `closed` (LANGUAGE C15).

A call asks once, when it begins, and only for the calendars of its flow: a look at the disk for each, of a few
microseconds. What it finds is part of its first event, so a replay sees it, too.
"""

import logging
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from ivr.smallfiles import read_head

log = logging.getLogger(__name__)

MAX_NOTICE = 1_000
"Characters of a notice that are spoken."
_MAX_BYTES = 4 * MAX_NOTICE


class Closings(Struct, frozen=True):
    """The calendars that are closed now."""

    folder: Path
    "A file here closes the calendar of its name; its text, if it has one, is the notice."
    always: Collection[str] = ()
    "Those that are closed as long as this server runs."

    def of(self, calendars: Iterable[str]) -> Mapping[str, str]:
        """Return those of some calendars that are closed, each with its notice, which may be empty.

        A file that is there and cannot be read closes its calendar all the same.
        """
        found = {name: self._notice(name) for name in calendars}
        return {name: notice for name, notice in found.items() if notice is not None}

    def _notice(self, name: str) -> str | None:
        try:
            data = read_head(self.folder / name, _MAX_BYTES)
        except (FileNotFoundError, NotADirectoryError):
            return "" if name in self.always else None
        except OSError as error:
            log.warning("a notice cannot be read", extra={"file": str(self.folder / name), "reason": str(error)})
            return ""
        return _plain(data.decode("utf-8-sig", "replace"))

    def log_start(self, calendars: Collection[str]) -> None:
        """Log what is closed when the server starts; of a name that no flow has, that it closes nothing."""
        written = {*self.always, *(file.name for file in self._files())}
        for name in sorted(written):
            if name in calendars:
                log.warning("calendar closed by the operator", extra={"calendar": name})
            else:
                log.warning("no flow has a calendar of this name, so nothing is closed", extra={"calendar": name})

    def _files(self) -> list[Path]:
        try:
            return [file for file in self.folder.iterdir() if not file.name.startswith(".")]
        except OSError:
            return []  # nobody has made it yet


def _plain(text: str) -> str:
    """Return a text in one line, without what cannot be spoken."""
    shown = "".join(char if unicodedata.category(char)[0] != "C" else " " for char in text)
    return " ".join(shown.split())[:MAX_NOTICE]
