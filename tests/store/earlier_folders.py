"""The data folders of earlier versions, as their servers left them (`tests/store/earlier/README.md`)."""

import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from msgspec import json

EARLIER = Path(__file__).parent / "earlier"
VERSIONS = (1, 2)


def restored(folder: Path, version: int) -> Path:
    """Put a data folder where it is to be used; its last commits are in the log still, as `kill -9` leaves them."""
    made, live = EARLIER / f"version_{version}", folder.with_name(f"{folder.name}-live")
    shutil.copytree(made / "audio", folder / "audio")
    shutil.copy(made / "seal.key", folder)
    live.mkdir()
    with closing(sqlite3.connect(live / "calls.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA page_size = 8192")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript((made / "calls.sql").read_text("utf-8"))
        for flow in (made / "flows").iterdir():
            connection.execute("INSERT INTO flow (hash, source) VALUES (?, ?)", (flow.name, flow.read_bytes()))
        for file in ("calls.db", "calls.db-wal"):
            shutil.copy(live / file, folder)
    shutil.rmtree(live)
    return folder


def letters(version: int) -> Sequence[Mapping[str, Any]]:
    """Return all messages that were sent to its server, with their replies."""
    found: Sequence[Mapping[str, Any]] = json.decode((EARLIER / f"version_{version}" / "letters.json").read_bytes())
    return found


def calls_said(version: int) -> str:
    """Return what `ivr calls --json` said of it, with what is told since then: nobody placed calls before."""
    said = (EARLIER / f"version_{version}" / "calls.json").read_text("utf-8")
    return said.replace('"channel": "skype", ', '"channel": "skype", "direction": "incoming", ')


def cases_said(version: int) -> str:
    """Return what `ivr calls export` said of each of its calls, in their order."""
    return (EARLIER / f"version_{version}" / "cases.jsonl").read_text("utf-8")


def platform_call(version: int, name: str) -> str:
    """Return the platform's id of a call."""
    return next(str(letter["json"]["id"]) for letter in letters(version) if letter["call"] == name)


def rows(database: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Ask the file."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(sql, values).fetchall()
