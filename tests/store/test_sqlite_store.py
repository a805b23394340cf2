"""What only the store on the disk can show: the file, the queue before it, and what a full disk does."""

import asyncio
import resource
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from ivr.call_record import Commit
from ivr.errors import DataUnusable, StaleCall, StoreUnavailable
from ivr.store.data_folder import DataFolder
from ivr.store.location import StoreLocation
from ivr.store.opening import open_for_command
from ivr.store.sqlite.database_file import open_database
from ivr.store.sqlite.sqlite_calls import REMEMBERED
from ivr.store.sqlite.tables import VERSION
from tests.store.store_examples import (
    LATER,
    after,
    answered,
    key,
    line,
    record,
    recorded,
    records_of,
    request,
)
from tests.store.store_worlds import SqliteWorld, ask, claim


@contextmanager
def full_disk(database: Path) -> Iterator[None]:
    """Let no file of this process grow beyond the size that the log has now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (Path(f"{database}-wal").stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# --- the file --------------------------------------------------------------------------------------------------------


async def test_the_files_are_for_their_owner_alone(disk: SqliteWorld) -> None:
    await disk.store.commit(after(record("a"), line()))
    files = list(disk.folder.iterdir())
    assert {file.name for file in files} == {"calls.db", "calls.db-wal", "calls.db-shm", "seal.key"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


async def test_a_file_that_others_could_read_is_closed_to_them(disk: SqliteWorld) -> None:
    await disk.store.close()
    disk.database.chmod(0o644)
    await disk.open()
    assert stat.S_IMODE(disk.database.stat().st_mode) == 0o600


def test_every_commit_is_synced_to_the_disk(tmp_path: Path) -> None:
    for _ in range(2):
        with closing(open_database(tmp_path / "calls.db")) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


async def test_a_database_of_a_newer_version_is_refused(disk: SqliteWorld) -> None:
    await disk.store.close()
    ask(disk.database, f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(DataUnusable, match=f"newer version.*schema {VERSION + 1}, here {VERSION}.*Start that"):
        await disk.open()


async def test_a_database_of_another_program_is_refused_and_left_alone(disk: SqliteWorld) -> None:
    await disk.store.close()
    disk.database.unlink()
    ask(disk.database, "CREATE TABLE cookies (a)")
    with pytest.raises(DataUnusable, match="the database of another program"):
        await disk.open()
    assert ask(disk.database, "SELECT name FROM sqlite_master") == [("cookies",)]


async def test_a_file_that_is_no_database_is_refused(disk: SqliteWorld) -> None:
    await disk.store.close()
    disk.database.write_bytes(b"not a database at all" * 1000)
    with pytest.raises(DataUnusable, match="it is not an SQLite database"):
        await disk.open()


async def test_a_database_that_cannot_be_opened_is_refused(disk: SqliteWorld) -> None:
    await disk.store.close()
    disk.database.unlink()
    disk.database.mkdir()
    with pytest.raises(DataUnusable, match="cannot be opened"):
        await disk.open()


async def test_an_open_store_is_not_moved_by_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    world = SqliteWorld(Path())
    await world.begin()
    archive = world.archive
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    await world.store.commit(after(record("a"), line(), over=True))
    assert len(await records_of(archive)) == 1
    await world.end()
    assert (tmp_path / "0" / "calls.db").exists()


# --- the queue and the writer ----------------------------------------------------------------------------------------


async def test_a_message_that_comes_while_its_call_is_forgotten_leaves_no_turn_behind(disk: SqliteWorld) -> None:
    ended = {}
    for name in "ab":
        first = after(record(name), line())
        last = after(first.record, over=True)
        await disk.store.commit(first)
        await disk.store.commit(last)
        ended[name] = last.record
    with closing(sqlite3.connect(disk.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # nothing can be written now
        late = asyncio.create_task(disk.store.commit(after(ended["b"])))
        forgotten = asyncio.create_task(disk.archive.forget(before=9e9, limit=2))
        while not disk.store._writer.busy(key("a")):  # forgetting waits for b's message
            await asyncio.sleep(0)
        later = [asyncio.create_task(disk.store.commit(after(ended["a"], message=each))) for each in ("x", "y")]
        await asyncio.sleep(0)
        other.execute("ROLLBACK")
    await late
    results = await asyncio.gather(*later, return_exceptions=True)
    assert [type(result) for result in results] == [StaleCall, StaleCall]
    assert len(await forgotten) == 2
    assert ask(disk.database, "SELECT count(*) FROM turn") == [(0,)]


async def test_calls_can_be_forgotten_while_no_server_serves_them(disk: SqliteWorld) -> None:
    first = after(record("a"), line())
    await disk.store.commit(first)
    await disk.store.commit(after(first.record, over=True))
    await disk.store.close()
    stored = await open_for_command(StoreLocation(DataFolder(disk.folder)))
    archive = stored.archive
    assert [one.id for one in await archive.forget(before=9e9, limit=2)] == [first.record.id]
    assert await archive.empty_log()
    assert await archive.count("all") == 0
    await stored.close()
    await disk.open()
    assert await disk.store.load(key("a")) is None


async def test_a_full_queue_leaves_orders_open(disk: SqliteWorld) -> None:
    call = after(record("a"), line(), jobs=(request("1.1"),))
    await disk.store.commit(call)
    await disk.store.close()
    await disk.open(queue=0)
    with pytest.raises(StoreUnavailable):
        await claim(disk.store, limit=1)
    with pytest.raises(StoreUnavailable):
        await disk.store.finish(call.record.id, "1.1", answered("1.1"))
    await disk.store.close()
    await disk.open()
    assert [order.attempts for order in await claim(disk.store, limit=1)] == [1]


async def test_what_is_handed_over_in_the_same_breath_as_the_end_is_saved(disk: SqliteWorld) -> None:
    saved = [disk.store._writer.saved([], lambda: 1) for _ in range(5)]
    await disk.store._writer.close()  # most of the batch stands before the end in the queue
    assert await asyncio.gather(*saved) == [1] * 5


async def test_a_full_disk_fails_what_it_must_and_nothing_is_half_saved(disk: SqliteWorld) -> None:
    first = after(record("a"), line(), jobs=(request("1.1"),))
    await disk.store.commit(first)
    more = [after(record(f"n{n}"), line()) for n in range(5)]
    with full_disk(disk.database):
        results = await asyncio.gather(
            *map(disk.store.commit, more),
            disk.store.commit(after(first.record, line(1))),
            claim(disk.store, limit=1),
            disk.store.finish(first.record.id, "1.1", answered("1.1")),
            disk.store.save_flow("hash", b"source"),
            return_exceptions=True,
        )
        assert {type(result) for result in results} == {StoreUnavailable}
        assert await disk.store.load(key("a")) == first.record
        assert await disk.store.load(key("n0")) is None
    for commit in more:
        await disk.store.commit(commit)
    await disk.store.commit(after(first.record, line(1)))
    assert [order.attempts for order in await claim(disk.store, limit=1)] == [1]
    assert await disk.store.finish(first.record.id, "1.1", answered("1.1")) is True
    await disk.crash()
    assert [(call.key.id, call.version) for call in await records_of(disk.archive)][:2] == [("a", 2), ("n0", 1)]


async def test_a_full_disk_is_said_to_be_full_until_something_is_saved_again(disk: SqliteWorld) -> None:
    await disk.store.probe()
    (pages,) = ask(disk.database, "PRAGMA page_count")[0]
    await disk.store._writer.saved([(f"PRAGMA max_page_count = {pages}", ())], lambda: None)
    refused = 0
    while not refused:  # the pages that are there take some calls more
        for number in range(50):
            try:
                await disk.store.commit(after(record(f"n{number}"), *map(line, range(50))))
            except StoreUnavailable as error:
                assert str(error) == "This could not be saved: the disk is full."  # noqa: PT017
                refused += 1
                break
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="the disk is full"):
            await disk.store.probe()
    await disk.store._writer.saved([(f"PRAGMA max_page_count = {pages + 1000}", ())], lambda: None)
    await disk.store.probe()
    await disk.store.commit(after(record("b"), line()))
    assert await disk.store.flow("") is None, "nothing of the probe stays"


async def test_a_mistake_of_ours_after_the_commit_keeps_nobody_else_waiting(disk: SqliteWorld) -> None:
    mistake = disk.store._writer.saved([], lambda: 1 // 0)
    fine = disk.store._writer.saved([], lambda: 1)
    assert await asyncio.gather(mistake, fine, return_exceptions=True) == [mistake.exception(), 1]
    with pytest.raises(ZeroDivisionError):
        await mistake


@pytest.mark.parametrize("statements", [[], [("nonsense", ())]])
async def test_a_cancelled_write_disturbs_nobody_however_it_ends(disk: SqliteWorld, statements: list[Any]) -> None:
    saved = []
    cancelled = disk.store._writer.saved(statements, lambda: saved.append(1), key="a")
    mistaken = disk.store._writer.saved([], lambda: 1 // 0)
    cancelled.cancel()
    mistaken.cancel()
    await disk.store._writer.quiet("a")
    assert saved == ([] if statements else [1])
    await disk.store.commit(after(record("a"), line()))


# --- looking up ------------------------------------------------------------------------------------------------------


async def test_a_call_that_was_over_long_ago_is_found_in_the_file(disk: SqliteWorld) -> None:
    last = after(record("a"), recorded("a.wma"), over=True)
    await disk.store.commit(last)
    for n in range(REMEMBERED + 1):
        await disk.store.load(key(f"nobody{n}"))
    assert await disk.store.load(key("a")) == last.record
    assert await disk.store.named("a.wma") is True


async def test_a_file_that_cannot_be_read_fails_the_question_alone(disk: SqliteWorld) -> None:
    await disk.store.commit(after(record("a"), line()))
    ask(disk.database, "ALTER TABLE flow RENAME TO other")
    with pytest.raises(StoreUnavailable, match="SQLite error"):
        await disk.store.flow("hash")
    assert await disk.store.load(key("a")) is not None
    assert len(await records_of(disk.archive)) == 1


async def test_times_and_orders_of_many_calls_cost_what_is_due_and_no_more(disk: SqliteWorld) -> None:
    """A heap that kept every old time would hold one entry for each message of the server's life."""
    call = after(record("a"), line())
    await disk.store.commit(call)
    for n in range(300):
        call = Commit(replace(call.record, version=call.record.version + 1, idle_at=LATER + n))
        await disk.store.commit(call)
    assert len(disk.store._live._alarms._heap) < 100
    assert list(await disk.store.due(LATER)) == [key("a")]
