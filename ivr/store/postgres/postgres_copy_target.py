"""A PostgreSQL database that is filled with a copy. Until all of it is there it has a table `copying`.

As long as that is there, no server begins to serve (`make_schema`). It says whose copy this is, and how far it is.
"""

import re
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import msgpack

from ivr.errors import DataUnusable, UnreadableRow
from ivr.ports import CallKey
from ivr.store.copied_tables import (
    CALLS,
    DELIVERED,
    JOBS,
    ROWS,
    TABLES,
    TURNS,
    CopiedRecording,
    CopiedTable,
    Place,
    Portion,
    Row,
    Value,
)
from ivr.store.copying import RECORDINGS
from ivr.store.postgres import postgres_tables
from ivr.store.postgres.postgres_copying import PostgresCopySource, require_quiet
from ivr.store.postgres.postgres_migration import require_current
from ivr.store.postgres.postgres_pool import Connection, PostgresPool
from ivr.store.postgres.postgres_schema import COPYING, NO_MONTH, make_month, make_schema, require_suitable
from ivr.store.postgres.postgres_sign_ins import COPIED
from ivr.store.postgres.postgres_turns import CALL_COLUMNS, call_columns
from ivr.store.rows import read_outbound, read_public, read_request

SOURCE: Final = ""
"Under this name stands what is copied."
LONGEST: Final = 3600.0
"Seconds that one recording, or the last step, may take."

_MAKE: Final = f"CREATE TABLE IF NOT EXISTS {COPYING} (what text PRIMARY KEY, place bytea NOT NULL)"
_NOTE: Final = f"INSERT INTO {COPYING} VALUES ($1, $2) ON CONFLICT (what) DO UPDATE SET place = excluded.place"  # noqa: S608
_PLACES: Final = f"SELECT what, place FROM {COPYING}"  # noqa: S608
_BEGUN: Final = f"SELECT to_regclass('{COPYING}') IS NOT NULL"
_OURS: Final = tuple(re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)", postgres_tables.TABLES))
_DATA: Final = ("recording", *(table.name for table in TABLES if table.name != "seal"))
"""What an empty database has nothing in. A server that was started on it once has left the proof of its key there,
which that of the copy replaces."""
_MONTHS: Final = "SELECT row, month FROM call WHERE row = ANY($1)"
# What stands in no copied row: numbers that go on, and what one server counts for the others.
_MONTH: Final = CALL_COLUMNS.index("month")
_LAST: Final = f"""
UPDATE call SET answers = of.answers FROM
    (SELECT call, count(*) AS answers FROM job WHERE answered IS NOT NULL GROUP BY call) AS of WHERE row = of.call;
UPDATE call SET version = of.version FROM (SELECT month, call, max(version) AS version FROM turn GROUP BY month, call)
    AS of WHERE call.month = of.month AND row = of.call AND call.version <> of.version;
SELECT setval(pg_get_serial_sequence('call', 'row'), max(row)) FROM call HAVING max(row) IS NOT NULL;
SELECT setval('answer_place', max(answered)) FROM job HAVING max(answered) IS NOT NULL;
DROP TABLE {COPYING};
"""  # noqa: S608  # our own text


