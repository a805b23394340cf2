"""The tables of a database: made where there are none at all, and one for the turns of each month, ahead of time."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from ivr.errors import DataUnusable, StoreUnavailable
from ivr.store.postgres.postgres_pool import LONG, PostgresPool
from ivr.store.postgres.postgres_tables import TABLES
from ivr.store.postgres.postgres_versions import MIGRATIONS, newest_schema
from ivr.store.sealing import Sealer

AHEAD: Final = 2
"Months after this one whose tables are made ahead."
NO_MONTH: Final = 0
"The month of a call whose time no calendar has; its turns are in the table of no month."

LOCK: Final = "SELECT pg_advisory_xact_lock(7306086967040); SELECT FROM pg_class LIMIT 0"
"""Of those who change tables, until their transaction ends; the number is nobody else's.

PostgreSQL remembers for a connection which names are no tables, and hears what others have made when it locks a table:
so it is given one to lock, once those others are done.
"""
COPYING: Final = "copying"
"A table that is there as long as a copy into this database is not finished."
UNFINISHED: Final = (
    "A copy into this database is not finished, so nobody can use it yet. Run `ivr store copy` again: it goes on where "
    "it was cut off."
)
_THERE = "SELECT to_regclass('call') IS NOT NULL OR to_regclass('turn') IS NOT NULL"
_MONTHS = (
    "SELECT child.relname FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid "
    "WHERE inhparent = to_regclass('turn')"
)
_SUITS = """
SELECT current_setting('server_encoding'), coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
(SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('turn'))
"""
_PROOF: Final = "ivr"
"The place of the proof, as in every store."


async def require_suitable(pool: PostgresPool) -> None:
    """Return if a server can keep calls in this database for years; raise DataUnusable, which says what to do."""
    [(encoding, makes_tables, owns_tables)] = await pool.rows(_SUITS)
    if encoding != "UTF8":
        raise DataUnusable(
            f"The database has the encoding {encoding}, which cannot hold all that callers say. Make one with UTF8: "
            "createdb --encoding=UTF8 --template=template0, as docs/replicas.md says."
        )
    if not makes_tables:
        raise DataUnusable(
            "The user in IVR_STORE may not make tables in this database. Let it be that user's own: "
            "ALTER DATABASE … OWNER TO …"
        )
    if owns_tables is False:
        raise DataUnusable(
            "The tables of the database belong to another user than the one in IVR_STORE, who cannot add the table of "
            "a new month then. Use that user, or give them to this one: REASSIGN OWNED BY … TO …"
        )


async def make_schema(pool: PostgresPool) -> bool:
    """Make all tables where there are none at all, whoever else may be at it; return whether they were made now."""
    async with pool.transaction() as connection:
        await connection.execute(LOCK)
        if await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", COPYING):
            raise DataUnusable(UNFINISHED)
        if await connection.fetchval(_THERE):
            return False
        for statements in (TABLES, *(step.forward for step in MIGRATIONS)):
            await connection.execute(statements)
        await connection.execute("DELETE FROM ivr_schema")
        made = newest_schema()
        await connection.execute("INSERT INTO ivr_schema (version, least) VALUES ($1, $2)", made.version, made.least)
        return True


async def make_months(pool: PostgresPool, now: float) -> Sequence[int]:
    """Make the tables for the turns of this month and of the next ones; return those that were made.

    `now` in seconds since 1970. To be done again and again; the turns of a month without one are in that of no month,
    and a table can no longer be made for it then.
    """
    this = month_of(now)
    wanted = [_later(this, months) for months in range(AHEAD + 1)]
    there = {row[0] for row in await pool.rows(_MONTHS)}
    return [month for month in wanted if table_of(month) not in there and await make_month(pool, month)]


async def proves(pool: PostgresPool, sealer: Sealer) -> bool:
    """Return whether this is the key with which values of this database were sealed, if any were."""
    proof = await pool.value("SELECT proof FROM seal LIMIT 1")
    return proof is not None and _opens(sealer, proof)


async def prove_key(pool: PostgresPool, sealer: Sealer) -> None:
    """Return if values of this database were sealed with this key, or none yet; raise DataUnusable if not.

    A key that was drawn just now is kept if it is the first, and thrown away else.
    """
    async with pool.transaction() as connection:
        await connection.execute(LOCK)
        proof = await connection.fetchval("SELECT proof FROM seal LIMIT 1")
        if proof is None:
            await asyncio.to_thread(sealer.keep)  # a new key is on the disk before anybody is bound to it
            await connection.execute("INSERT INTO seal (proof) VALUES ($1)", sealer.seal(b"", _PROOF))
            return
    if not _opens(sealer, proof):
        raise DataUnusable(
            "What is sealed in the database was sealed with another key. All its servers need the same one: put it "
            "into IVR_SEAL_KEY, or copy the file seal.key from the data folder of a server that has it."
        )


def month_of(started: float) -> int:
    """Return the month of a time (seconds since 1970) in UTC, as 202612; no month of no calendar."""
    try:
        day = datetime.fromtimestamp(started, UTC)
    except (ValueError, OverflowError, OSError):
        return NO_MONTH
    return day.year * 100 + day.month


def table_of(month: int) -> str:
    """Return the name of the table with the turns of a month."""
    return f"turn_{month:06}"


async def make_month(pool: PostgresPool, month: int) -> bool:
    """Make the table for the turns of a month; return whether it was made now, and by us."""
    table = table_of(month)
    try:
        async with pool.transaction(patience=LONG) as connection:
            await connection.execute("SET LOCAL lock_timeout = '2s'")  # calls wait behind whoever waits for the table
            await connection.execute(LOCK)
            if await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", table):
                return False
            # A table that is joined, and not made in place, locks out nobody who writes turns of another month.
            await connection.execute(
                f"CREATE TABLE {table} (LIKE turn INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING COMPRESSION); "
                f"ALTER TABLE turn ATTACH PARTITION {table} FOR VALUES IN ({month})"
            )
    except StoreUnavailable:
        return False  # its turns are in the table of no month, which must not keep anybody from calling
    return True


def _later(month: int, months: int) -> int:
    number = month // 100 * 12 + month % 100 - 1 + months
    return number // 12 * 100 + number % 12 + 1


def _opens(sealer: Sealer, proof: bytes) -> bool:
    try:
        sealer.unseal(proof, _PROOF)
    except DataUnusable:
        return False
    return True
