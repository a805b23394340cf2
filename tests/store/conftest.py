"""The stores, one by one or each in turn."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.store.store_worlds import MemoryWorld, SqliteWorld, World


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[SqliteWorld]:
    world = SqliteWorld(tmp_path)
    await world.begin()
    yield world
    await world.end()


@pytest.fixture(params=["memory", "sqlite"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    world: World = MemoryWorld()
    if request.param == "sqlite":
        world = SqliteWorld(tmp_path)
        await world.begin()
    yield world
    await world.end()
