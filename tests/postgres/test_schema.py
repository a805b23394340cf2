"""The tables are made once, whoever else is at it, with those of the months to come; and one key goes with them."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from ivr.errors import DataUnusable
from ivr.store.postgres.postgres_migration import read_version
from ivr.store.postgres.postgres_pool import PostgresPool
from ivr.store.postgres.postgres_schema import (
    LOCK,
    make_months,
    make_schema,
    month_of,
    prove_key,
    require_suitable,
)
from ivr.store.postgres.postgres_tables import LEAST, VERSION
from ivr.store.sealing import Sealer
from tests.postgres.cluster import Database
from tests.waiting import PATIENCE

NOVEMBER = 1_796_000_000.0
"A moment in November 2026, UTC."
WAITS = (
    "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database AS here ON here.oid = database "
    "WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted)"
)
"Whether somebody waits for the lock of those who change tables."


@pytest.fixture
async def pool(postgres: Database) -> AsyncIterator[PostgresPool]:
    postgres.raze()
    pool = await PostgresPool.open(postgres.url, application="tests")
    yield pool
    await pool.close()


async def test_of_many_servers_that_start_at_once_one_makes_the_tables(pool: PostgresPool) -> None:
    made = await asyncio.gather(*(make_schema(pool) for _ in range(5)))
    assert sorted(made) == [False] * 4 + [True]
    assert [tuple(row) for row in await pool.rows("SELECT version, least FROM ivr_schema")] == [(VERSION, LEAST)]


async def test_whoever_waited_while_another_made_the_tables_sees_them(postgres: Database) -> None:
    """PostgreSQL would go on to answer from memory what this connection looked up in vain, had it no reason not to."""
    postgres.raze()
    late, other = [await PostgresPool.open(postgres.url, application="tests", size=1) for _ in range(2)]
    await make_schema(late)
    await late.rows("DROP SCHEMA public CASCADE")
    await late.rows("CREATE SCHEMA public")
    await require_suitable(late)
    assert await read_version(late) is None
    async with other.transaction() as making:
        await making.execute(LOCK)
        waiting = asyncio.create_task(make_schema(late))
        async with asyncio.timeout(PATIENCE):
            while not await making.fetchval(WAITS):
                await asyncio.sleep(0)
        await making.execute("CREATE TABLE call ()")  # all tables at once would be a reason
    assert await waiting is False
    await late.close()
    await other.close()


async def test_this_month_and_two_more_have_a_table_and_a_year_ends(pool: PostgresPool) -> None:
    await make_schema(pool)
    made = await asyncio.gather(*(make_months(pool, NOVEMBER) for _ in range(3)))
    assert sorted(month for months in made for month in months) == [202611, 202612, 202701]
    assert await make_months(pool, NOVEMBER) == []
    assert await pool.value("SELECT count(*) FROM pg_inherits WHERE inhparent = 'turn'::regclass") == 4


async def test_a_month_whose_turns_are_in_the_table_of_no_month_keeps_nobody_from_calling(pool: PostgresPool) -> None:
    await make_schema(pool)
    await pool.rows(
        "INSERT INTO turn (month, call, version, state, rest, marks, trace) VALUES (202612, 1, 1, '', '', 0, '[]')"
    )
    assert await make_months(pool, NOVEMBER) == [202611, 202701]
    assert await pool.value("SELECT count(*) FROM turn WHERE month = 202612") == 1


async def test_all_servers_need_the_key_of_the_first(pool: PostgresPool) -> None:
    await make_schema(pool)
    for _ in range(2):
        await prove_key(pool, Sealer(b"a" * 32, source="one"))
    with pytest.raises(DataUnusable, match="another key"):
        await prove_key(pool, Sealer(b"b" * 32, source="another"))


def test_a_time_that_no_calendar_has_is_of_no_month() -> None:
    assert [month_of(at) for at in (0.0, NOVEMBER, 1e300, float("nan"), float("inf"))] == [197001, 202611, 0, 0, 0]
