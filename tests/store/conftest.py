"""The stores, one by one or each in turn."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from tests.postgres.cluster import Database
from tests.store.postgres_world import PostgresWorld
from tests.store.store_worlds import DurableWorld, MemoryWorld, SqliteWorld, World


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[SqliteWorld]:
    world = SqliteWorld(tmp_path)
    await world.begin()
    yield world
    await world.end()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    world: World = MemoryWorld()
    if request.param == "sqlite":
        world = SqliteWorld(tmp_path)
        await world.begin()
    elif request.param == "postgres":
        shared = PostgresWorld(request.getfixturevalue("postgres"))
        await shared.begin()
        world = cast("World", shared)
    yield world
    await world.end()


@pytest.fixture(params=["sqlite", "postgres"])
async def durable(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[DurableWorld]:
    """A store that keeps its data where others could read it."""
    world: DurableWorld
    world = SqliteWorld(tmp_path) if request.param == "sqlite" else PostgresWorld(request.getfixturevalue("postgres"))
    await world.begin()
    yield world
    await world.end()


@pytest.fixture
async def shared(postgres: Database) -> AsyncIterator[PostgresWorld]:
    world = PostgresWorld(postgres)
    await world.begin()
    yield world
    await world.end()
