"""The PostgreSQL of the tests: what one test leaves is not there for the next, and no folder stays behind."""

from collections.abc import Iterator

import asyncpg
import pytest

from tests.postgres.cluster import SECRET, Database, cluster_folder


@pytest.fixture(autouse=True)
def _nothing_of_ours_stays(postgres: Database) -> Iterator[None]:
    postgres.raze()
    yield
    postgres.raze()


def test_rows_are_gone_in_an_empty_database_and_counters_begin_anew(postgres: Database) -> None:
    postgres.run("CREATE TABLE ivr_schema (version integer); INSERT INTO ivr_schema VALUES (1)")
    postgres.run("CREATE TABLE left_behind (row bigint GENERATED ALWAYS AS IDENTITY, what text)")
    for _ in range(2):
        assert postgres.ask("INSERT INTO left_behind (what) VALUES ($1) RETURNING row", "something") == [(1,)]
        postgres.empty()
        assert postgres.ask("SELECT count(*) FROM left_behind") == [(0,)]
    assert postgres.ask("SELECT version FROM ivr_schema") == [(1,)]


def test_a_razed_database_has_no_tables(postgres: Database) -> None:
    postgres.run("CREATE TABLE left_over (row bigint)")
    postgres.raze()
    assert postgres.ask("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace") == []


async def test_connections_of_an_earlier_test_are_broken_off(postgres: Database) -> None:
    earlier = await asyncpg.connect(postgres.url)
    try:
        await earlier.execute("BEGIN; CREATE TABLE half_made (row bigint)")
        postgres.empty()
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await earlier.execute("COMMIT")
    finally:
        earlier.terminate()
    assert postgres.ask("SELECT relname FROM pg_class WHERE relname = 'half_made'") == []


def test_the_url_has_a_password_that_tests_can_look_for(postgres_url: str) -> None:
    assert f":{SECRET}@" in postgres_url


def test_the_folder_of_a_cluster_goes_with_it() -> None:
    with cluster_folder() as folder:
        assert folder.is_dir()
    assert not folder.exists()
