"""A copy of a store holds what the store held: asked through its ports, from whichever driver to whichever other."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from ivr.errors import DataUnusable, StoreUnavailable
from ivr.store.copied_tables import ROWS, TABLES, CopiedRecording, CopiedTable, CopySource, CopyTarget, Place, Portion
from ivr.store.copying import RECORDINGS, Told, copy_store
from ivr.store.data_folder import DataFolder
from ivr.store.sqlite.sqlite_copy_target import SqliteCopyTarget
from ivr.store.sqlite.sqlite_copying import SqliteCopySource
from tests.cli.stored_calls import ivr
from tests.store.earlier_folders import VERSIONS, calls_said, restored
from tests.store.full_store import LARGER, everything, fill
from tests.store.store_worlds import SqliteWorld, ask
from tests.store.test_damaged_rows import DAMAGES, damage, three_calls

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
        await three_calls(self._world)
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


End = SqliteEnd


@pytest.fixture(params=["sqlite"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> End:
    return SqliteEnd(tmp_path / "empty")


@pytest.fixture(params=["sqlite"])
async def full(request: pytest.FixtureRequest, tmp_path: Path) -> End:
    end = SqliteEnd(tmp_path / "full")
    await end.fill()
    return end


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


async def test_a_copy_answers_every_question_as_what_was_copied(full: End, empty: End) -> None:
    counted = await copied(full, empty)
    assert {name: counted[name] for name in ("call", "job", "mail", RECORDINGS)} == {
        "call": 4, "job": 3, "mail": 3, RECORDINGS: 1,
    }  # fmt: skip
    assert 0 not in counted.values(), "every table has rows, so that none is left out unseen"
    assert await empty.everything() == await full.everything()


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
    assert await empty.everything() == await full.everything()


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
    assert await empty.everything() == await full.everything()


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
    with pytest.raises(DataUnusable, match="has a part of another store already"):
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
