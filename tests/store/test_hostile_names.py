"""Whatever a stranger calls himself, his calls are saved, found and erased: in every store, and in a copy of one."""

import random
from pathlib import Path
from typing import Final, cast

import pytest

from ivr.call_search import WantedCalls
from ivr.store.copying import copy_store
from ivr.store.data_folder import DataFolder
from ivr.store.postgres.postgres_copy_target import PostgresCopyTarget
from ivr.store.postgres.postgres_pool import PostgresPool
from ivr.store.sqlite.sqlite_copying import SqliteCopySource
from tests.postgres.cluster import Database
from tests.store.archive_answers import all_of
from tests.store.postgres_world import PostgresWorld
from tests.store.store_examples import key
from tests.store.store_worlds import SqliteWorld, World
from tests.store.test_archive_contract import begun, erased

_CHANCE = random.Random(17)
NAMES: Final = {
    "longer than any index takes": "".join(_CHANCE.choices("0123456789abcdef", k=20_000)),
    "as long as stays, in wide letters": "".join(map(chr, _CHANCE.choices(range(0x20000, 0x2A000), k=512))),
    "like what stands for NUL": "29:\\x00me",
    "SQL": "'); DROP TABLE call; --",
    "what LIKE takes for anything": "%_\\",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
async def test_a_call_of_whoever_is_saved_found_and_erased_with_nobody_elses(world: World, name: str) -> None:
    await begun(world, "a", 1.0, caller=name)
    await begun(world, "b", 2.0, caller=f"{name}2")
    await begun(world, "c", 3.0, caller="29:abc")
    saved = await world.store.load(key("a"))
    assert saved is not None
    assert saved.call.facts.caller == name
    assert len((await world.search.search(WantedCalls(), before=None, limit=9, look=9)).calls) == 3
    gone = await erased(world, caller=name)
    assert [one.id for one in gone.calls] == [saved.id]
    assert (await all_of(world.archive.recent()))[0].party == "29:abc"
    assert await world.archive.count("all") == 2


async def test_a_name_that_no_column_can_hold_does_not_keep_a_call_from_being_saved(shared: PostgresWorld) -> None:
    await begun(cast("World", shared), "a", 1.0, caller="29:\0me")
    saved = await shared.store.load(key("a"))
    assert saved is not None
    assert [one.id for one in (await shared.archive.erase(caller="29:\0me")).calls] == [saved.id]


@pytest.mark.parametrize("name", [*NAMES.values(), "29:\0me"], ids=[*NAMES.keys(), "with NUL"])
async def test_no_name_keeps_a_store_from_being_copied(postgres: Database, tmp_path: Path, name: str) -> None:
    source, target = SqliteWorld(tmp_path, "5e" * 32), PostgresWorld(postgres, "5e" * 32)
    await source.begin()
    one = await begun(cast("World", source), "a", 1.0, caller=name)
    await source.end()
    (source.folder / "audio").mkdir()
    postgres.raze()
    pool = await PostgresPool.open(postgres.url, application="a copy", size=2)
    filled = await PostgresCopyTarget.fill(pool, "the database")
    await copy_store(SqliteCopySource.open(DataFolder(source.folder)), filled, lambda _: None)
    await filled.close()
    await target.open()
    assert [gone.id for gone in (await target.archive.erase(caller=name)).calls] == [one.id]
    await target.end()
    postgres.raze()


async def test_a_flow_is_not_asked_for_by_what_no_column_can_hold(world: World) -> None:
    for name in ("\0", "a\0"):
        assert await world.store.flow(name) is None
