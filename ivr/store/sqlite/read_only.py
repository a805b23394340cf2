"""A thread that reads beside the writer, so that no question to the disk holds up the event loop."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from ivr.errors import StoreUnavailable
from ivr.store.sqlite.database_file import open_for_reading
from ivr.store.sqlite.sqlite_errors import REFUSALS, unusable
from ivr.store.started_threads import started_threads

T = TypeVar("T")


class Reader:
    """One thread and its connection, opened when it is first needed."""

    def __init__(self, database: Path) -> None:
        self._database = database.absolute()  # now: the working directory may change
        self._connection: sqlite3.Connection | None = None
        self._thread: ThreadPoolExecutor | None = started_threads(1, "store-reader")

    async def read(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Return what a question finds in the last commit; raise StoreUnavailable."""
        if self._thread is None:
            raise StoreUnavailable("The store is closed.")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, question)

    async def close(self) -> None:
        """Finish what was asked, and close the connection."""
        if self._thread is not None:
            thread, self._thread = self._thread, None
            await asyncio.get_running_loop().run_in_executor(thread, self._disconnect)
            thread.shutdown()

    def _ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        try:
            if self._connection is None:
                self._connection = open_for_reading(self._database)
            return question(self._connection)
        except REFUSALS as exc:
            raise StoreUnavailable(unusable(self._database, exc)) from exc

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