class PostgresCopyTarget(PostgresCopySource):
    """`CopyTarget`."""

    def __init__(self, pool: PostgresPool, name: str, places: Mapping[str, Place]) -> None:
        """Go on from these places; `close` closes the pool."""
        super().__init__(pool, name, most=ROWS)
        self._places = dict(places)
        self._months: set[int] = set()

    @classmethod
    async def fill(cls, pool: PostgresPool, name: str, *, anew: bool = False) -> "PostgresCopyTarget":
        """Open a database to be filled; raise DataUnusable. `anew`: drop what an unfinished copy has left."""
        await require_suitable(pool)
        await require_quiet(pool, name)
        if not await pool.value(_BEGUN):
            await make_schema(pool)
            await require_current(pool)
            await _require_empty(pool, name)
            await pool.rows(_MAKE)
            await pool.rows("DELETE FROM seal")
        elif anew:
            await pool.rows(f"TRUNCATE {', '.join({*_OURS, COPYING} - {'ivr_schema'})} RESTART IDENTITY")
        places = {what: msgpack.decode(place) for what, place in await pool.rows(_PLACES)}
        return cls(pool, name, places)

    async def begin(self, source: str) -> None:
        """Begin to copy a store of this name, or go on; raise DataUnusable where another one was begun with."""
        if (begun := self._places.get(SOURCE)) and begun[0] != source:
            raise DataUnusable(f"There is a part of {begun[0]!s} in {self.name} already. Copy that, or begin anew.")
        await self._pool.rows(_NOTE, SOURCE, _packed((source,)))

    def place(self, what: str) -> Place:
        """Return up to where a table, or `recording`, was written by a copy that was cut off; empty: from the start."""
        return self._places.get(what, ())

    async def add(self, table: CopiedTable, portion: Portion) -> None:
        """Write rows and their place, all or nothing."""
        columns, written = _WRITTEN.get(table.name, (table.names, tuple))
        rows: Sequence[tuple[Any, ...]] = [written(row) for row in portion.rows]
        if table is CALLS:
            await self._make_months({row[_MONTH] for row in rows})
        async with self._pool.transaction() as connection:
            if table is TURNS:
                columns, rows = (*columns, "month"), await _with_months(connection, rows)
            await connection.copy_records_to_table(table.name, records=rows, columns=columns)
            await connection.execute(_NOTE, table.name, _packed(portion.place))

    async def add_recording(self, recording: CopiedRecording, pieces: AsyncGenerator[bytes, None]) -> None:
        """Write a recording, in the place of one of the same name, and that all before it are there."""
        number, size = 0, 0
        async with self._pool.transaction(patience=LONGEST) as connection:
            await connection.execute("DELETE FROM recording_chunk WHERE name = $1", recording.name)
            async for piece in pieces:
                await connection.execute(
                    "INSERT INTO recording_chunk VALUES ($1, $2, $3)", recording.name, number, piece
                )
                number, size = number + 1, size + len(piece)
            await connection.execute(
                "INSERT INTO recording VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE SET size = excluded.size",
                recording.name, size, recording.made,
            )  # fmt: skip
            await connection.execute(_NOTE, RECORDINGS, _packed((recording.name,)))

    async def finish(self) -> None:
        """Let servers use it."""
        await require_quiet(self._pool, self.name)
        async with self._pool.transaction(patience=LONGEST) as connection:
            await connection.execute(_LAST)
        async with self._pool.lent(patience=LONGEST) as connection:
            await connection.execute("ANALYZE")  # else the first questions are answered by guesses

    async def _make_months(self, months: set[int]) -> None:
        """Make the tables for the turns of calls that began then."""
        for month in months - self._months - {NO_MONTH}:
            await make_month(self._pool, month)
        self._months |= months


async def _require_empty(pool: PostgresPool, name: str) -> None:
    for table in _DATA:
        if await pool.value(f"SELECT EXISTS (SELECT FROM {table})"):  # noqa: S608  # our own name
            raise DataUnusable(f"There are calls in {name} already. A copy needs an empty database.")


# --- rows as they stand here ------------------------------------------------------------------------------------------


def _call(row: Row) -> tuple[Any, ...]:
    """Return a call with all that is looked for; of one that cannot be read nothing is known, not even its flow."""
    number, identity, channel, account, name, ended, state, rest = row
    known: tuple[Any, ...]
    try:
        known = call_columns(read_public(CallKey(str(channel), str(account), str(name)), str(state), _bytes(rest)))
    except UnreadableRow:
        known = ("", "", "", "", NO_MONTH, 0, None, None, 0.0, "", None, None, "", False, "", None)
    columns = dict(zip(CALL_COLUMNS, known, strict=True))
    columns |= {"id": identity, "channel": channel, "account": account, "name": name}
    return (*columns.values(), number, ended)


def _job(row: Row) -> tuple[Any, ...]:
    try:
        request = read_request(str(row[2]))
    except UnreadableRow:
        return (*row, "", 0.0, time.time())
    return (*row, request.service, request.timeout, time.time())  # they wait anew


def _platform_request(row: Row) -> tuple[Any, ...]:
    try:
        _, outbound = read_outbound(str(row[2]))
    except UnreadableRow:
        return (*row, "")
    return (*row, outbound.lane)


def _sign_in(row: Row) -> tuple[Any, ...]:
    return (*row, COPIED, [])


def _user_value(row: Row) -> tuple[Any, ...]:
    caller, line, name, value, sealed, until = row
    return caller, line, name, value, bool(sealed), until


def _bytes(value: Value) -> bytes:
    return value if isinstance(value, bytes) else b""


_WRITTEN: Final[Mapping[str, tuple[Sequence[str], Callable[[Row], tuple[Any, ...]]]]] = {
    "call": ((*CALL_COLUMNS, "row", "ended"), _call),
    "job": ((*JOBS.names, "service", "timeout", "made"), _job),
    "platform_request": ((*DELIVERED, "lane"), _platform_request),
    "sign_in": (("call", "id", "body", "tokens", "due", "digests"), _sign_in),
    "user_value": (("caller", "line", "name", "value", "sealed", "until"), _user_value),
}
"The columns of rows that have more here than elsewhere, and how they are made."


async def _with_months(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> Sequence[tuple[Any, ...]]:
    """Return turns with the month in which their call began."""
    months = dict(map(tuple, await connection.fetch(_MONTHS, list({row[0] for row in rows}))))
    return [(*row, months.get(row[0], NO_MONTH)) for row in rows]


def _packed(place: Place) -> bytes:
    return msgpack.encode(list(place))
