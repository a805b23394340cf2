"""A PostgreSQL database as something that is copied: its rows in the form of every store, and its recordings.

It is read in portions, each by a question of its own: a copy takes its time, and what is read in one transaction keeps
the database from cleaning up for so long.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Final

from ivr.errors import DataUnusable
from ivr.store.copied_tables import ROWS, CopiedRecording, CopiedTable, Place, Portion
from ivr.store.postgres.postgres_media import NAMES, read_chunks
from ivr.store.postgres.postgres_migration import require_current
from ivr.store.postgres.postgres_pool import LONG, PostgresPool
from ivr.store.postgres.postgres_schema import NO_MONTH

CALLS_AT_ONCE: Final = 100
"Calls whose turns are looked for together."
TURNS_AT_ONCE: Final = 100
"Turns that are in memory at a time: most have some KB, one with a recording up to 70."

_PLACES: Final[Mapping[str, str]] = {
    "job": "asked", "notification": "seq", "platform_request": "seq", "sign_in": "seq", "mail": "seq",
}  # fmt: skip
"The column that says in which order the rows of a table were added."
_CALLS: Final = """
SELECT row, row, id, channel, account, name, ended, turn.state, rest FROM call
LEFT JOIN turn ON turn.month = call.month AND turn.call = row AND turn.version = call.version
WHERE row > $1 ORDER BY row LIMIT $2
"""
_WINDOW: Final = f"""
(SELECT DISTINCT call, month FROM turn WHERE month = {NO_MONTH} AND call >= $1 AND call < 0 ORDER BY call LIMIT $2)
UNION ALL (SELECT row, month FROM call WHERE row >= $1 ORDER BY row LIMIT $2)
"""  # noqa: S608  # a number of ours
# Call by call, so that nothing but the index of the key is asked, whatever the database thinks of the numbers.
_TURNS: Final = """
SELECT found.* FROM unnest($1::bigint[], $2::integer[]) AS one (row, month) CROSS JOIN LATERAL (
    SELECT call, version, state, rest, message, reply, marks, trace, media, audio FROM turn
    WHERE turn.month = one.month AND turn.call = one.row AND (call, version) > ($3, $4) ORDER BY version
) AS found ORDER BY call, version LIMIT $5
"""
_RECORDINGS: Final = "SELECT name, made, size FROM recording WHERE name > $1 ORDER BY name LIMIT $2"
_SERVERS: Final = "SELECT name FROM replica WHERE beat > now() - interval '10 seconds' ORDER BY name"
FIRST: Final = -(2**31)
"Before all versions."


class PostgresCopySource:
    """`CopySource`."""

    def __init__(self, pool: PostgresPool, name: str, *, most: int = ROWS) -> None:
        """So many rows are in memory at a time at `most`; `close` closes the pool."""
        self._pool = pool
        self._most = most
        self.name = name

    @classmethod
    async def open(cls, pool: PostgresPool, name: str, *, most: int = ROWS) -> "PostgresCopySource":
        """Open what is to be copied; raise DataUnusable while servers use it, or if there is nothing that fits."""
        await require_quiet(pool, name)
        await require_current(pool)
        return cls(pool, name, most=most)

    async def portions(self, table: CopiedTable, after: Place) -> AsyncGenerator[Portion, None]:
        """Return the rows of a table behind a place, in their order."""
        reading = {"call": self._calls, "turn": self._turns}.get(table.name, self._rows)
        async for portion in reading(table, after):
            yield portion

    async def recordings(self, after: str) -> AsyncGenerator[Sequence[CopiedRecording], None]:
        """Return the recordings in chunks that are whole, behind a name, in the order of their names."""
        while found := await self._pool.rows(_RECORDINGS, after, NAMES):
            after = found[-1]["name"]
            yield [CopiedRecording(name, made) for name, made, size in found if size is not None]

    def pieces(self, recording: str) -> AsyncGenerator[bytes, None]:
        """Return the bytes of a recording, a chunk at a time."""
        return read_chunks(self._pool, recording)

    async def count(self, table: CopiedTable) -> int:
        """Count the rows of a table."""
        return int(await self._pool.value(f"SELECT count(*) FROM {table.name}", patience=LONG))  # noqa: S608

    async def close(self) -> None:
        """Disconnect."""
        await self._pool.close()

    async def _calls(self, table: CopiedTable, after: Place) -> AsyncGenerator[Portion, None]:
        place = after or (FIRST,)
        while found := await self._pool.rows(_CALLS, *place, min(self._most, CALLS_AT_ONCE)):
            place = (found[-1][0],)
            yield Portion([table.read(one[1:]) for one in found], place)

    async def _turns(self, table: CopiedTable, after: Place) -> AsyncGenerator[Portion, None]:
        call, version = after or (FIRST, FIRST)
        limit = min(self._most, TURNS_AT_ONCE)
        while window := await self._pool.rows(_WINDOW, call, CALLS_AT_ONCE):
            calls, months = [one[0] for one in window], [one[1] for one in window]
            while found := await self._pool.rows(_TURNS, calls, months, call, version, limit, patience=LONG):
                call, version = found[-1][:2]
                yield Portion([table.read(tuple(one)) for one in found], (call, version))
                if len(found) < limit:
                    break
            call, version = max(calls) + 1, FIRST

    async def _rows(self, table: CopiedTable, after: Place) -> AsyncGenerator[Portion, None]:
        """Read a table by its order; without one, in the order in which rows were added."""
        order = table.order or (_PLACES[table.name],)
        columns, place = ", ".join((*order, *table.names)), ", ".join(order)
        while True:
            behind = f"WHERE ({place}) > ({', '.join(f'${n}' for n in range(2, len(order) + 2))})" if after else ""
            asked = f"SELECT {columns} FROM {table.name} {behind} ORDER BY {place} LIMIT $1"  # noqa: S608  # our names
            found = await self._pool.rows(asked, min(self._most, TURNS_AT_ONCE), *after)
            if not found:
                return
            after = tuple(found[-1])[: len(order)]
            yield Portion([table.read(tuple(one)[len(order) :]) for one in found], after)


async def require_quiet(pool: PostgresPool, name: str) -> None:
    """Raise DataUnusable while servers use a database: what is copied must not change."""
    if not await pool.value("SELECT to_regclass('replica') IS NOT NULL"):
        return
    if servers := [one["name"] for one in await pool.rows(_SERVERS)]:
        raise DataUnusable(f"Servers use {name}: {', '.join(servers)}. Stop them, then copy.")
