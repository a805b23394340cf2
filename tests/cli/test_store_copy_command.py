"""`ivr store copy`: all calls move into another store, and what must not be copied is refused in plain words."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.store.data_folder import DataFolder
from ivr.store.opening import open_store
from ivr.store.postgres.postgres_copy_target import PostgresCopyTarget
from ivr.store.postgres.postgres_pool import PostgresPool
from ivr.store.postgres.postgres_versions import MIGRATIONS, Migration
from tests.cli.stored_calls import ivr, project
from tests.postgres.cluster import SECRET, Database
from tests.postgres.test_opening import place

KEY = "00" * 32
"With which the calls of `project` are sealed."


@pytest.fixture
def full(tmp_path: Path) -> str:
    """Return the address of a data folder with calls."""
    return f"sqlite:{project(tmp_path) / 'data'}"


@pytest.fixture
def empty(postgres: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the address of an empty database, which the settings name."""
    postgres.raze()
    monkeypatch.setenv("IVR_STORE", postgres.url)
    monkeypatch.setenv("IVR_SEAL_KEY", KEY)
    yield without_password(postgres)
    postgres.raze()


def without_password(database: Database) -> str:
    return database.url.replace(f":{SECRET}", "")


def copied(*arguments: str) -> str:
    """Return what a copy says, which succeeds."""
    result = ivr("store", "copy", *arguments)
    assert result.exit_code == 0, result.output
    return result.output


def refused(*arguments: str) -> str:
    """Return why a copy is refused."""
    result = ivr("store", "copy", *arguments)
    assert result.exit_code != 0, result.output
    return result.output


def test_all_calls_move_into_a_database_and_back_into_a_folder(tmp_path: Path, full: str, empty: str) -> None:
    said = copied(full, empty)
    assert said.startswith("Copied 12 calls with ")
    assert "Both sides were compared: they hold the same.\n" in said
    assert "put it into IVR_SEAL_KEY" in said
    listed = ivr("calls", "--json").output
    assert len(json.loads(listed)) == 12
    assert ivr("calls", "--json", "--data", tmp_path / "data").output == listed
    assert copied(empty, f"sqlite:{tmp_path / 'back'}") == said
    assert ivr("calls", "--json", "--data", tmp_path / "back").output == listed


def test_what_is_there_already_is_never_mixed_with_a_copy(tmp_path: Path, full: str, empty: str) -> None:
    copied(full, empty)
    assert "There are calls in the database postgres at 127.0.0.1:" in refused(full, empty)
    assert f"There are calls in {tmp_path / 'data'} already. A copy needs" in refused(empty, full)
    assert "A copy needs another place than the data folder" in refused(full, full)


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path, empty: str) -> None:
    assert f"There are no calls yet ({tmp_path / 'typo' / 'calls.db'}" in refused(f"sqlite:{tmp_path / 'typo'}", empty)
    assert not (tmp_path / "typo").exists()
    assert "There is nothing yet in the database" in refused(empty, f"sqlite:{tmp_path / 'new'}")


def test_a_store_that_is_served_is_not_copied(tmp_path: Path, full: str, empty: str, postgres: Database) -> None:
    with DataFolder.open(tmp_path / "data"):
        assert "is in use by process" in refused(full, empty)

    async def beside_a_server(*arguments: str) -> str:
        server = await open_store(place(postgres, tmp_path / "server", seal_key=KEY))
        try:
            return await asyncio.to_thread(refused, *arguments)
        finally:
            await server.close()

    for arguments in ((full, empty), (empty, f"sqlite:{tmp_path / 'new'}")):
        said = asyncio.run(beside_a_server(*arguments))
        assert "Servers use the database postgres" in said
        assert said.endswith("Stop them, then copy.\n")


def test_a_copy_that_is_cut_off_is_used_by_nobody_until_the_same_command_ends_it(
    full: str, empty: str, postgres: Database, tmp_path: Path
) -> None:
    asyncio.run(_begun(postgres.url, f"the data folder {tmp_path / 'data'}"))
    for command in (("calls",), ("store", "status"), ("store", "migrate"), ("serve", "--port", "0", str(tmp_path))):
        said = ivr(*command, *(["--dev"] if command[0] == "serve" else []))
        assert (said.exit_code, "A copy into this database is not finished" in said.output) == (1, True), said.output
    assert "A copy into this database is not finished" in refused(empty, f"sqlite:{tmp_path / 'new'}")
    copied(full, empty)
    assert ivr("store", "status").exit_code == 0


async def _begun(url: str, source: str) -> None:
    pool = await PostgresPool.open(url, application="test")
    target = await PostgresCopyTarget.fill(pool, "the database")
    await target.begin(source)
    await target.close()


def test_a_release_copies_only_tables_that_it_knows(full: str, empty: str, tmp_path: Path) -> None:
    back = f"sqlite:{tmp_path / 'back'}"
    copied(full, empty)
    MIGRATIONS.append(Migration(2, "CREATE TABLE diary (day text)", "DROP TABLE diary", least=1))
    try:
        assert "ivr store migrate" in refused(empty, back)
        ivr("store", "migrate")
    finally:
        MIGRATIONS.pop()
    assert "have version 2, and this release knows them up to 1 only." in refused(empty, back)


def test_addresses_are_explained_and_hold_no_password(full: str, empty: str) -> None:
    for address in ("recordings/live", "sqlite:", "mysql://ivr@db/ivr", "postgresql://ivr@[db/ivr"):
        assert "A store is sqlite:FOLDER or postgresql://USER@HOST/DATABASE." in refused(full, address)
    for address in (f"postgresql://ivr:{SECRET}@db/ivr", f"postgresql://db/ivr?user=ivr&password={SECRET}"):
        said = refused(full, address)
        assert "put the password into PGPASSWORD or ~/.pgpass" in said
        assert SECRET not in said
