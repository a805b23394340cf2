"""`ivr store`: which version the tables of a shared database have, and the way to another one."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.store.postgres.postgres_pool import PostgresPool
from ivr.store.postgres.postgres_schema import make_schema
from ivr.store.postgres.postgres_versions import MIGRATIONS, Migration
from tests.cli.stored_calls import ivr
from tests.free_ports import free_port
from tests.postgres.cluster import SECRET, Database


@pytest.fixture
def tables(postgres: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A database with tables of version 1, which the settings name."""
    postgres.raze()
    asyncio.run(_make(postgres.url))
    monkeypatch.setenv("IVR_STORE", postgres.url)
    before = [*MIGRATIONS]
    yield postgres
    MIGRATIONS[:] = before
    postgres.raze()


async def _make(url: str) -> None:
    pool = await PostgresPool.open(url, application="test")
    await make_schema(pool)
    await pool.close()


def test_forward_and_back(tables: Database) -> None:
    where = tables.url.rpartition("@")[2].removesuffix("/postgres")
    of_version_1 = f"The tables of the database postgres at {where} have version 1, for servers of version 1."
    now = ivr("store", "status")
    assert (now.exit_code, now.output) == (0, f"{of_version_1} This release is of version 1.\n")
    assert ivr("store", "migrate").output == f"{of_version_1} There is nothing to do.\n"
    MIGRATIONS.append(Migration(2, "CREATE TABLE diary (day text)", "DROP TABLE diary", least=1))
    old = ivr("store", "status")
    assert (old.exit_code, old.output.splitlines()[1]) == (1, "To bring them up to date: ivr store migrate")
    assert ivr("store", "migrate").output.endswith("have version 2, for servers of version 1 to 2.\n")
    assert ivr("store", "status").exit_code == 0
    MIGRATIONS.pop()
    newer = ivr("store", "status")
    assert (newer.exit_code, "This release is of version 1." in newer.output) == (0, True)
    refused = ivr("store", "migrate", "--back")
    assert (refused.exit_code, "Use `ivr` of that version" in refused.output) == (1, True)
    MIGRATIONS.append(Migration(2, "CREATE TABLE diary (day text)", "DROP TABLE diary", least=1))
    assert ivr("store", "migrate", "--back").output == f"{of_version_1}\n"


def test_what_is_not_there_is_said_without_the_password(
    postgres: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    postgres.raze()
    monkeypatch.setenv("IVR_STORE", postgres.url)
    assert ivr("store", "status").output.startswith("There is nothing yet in the database postgres at 127.0.0.1:")
    nothing = ivr("store", "migrate")
    assert (nothing.exit_code, "There is nothing yet in the database" in nothing.output) == (1, True)
    monkeypatch.setenv("IVR_STORE", f"postgresql://ivr:{SECRET}@127.0.0.1:{free_port()}/ivr")
    away = ivr("store", "status")
    assert (away.exit_code, away.output) == (
        1, "Error: The database cannot be used: nothing answers at its address.\n",
    )  # fmt: skip
    monkeypatch.setenv("IVR_STORE", f"mysql://ivr:{SECRET}@127.0.0.1/ivr")
    other = ivr("store", "status")
    assert (other.exit_code, SECRET in other.output) == (1, False)
    assert "IVR_STORE (environment): must be an address such as postgresql://user@db.example.com/ivr" in other.output
    monkeypatch.setenv("IVR_STORE", "sqlite")
    assert "The tables of SQLite are brought up to date by the server" in ivr("store", "status").output
