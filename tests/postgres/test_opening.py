"""Opening a store in PostgreSQL: the key that all its servers share, tables that fit, and a database that is away."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ivr.errors import DataUnusable, StoreUnavailable
from ivr.server.startup import check_settings
from ivr.settings import Settings, SettingsError, load_settings, location_of
from ivr.store.data_folder import DataFolder
from ivr.store.location import StoreLocation
from ivr.store.opening import open_for_command, open_store, open_upkeep
from ivr.store.postgres.postgres_errors import reason
from ivr.store.postgres.postgres_opening import open_postgres, open_postgres_copy_target, replica_name
from ivr.store.postgres.postgres_pool import PostgresPool
from ivr.store.postgres.postgres_versions import MIGRATIONS, Migration
from tests.free_ports import free_port
from tests.postgres.cluster import MISSING, SECRET, Database, installed, running_cluster
from tests.waiting import logged

Opening = Callable[[StoreLocation], Awaitable[object]]


def place(database: Database, folder: Path, seal_key: str | None = None) -> StoreLocation:
    location = StoreLocation(DataFolder(folder), database.url, seal_key)
    location.hold()
    return location


async def test_the_first_server_makes_tables_and_key_and_all_others_need_that_key(
    empty: Database, tmp_path: Path
) -> None:
    first, second = (place(empty, tmp_path / name) for name in ("first", "second"))
    opened = await open_store(first)
    key = (tmp_path / "first" / "seal.key").read_text()
    with pytest.raises(DataUnusable, match=r"sealed with another key\. All its servers need the same one"):
        await open_store(second)
    assert not (tmp_path / "second" / "seal.key").exists()
    (tmp_path / "second" / "seal.key").write_text(key)
    beside = await open_store(second)
    third = await open_store(place(empty, tmp_path / "third", seal_key=key.strip()))
    assert opened.link_key == beside.link_key == third.link_key
    assert len(empty.ask("SELECT FROM replica")) == 3
    for one in (opened, beside, third):
        await one.close()
    assert empty.ask("SELECT FROM replica") == []


async def test_any_number_of_servers_that_begin_at_once_on_an_empty_database_agree(
    empty: Database, tmp_path: Path
) -> None:
    opened = await asyncio.gather(*(open_store(place(empty, tmp_path, seal_key="5e" * 32)) for _ in range(4)))
    assert len({one.link_key for one in opened}) == 1
    assert len(empty.ask("SELECT FROM seal")) == 1
    for one in opened:
        await one.close()


async def test_a_command_needs_tables_and_looks_without_a_key(empty: Database, tmp_path: Path) -> None:
    location = place(empty, tmp_path)
    with pytest.raises(DataUnusable, match="There is nothing yet in the database"):
        await open_for_command(location)
    server = await open_store(place(empty, tmp_path / "server"))
    command = await open_for_command(location)
    assert await command.archive.count("all") == 0
    assert not await command.archive.opens_seals()
    assert not (tmp_path / "seal.key").exists()
    await command.close()
    await server.close()


async def test_tables_of_an_older_version_are_refused_and_never_changed_by_a_server(
    empty: Database, tmp_path: Path
) -> None:
    location = place(empty, tmp_path, seal_key="5e" * 32)
    await (await open_store(location)).close()
    MIGRATIONS.append(Migration(2, "CREATE TABLE diary (day text)", "DROP TABLE diary", least=1))
    try:
        for opening in (open_store, open_for_command):
            with pytest.raises(DataUnusable, match="ivr store migrate"):
                await opening(location)
        assert empty.ask("SELECT to_regclass('diary') IS NULL") == [(True,)]
    finally:
        MIGRATIONS.pop()
    await (await open_store(location)).close()


async def test_a_database_that_is_away_is_waited_for_and_then_given_up(tmp_path: Path) -> None:
    nowhere = StoreLocation(DataFolder(tmp_path), f"postgresql://ivr:{SECRET}@127.0.0.1:{free_port()}/ivr")
    with logged("waiting for the database") as waits:
        opening = asyncio.create_task(open_postgres(nowhere))
        await waits.once()
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
    with pytest.raises(StoreUnavailable, match="nothing answers at its address") as refused:
        await open_postgres(nowhere, patience=0.0)
    assert SECRET not in f"{refused.value} {nowhere} {nowhere!r}"


async def test_what_waiting_does_not_heal_is_not_waited_for(empty: Database, tmp_path: Path) -> None:
    other = StoreLocation(DataFolder(tmp_path), f"{empty.url.rpartition('/')[0]}/nowhere")
    with pytest.raises(DataUnusable, match="there is no database of this name"):
        await open_store(other)


@pytest.fixture
def unsuitable(empty: Database) -> Iterator[Database]:
    """A database in which tests make others, and users without rights."""
    empty.run("CREATE ROLE stranger LOGIN")
    yield empty
    for name in ("latin", "others", "frozen"):
        empty.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    empty.run("DROP OWNED BY stranger; DROP ROLE stranger")


def named(database: Database, name: str, user: str = "") -> str:
    """Return the address of another database of the same cluster, for another user."""
    server = database.url.rpartition("/")[0]
    return f"{server}/{name}" if not user else f"postgresql://{user}@{server.rpartition('@')[2]}/{name}"


async def refusal(url: str, folder: Path, opening: Opening = open_postgres) -> str:
    """Return what whoever opens a database is told, which names no user and no password."""
    with pytest.raises(DataUnusable) as refused:
        await opening(StoreLocation(DataFolder(folder), url, "5e" * 32))
    assert SECRET not in str(refused.value)
    return str(refused.value)


async def test_a_database_that_cannot_hold_every_text_is_refused(unsuitable: Database, tmp_path: Path) -> None:
    unsuitable.run("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    assert "the encoding LATIN1" in await refusal(named(unsuitable, "latin"), tmp_path)
    filling = partial(open_postgres_copy_target, anew=False)
    assert "createdb --encoding=UTF8" in await refusal(named(unsuitable, "latin"), tmp_path, filling)


async def test_a_user_without_rights_is_told_which_one_is_missing(unsuitable: Database, tmp_path: Path) -> None:
    unsuitable.run("CREATE DATABASE others TEMPLATE template0")
    url = named(unsuitable, "others", "stranger")
    assert "may not make tables in this database" in await refusal(url, tmp_path)
    await (await open_postgres(StoreLocation(DataFolder(tmp_path), named(unsuitable, "others"), "5e" * 32))).close()
    there = Database(named(unsuitable, "others"))
    there.run("GRANT CREATE ON SCHEMA public TO stranger; GRANT ALL ON ALL TABLES IN SCHEMA public TO stranger")
    there.close()
    assert "belong to another user than the one in IVR_STORE" in await refusal(url, tmp_path)
    upkeep = await open_upkeep(StoreLocation(DataFolder(tmp_path), url))
    MIGRATIONS.append(Migration(2, "ALTER TABLE call ADD COLUMN mood text", "SELECT 1", least=1))
    try:
        with pytest.raises(DataUnusable, match="has to be run with the user who owns them"):
            await upkeep.migrate()
    finally:
        MIGRATIONS.pop()
        await upkeep.close()


async def test_a_database_that_can_only_be_read_is_waited_for_since_it_may_be_a_standby(
    unsuitable: Database, tmp_path: Path
) -> None:
    unsuitable.run("CREATE DATABASE frozen TEMPLATE template0")
    unsuitable.run("ALTER DATABASE frozen SET default_transaction_read_only = on")
    location = StoreLocation(DataFolder(tmp_path), named(unsuitable, "frozen"), "5e" * 32)
    with pytest.raises(StoreUnavailable, match=r"it can only be read \(a standby\?\)"):
        await open_postgres(location, patience=0.0)


async def test_what_is_acknowledged_is_on_the_disk_also_where_the_database_asks_for_less() -> None:
    if installed() is None:
        pytest.skip(MISSING)
    with running_cluster(synchronous_commit="off") as own:
        shown = []
        for asked in ("off", "local", "remote_apply"):
            database = Database(own.url())
            database.run(f"ALTER DATABASE postgres SET synchronous_commit = '{asked}'")
            database.close()
            pool = await PostgresPool.open(own.url(), application="tests", size=1)
            shown.append(await pool.value("SHOW synchronous_commit"))
            await pool.close()
    assert shown == ["on", "local", "remote_apply"]


def test_files_of_another_user_are_told_from_a_database_that_is_away() -> None:
    assert "~/.pgpass" in reason(PermissionError(13, "Permission denied", "/root/.postgresql/postgresql.key"))
    assert reason(OSError(113, "No route to host")) == "it cannot be reached"


def test_a_name_of_a_server_is_its_own_and_has_no_slash() -> None:
    names = {replica_name() for _ in range(100)}
    assert len(names) == 100
    assert not any("/" in name for name in names)


def test_where_calls_are_is_in_the_settings_and_its_password_in_no_text(tmp_path: Path) -> None:
    url = f"postgresql://ivr:{SECRET}@db1.example.com,db2.example.com:5433/line?sslmode=require"
    chosen = Settings(store=url, data=tmp_path)
    location = location_of(chosen)
    assert (location.shared, location.url) == (True, url)
    assert str(location) == "the database line at db1.example.com,db2.example.com:5433"
    assert SECRET not in f"{chosen!r} {location!r}"
    for alone in (Settings(data=tmp_path), Settings(store="sqlite", data=tmp_path)):
        assert not location_of(alone).shared
        assert str(location_of(alone)) == f"the data folder {tmp_path}"


@pytest.mark.parametrize("store", ["mysql://db/ivr", "postgresql:/db", "postgresql://[db/ivr", "postgresql://d b/ivr"])
def test_what_is_no_address_of_a_database_is_refused_without_repeating_it(store: str) -> None:
    with pytest.raises(ValueError, match="must be an address such as postgresql://") as refused:
        Settings(store=store)
    assert store not in str(refused.value).replace("postgresql://user@db.example.com/ivr", "")


def test_several_processes_need_a_store_that_they_can_share() -> None:
    on: dict[str, Any] = {"app_id": "a", "public_url": "https://ivr.example", "workers": 2}
    with pytest.raises(SettingsError, match="only one process can use an SQLite database"):
        check_settings(Settings(**on), dev=False)
    shared = Settings(**on, store="postgresql://ivr@127.0.0.1/ivr")
    check_settings(shared, dev=False)
    with pytest.raises(SettingsError, match="development mode has one process"):
        check_settings(shared, dev=True)


def test_a_shared_store_leaves_the_folder_to_all(tmp_path: Path) -> None:
    location = StoreLocation(DataFolder(tmp_path / "data"), "postgresql://ivr@127.0.0.1/ivr")
    with location.hold(), location.hold() as folder:
        assert folder.audio.is_dir()
    assert not folder.lock.exists()
    location.require()


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ivr:never/in-a-log@127.0.0.1/ivr",
        "postgresql://ivr:12/never-in-a-log@127.0.0.1/ivr",
        "postgresql://ivr:never?in-a-log@127.0.0.1/ivr",
        "postgresql://ivr:12?never-in-a-log@127.0.0.1/ivr",
        "postgresql://ivr:never#in-a-log@127.0.0.1/ivr",
        "postgresql://ivr:in@never-in-a-log@127.0.0.1/ivr",
        "postgresql://ivr:secret@[never-in-a-log/ivr",
        "postgresql://ivr:secret@127.0.0.1:never-in-a-log/ivr",
        "postgresql://ivr:secret@127.0.0.1:123456/never-in-a-log",
        "postgresql:ivr:never-in-a-log@127.0.0.1/ivr",
        "mysql://ivr:never-in-a-log@127.0.0.1/ivr",
    ],
)
def test_an_address_that_would_be_taken_apart_at_the_wrong_place_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("IVR_STORE", address)
    with pytest.raises(SettingsError, match="written as %2F %3F %23 %40") as refused:
        load_settings()
    assert "in-a-log" not in str(refused.value)


def test_a_socket_an_address_of_ipv6_and_an_escaped_password_are_good_addresses(tmp_path: Path) -> None:
    for address in ("postgresql:///ivr", "postgres://a:%2F%40@[::1]:5432/ivr", "postgresql://%2Frun%2Fpg/ivr?user=a"):
        assert location_of(Settings(store=address, data=tmp_path)).shared
