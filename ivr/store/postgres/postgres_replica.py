"""Who is alive among the servers of one database: each shows itself there every two seconds, by the database's clock.

A server that has not shown itself for ten seconds is taken to be dead: its row is removed, and with that all that it
had claimed is open again. Only who has shown itself for as long, without a break, may say so of others: after a
fail-over, or while the database was away, nobody has been seen, and nobody is dead for that. A server that was only
stopped for a while shows itself again; what it claims under a lease is free again with that at last, whoever is alive.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from ivr.errors import StoreUnavailable
from ivr.store.postgres.postgres_pool import PostgresPool
from ivr.store.postgres.postgres_versions import known_version

log = logging.getLogger(__name__)

BEAT: Final = 2.0
"Seconds between two beats."
DEAD: Final = 10.0
"Seconds without a beat after which a server is taken to be dead."
GONE: Final = "NOT EXISTS (SELECT 1 FROM replica WHERE replica.name = split_part(owner, '/', 1))"
"SQL for: the server of this `owner` (`Replica.owner`) is dead, or has left."

# Who may judge removes the dead; the others are told who is left.
_BEAT = """
WITH beaten AS (INSERT INTO replica (name, beat, schema) VALUES ($1, clock_timestamp(), $4)
ON CONFLICT (name) DO UPDATE SET beat = excluded.beat),
buried AS (DELETE FROM replica
WHERE $3::boolean AND beat < clock_timestamp() - make_interval(secs => $2) AND name <> $1 RETURNING name)
SELECT name FROM replica WHERE name <> $1 EXCEPT SELECT name FROM buried
"""
_LEAVE = "DELETE FROM replica WHERE name = $1"


class Replica:
    """This server among those of its database."""

    def __init__(self, pool: PostgresPool, name: str, *, beat: float = BEAT, dead: float = DEAD) -> None:
        """`name` is its own, and no other server's, an earlier life of this one included; it has no `/`."""
        self._pool = pool
        self.name = name
        self._beat = beat
        self._dead = dead
        self._loop = asyncio.get_running_loop()
        self._others: Sequence[str] = ()
        self._since: float | None = None
        "When the first beat was of those without a break, by the loop's clock; None: the last one failed."
        self._last = 0.0
        self.failing = ""
        "Why the last beat failed; empty: it did not."
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Show itself, and go on doing so; raise StoreUnavailable if it cannot now."""
        await self.beat()
        self._task = asyncio.create_task(self._go_on(), name="heartbeat")

    async def close(self) -> None:
        """Leave: nobody waits for this server any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        with suppress(StoreUnavailable):  # the others find out by themselves
            await self._pool.rows(_LEAVE, self.name)

    async def beat(self) -> None:
        """Show itself once, and see who else is alive; raise StoreUnavailable."""
        asked = self._loop.time()
        try:
            found = await self._pool.rows(_BEAT, self.name, self._dead, self.judges, known_version())
        except StoreUnavailable as error:
            self._since, self.failing = None, str(error)
            raise
        # A break, be it that this process was stopped for a while, begins the time anew.
        if self._since is None or asked - self._last > self._dead:
            self._since = asked
        self._last, self.failing = asked, ""
        self._others = [row[0] for row in found]

    @property
    def judges(self) -> bool:
        """Whether it may say of others that they are dead."""
        return self._since is not None and self._last - self._since >= self._dead

    @property
    def steady_for(self) -> float:
        """Seconds for which the database was there without a break, as far as its beats tell."""
        return 0.0 if self._since is None else self._loop.time() - self._since

    @property
    def place(self) -> tuple[int, int]:
        """Its place among those that are alive, counted from 0, and how many they are."""
        names = sorted([self.name, *self._others])
        return names.index(self.name), len(names)

    def owner(self, worker: str) -> str:
        """Return the name of one of its workers among those of all servers."""
        return f"{self.name}/{worker}"

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(self._beat)
            was_failing = self.failing
            try:
                await self.beat()
            except StoreUnavailable as error:
                if not was_failing:
                    log.warning("database away", extra={"reason": str(error)})
                continue
            if was_failing:
                log.info("database back")
