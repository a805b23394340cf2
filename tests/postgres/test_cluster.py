"""The PostgreSQL of the tests: what one test leaves is not there for the next, and no folder stays behind."""

import asyncpg
import pytest

from tests.postgres.cluster import SECRET, Database, cluster_folder

pytestmark = pytest.mark.usefixtures("postgres")


@pytest.mark.parametrize("_again", range(2))
def test_rows_are_gone_before_the_next_test_and_counters_begin_anew(postgres: Database, _again: int) -> None:
    postgres.run("CREATE TABLE IF NOT EXISTS ivr_schema (version integer)")
    postgres.run("CREATE TABLE IF NOT EXISTS left_behind (row bigint GENERATED ALWAYS AS IDENTITY, what text)")
    assert postgres.ask("INSERT INTO left_behind (what) VALUES ($1) RETURNING row", "something") == [(1,)]
    assert postgres.ask("SELECT count(*) FROM left_behind") == [(1,)]


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
