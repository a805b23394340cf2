"""A copy of a store holds what the store held: asked through its ports, from whichever driver to whichever other."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from ivr.errors import DataUnusable, StoreUnavailable
from ivr.store.copied_tables import ROWS, TABLES, CopiedRecording, CopiedTable, CopySource, CopyTarget, Place, Portion
from ivr.store.copying import RECORDINGS, Told, copy_store
from ivr.store.data_folder import DataFolder
from ivr.store.location import StoreLocation
from ivr.store.opening import open_store
from ivr.store.postgres.postgres_copy_target import PostgresCopyTarget
from ivr.store.postgres.postgres_copying import PostgresCopySource
from ivr.store.postgres.postgres_media import CHUNK, PostgresMedia
from ivr.store.postgres.postgres_pool import PostgresPool
from ivr.store.sqlite.sqlite_copy_target import SqliteCopyTarget
from ivr.store.sqlite.sqlite_copying import SqliteCopySource
from tests.cli.stored_calls import ivr
from tests.postgres.cluster import Cluster, Database
from tests.store.damaged_calls import three_calls
from tests.store.earlier_folders import VERSIONS, calls_said, restored
from tests.store.full_store import LARGER, everything, fill
from tests.store.postgres_world import PostgresWorld
from tests.store.store_worlds import SqliteWorld, World, ask
from tests.store.test_damaged_rows import DAMAGES, damage

SOUND = bytes(range(256)) * 4000
"A recording of several chunks."
KEY = "5e" * 32


class SqliteEnd:
    """A data folder that is copied, or that is to be filled."""

    def __init__(self, folder: Path) -> None:
        self._world = SqliteWorld(folder, KEY)
        (self._world.folder / "audio").mkdir(parents=True, exist_ok=True)
        self.most = ROWS

    @property
    def folder(self) -> DataFolder:
        return DataFolder(self._world.folder)

    async def fill(self) -> None:
        await self._world.open()
        await fill(self._world)
        await self._world.end()
        (self.folder.audio / LARGER).write_bytes(SOUND)

    async def everything(self) -> dict[str, object]:
        await self._world.open()
        found = await everything(self._world)
        await self._world.end()
        return {**found, "sounds": (self.folder.audio / LARGER).read_bytes()}

    async def source(self) -> CopySource:
        return SqliteCopySource.open(self.folder, most=self.most)

    async def target(self, *, anew: bool = False) -> CopyTarget:
        return SqliteCopyTarget.fill(self.folder, anew=anew)

    async def damage(self, sql: str) -> None:
        """Have three calls, one of them damaged."""
        await self._world.open()
        await three_calls(self._world.store)
        await damage(self._world, sql)

    async def change(self) -> None:
        """Change something, as if it had been served."""
        ask(self.folder.database, "UPDATE turn SET trace = '[]' WHERE seq = 1")

    async def can_be_served(self) -> bool:
        """Return whether there are calls to be served."""
        return self.folder.database.exists()

    async def damaged(self) -> set[str]:
        """Return our ids of the calls that cannot be read."""
        await self._world.open()
        found = {one.id async for portion in self._world.archive.damaged(sealed=True) for one in portion}
        await self._world.end()
        return found


class PostgresEnd:
    """A database that is copied, or that is to be filled."""

    def __init__(self, database: Database, folder: Path) -> None:
        database.raze()
        self._database = database
        self._world = PostgresWorld(database, KEY)
        self._folder = folder
        self.most = ROWS

    async def fill(self) -> None:
        await self._world.open()
        await fill(cast("World", self._world))
        for number, start in enumerate(range(0, len(SOUND), CHUNK)):
            chunk = SOUND[start : start + CHUNK]
            await self._world.pool.rows("INSERT INTO recording_chunk VALUES ($1, $2, $3)", LARGER, number, chunk)
        await self._world.pool.rows("INSERT INTO recording VALUES ($1, $2, 5.0)", LARGER, len(SOUND))
        await self._world.end()

    async def everything(self) -> dict[str, object]:
        await self._world.open()
        media = PostgresMedia(self._world.pool, self._folder)
        async with media.open(LARGER) as file:
            sound = file.read()
        await media.close()
        found = await everything(cast("World", self._world))
        await self._world.end()
        return {**found, "sounds": sound}

    async def source(self) -> CopySource:
        pool = await self._pool()
        try:
            return await PostgresCopySource.open(pool, "the database", most=self.most)
        except DataUnusable:
            await pool.close()
            raise

    async def target(self, *, anew: bool = False) -> CopyTarget:
        pool = await self._pool()
        try:
            return await PostgresCopyTarget.fill(pool, "the database", anew=anew)
        except DataUnusable:
            await pool.close()
            raise

    async def change(self) -> None:
        self._database.run("UPDATE turn SET trace = '[]' WHERE version = 1")

    async def can_be_served(self) -> bool:
        """Return whether a server would start, and there is something."""
        try:
            await (await open_store(StoreLocation(DataFolder(self._folder), self._database.url, KEY))).close()
        except DataUnusable:
            return False
        return self._database.ask("SELECT count(*) > 0 FROM call") == [(True,)]

    async def damaged(self) -> set[str]:
        await self._world.open()
        found = {one.id async for portion in self._world.archive.damaged(sealed=True) for one in portion}
        await self._world.end()
        return found

    async def _pool(self) -> PostgresPool:
        return await PostgresPool.open(self._database.url, application="a copy", size=2)


End = SqliteEnd | PostgresEnd


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[End]:
    if request.param == "sqlite":
        yield SqliteEnd(tmp_path / "empty")
        return
    database: Database = request.getfixturevalue("postgres")
    yield PostgresEnd(database, tmp_path)
    database.raze()


@pytest.fixture(params=["sqlite", "postgres"])
async def full(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[End]:
    end: End = SqliteEnd(tmp_path / "full")
    if request.param == "sqlite":
        await end.fill()
        yield end
        return
    end = PostgresEnd(request.getfixturevalue("another_postgres"), tmp_path)
    await end.fill()
    yield end


@pytest.fixture(scope="module")
def another_postgres(postgres_cluster: Cluster) -> Iterator[Database]:
    """Return a database beside that of all tests."""
    first = Database(postgres_cluster.url())
    first.run("CREATE DATABASE another")
    first.close()
    database = Database(postgres_cluster.url("another"))
    yield database
    database.close()


def unheard(_: Told) -> None:
    pass


@asynccontextmanager
async def opened(full: End, empty: End, *, anew: bool = False) -> AsyncIterator[tuple[CopySource, CopyTarget]]:
    source = await full.source()
    try:
        target = await empty.target(anew=anew)
        try:
            yield source, target
        finally:
            await target.close()
    finally:
        await source.close()


async def copied(full: End, empty: End, *, anew: bool = False) -> dict[str, int]:
    async with opened(full, empty, anew=anew) as (source, target):
        return await copy_store(source, target, unheard)


async def check_same(full: End, empty: End) -> None:
    """See whether two stores answer the same."""
    assert await empty.everything() == await full.everything()


async def test_a_copy_answers_every_question_as_what_was_copied(full: End, empty: End) -> None:
    counted = await copied(full, empty)
    assert {name: counted[name] for name in ("call", "job", "mail", RECORDINGS)} == {
        "call": 4, "job": 3, "mail": 3, RECORDINGS: 1,
    }  # fmt: skip
    assert 0 not in counted.values(), "every table has rows, so that none is left out unseen"
    await check_same(full, empty)


async def test_whoever_copies_is_told_how_far_it_has_come(full: End, empty: End) -> None:
    told: list[Told] = []
    async with opened(full, empty) as (source, target):
        counted = await copy_store(source, target, told.append)
    for table in TABLES:
        last = [one for one in told if one.what == table.name and not one.checking][-1]
        assert (last.done, last.total) == (counted[table.name], counted[table.name])
    assert [one.what for one in told if one.checking] == [*(table.name for table in TABLES), RECORDINGS]


# --- cut off ----------------------------------------------------------------------------------------------------------


class _Failing:
    """A store that is copied, and is away after so many reads."""

    def __init__(self, source: CopySource, reads: int) -> None:
        self._source = source
        self._left = reads
        self.name = source.name

    async def portions(self, table: CopiedTable, after: Place) -> AsyncGenerator[Portion, None]:
        async with aclosing(self._source.portions(table, after)) as portions:
            async for portion in portions:
                self._read()
                yield portion

    async def recordings(self, after: str) -> AsyncGenerator[Sequence[CopiedRecording], None]:
        async with aclosing(self._source.recordings(after)) as portions:
            async for portion in portions:
                self._read()
                yield portion

    async def pieces(self, recording: str) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._source.pieces(recording)) as pieces:
            async for piece in pieces:
                self._read()
                yield piece

    async def count(self, table: CopiedTable) -> int:
        return await self._source.count(table)

    async def close(self) -> None:
        await self._source.close()

    def _read(self) -> None:
        if not self._left:
            raise StoreUnavailable("away")
        self._left -= 1


async def test_a_copy_that_is_cut_off_wherever_it_is_goes_on_from_there(full: End, empty: End) -> None:
    full.most = 1
    read_again, cut_off = 0, 0
    for reads in range(5, 999, 5):
        told: list[Told] = []
        async with opened(full, empty) as (source, target):
            try:
                counted = await copy_store(_Failing(source, reads), target, told.append)
                break
            except StoreUnavailable:
                cut_off += 1
            read_again += sum(one.done == 0 for one in told if one.what == "turn")
    assert cut_off > 5
    assert read_again < cut_off, "what had been copied was not copied again"
    assert counted["call"] == 4
    await check_same(full, empty)


async def test_nothing_is_served_before_all_of_it_is_there_and_compared(full: End, empty: End) -> None:
    async with opened(full, empty) as (source, target):
        with pytest.raises(StoreUnavailable):
            await copy_store(_Failing(source, 20), target, unheard)
    assert not await empty.can_be_served()
    await copied(full, empty)
    assert await empty.can_be_served()


async def test_what_was_served_in_the_meantime_is_found_out(full: End, empty: End) -> None:
    full.most = 1
    async with opened(full, empty) as (source, target):
        with pytest.raises(StoreUnavailable):
            await copy_store(_Failing(source, 30), target, unheard)
    await full.change()
    with pytest.raises(DataUnusable, match=r"The copy differs from what was copied: turn, .* Was the source served"):
        await copied(full, empty)
    assert not await empty.can_be_served()
    await copied(full, empty, anew=True)
    await check_same(full, empty)


async def test_only_an_empty_store_is_filled(full: End, empty: End) -> None:
    with pytest.raises(DataUnusable, match="A copy needs"):
        await copied(full, full)
    await copied(full, empty)
    with pytest.raises(DataUnusable, match="A copy needs"):
        await copied(full, empty, anew=True)
    assert await empty.can_be_served()


async def test_two_stores_are_not_mixed(full: End, empty: End, tmp_path: Path) -> None:
    async with opened(full, empty) as (source, target):
        with pytest.raises(StoreUnavailable):
            await copy_store(_Failing(source, 5), target, unheard)
    other = SqliteEnd(tmp_path / "other")
    await other.fill()
    with pytest.raises(DataUnusable, match=r"There is a part of .* in .* already"):
        await copied(other, empty)
    await copied(other, empty, anew=True)


# --- what earlier versions, and damage, have left ---------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_folder_of_an_earlier_version_is_copied_and_reads_as_before(
    tmp_path: Path, version: int, empty: End
) -> None:
    restored(tmp_path / "old" / "0", version)
    await copied(SqliteEnd(tmp_path / "old"), empty)
    back = SqliteEnd(tmp_path / "back")
    await copied(empty, back)
    assert ivr("calls", "--json", "--data", back.folder.path).output == calls_said(version)


@pytest.mark.parametrize("sql", DAMAGES.values(), ids=DAMAGES.keys())
async def test_what_cannot_be_read_cannot_be_read_in_the_copy_and_all_else_can(
    tmp_path: Path, empty: End, sql: str
) -> None:
    old = SqliteEnd(tmp_path / "old")
    await old.damage(sql)
    await copied(old, empty)
    assert await empty.damaged() == await old.damaged() != set()
