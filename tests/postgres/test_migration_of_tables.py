"""The versions of tables: who may use which, the way forward and back, and servers that go on meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from ivr.errors import DataUnusable, StoreUnavailable
from ivr.store.opened import SchemaVersion
from ivr.store.postgres import postgres_migration
from ivr.store.postgres.postgres_migration import migrate, migrate_back, read_version, require_tables
from ivr.store.postgres.postgres_pool import PostgresPool
from ivr.store.postgres.postgres_schema import make_schema
from ivr.store.postgres.postgres_versions import MIGRATIONS, Migration
from tests.postgres.cluster import Database

SECOND = Migration(2, "ALTER TABLE call ADD mood text NOT NULL DEFAULT ''", "ALTER TABLE call DROP mood", least=1)
THIRD = Migration(3, "CREATE TABLE diary (day text)", "DROP TABLE diary", least=2)
BEAT = "INSERT INTO replica (name, beat, schema) VALUES ($1, clock_timestamp() - $2 * interval '1 second', $3)"


@pytest.fixture
async def pool(postgres: Database) -> AsyncIterator[PostgresPool]:
    postgres.raze()
    pool = await PostgresPool.open(postgres.url, application="test")
    yield pool
    await pool.close()
    postgres.raze()


@pytest.fixture
def code() -> Iterator[list[Migration]]:
    """The migrations of the code that runs, which a test makes newer."""
    before = [*MIGRATIONS]
    yield MIGRATIONS
    MIGRATIONS[:] = before


def columns(postgres: Database) -> set[str]:
    """Return the columns of `call`, and the tables, as far as the migrations here change them."""
    asked = (
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'call' AND column_name = 'mood' "
        "UNION SELECT table_name FROM information_schema.tables WHERE table_name = 'diary'"
    )
    return {name for (name,) in postgres.ask(asked)}


async def test_a_new_database_has_the_tables_of_the_code(
    pool: PostgresPool, postgres: Database, code: list[Migration]
) -> None:
    code += [SECOND, THIRD]
    assert await read_version(pool) is None
    with pytest.raises(DataUnusable, match="There is nothing yet in the database"):
        await require_tables(pool)
    assert await make_schema(pool)
    assert await read_version(pool) == SchemaVersion(3, 2)
    assert columns(postgres) == {"mood", "diary"}
    await require_tables(pool)


async def test_forward_step_by_step_and_back_by_one(
    pool: PostgresPool, postgres: Database, code: list[Migration]
) -> None:
    await make_schema(pool)
    assert await migrate(pool) == []
    code += [SECOND, THIRD]
    with pytest.raises(DataUnusable, match=r"have version 1, and this server needs version 3\. .*: ivr store migrate"):
        await require_tables(pool)
    assert await migrate(pool) == [SchemaVersion(2, 1), SchemaVersion(3, 2)]
    assert columns(postgres) == {"mood", "diary"}
    assert await migrate_back(pool) == SchemaVersion(2, 1)
    assert columns(postgres) == {"mood"}
    assert await migrate_back(pool) == SchemaVersion(1, 1)
    assert columns(postgres) == set()
    with pytest.raises(DataUnusable, match="knows no way back from there: there is none before"):
        await migrate_back(pool)


async def test_code_of_the_version_before_goes_on_and_an_older_one_is_refused(
    pool: PostgresPool, code: list[Migration]
) -> None:
    code += [SECOND, THIRD]
    await make_schema(pool)
    code[:] = [SECOND]
    await require_tables(pool)
    code[:] = []
    with pytest.raises(DataUnusable, match=r"needs servers of version 2 or newer; this one is of version 1\."):
        await require_tables(pool)
    for step in (migrate, migrate_back):
        with pytest.raises(DataUnusable, match=r"newer than this code|Use `ivr` of that version"):
            await step(pool)


async def test_a_server_that_could_not_use_the_tables_is_not_cut_off(
    pool: PostgresPool, postgres: Database, code: list[Migration]
) -> None:
    code += [SECOND]
    await make_schema(pool)
    code += [THIRD]
    postgres.ask(BEAT, "dead", 60.0, 1)
    postgres.ask(BEAT, "fits", 0.0, 2)
    postgres.ask(BEAT, "old", 0.0, 1)
    with pytest.raises(DataUnusable, match=r"Server old \(version 1\) is running, and could not use these tables"):
        await migrate(pool)
    assert columns(postgres) == {"mood"}
    postgres.run("DELETE FROM replica WHERE name = 'old'")
    assert await migrate(pool) == [SchemaVersion(3, 2)]
    postgres.ask(BEAT, "new", 0.0, 3)
    with pytest.raises(DataUnusable, match=r"Server new \(version 3\) is running"):
        await migrate_back(pool)
    postgres.run("DELETE FROM replica WHERE name = 'new'")
    assert await migrate_back(pool) == SchemaVersion(2, 1)


async def test_two_that_migrate_at_the_same_time_take_each_step_once(
    pool: PostgresPool, postgres: Database, code: list[Migration]
) -> None:
    await make_schema(pool)
    code += [SECOND, THIRD]
    taken = await asyncio.gather(migrate(pool), migrate(pool), migrate(pool))
    assert sorted(one.version for steps in taken for one in steps) == [2, 3]
    assert columns(postgres) == {"mood", "diary"}


async def test_a_step_that_fails_leaves_nothing(pool: PostgresPool, postgres: Database, code: list[Migration]) -> None:
    await make_schema(pool)
    code += [Migration(2, f"{SECOND.forward}; SELECT 1 / 0", "", least=1)]
    with pytest.raises(StoreUnavailable):
        await migrate(pool)
    assert columns(postgres) == set()
    assert await read_version(pool) == SchemaVersion(1, 1)


async def test_a_table_that_is_in_use_is_waited_for_briefly_and_again(
    pool: PostgresPool, postgres: Database, code: list[Migration], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_migration, "PAUSE", 0.0)
    monkeypatch.setattr(postgres_migration, "_LOCK_TIMEOUT", "SET LOCAL lock_timeout = '10ms'")
    await make_schema(pool)
    code += [SECOND]
    reader = await asyncpg.connect(postgres.url)
    reading = reader.transaction()
    await reading.start()
    await reader.fetch("SELECT FROM call")
    with pytest.raises(StoreUnavailable, match="a table is locked"):
        await migrate(pool)
    await reading.rollback()
    await reader.close()
    assert await migrate(pool) == [SchemaVersion(2, 1)]


async def test_a_database_of_somebody_else_is_not_taken(pool: PostgresPool, postgres: Database) -> None:
    postgres.run("CREATE TABLE call (number text)")
    with pytest.raises(DataUnusable, match="tables that are not ours"):
        await require_tables(pool)
