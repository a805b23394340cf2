"""A data folder of the version before is changed at the start, once, and nothing of it is lost."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from store_examples import SECRET, after, answered, key, line, recorded, request
from store_examples import record as fresh
from store_worlds import SqliteWorld

from ivr.errors import DataUnusable
from ivr.store.archive import ArchiveFile
from ivr.store.tables import BLOCK, TABLES, VERSION


def made_old(database: Path) -> None:
    """Turn a file into what version 1 wrote: its tables and its one index, as they were, with the same rows."""
    old = database.with_suffix(".old")
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.executescript(f"{TABLES} CREATE INDEX live ON call (row) WHERE over = 0; PRAGMA user_version = 1;")
        connection.execute("ATTACH ? AS new", (str(database),))
        for table in ("call", "reply", "trace", "job", "media", "flow"):
            connection.execute(f"INSERT INTO {table} SELECT * FROM new.{table} ORDER BY 1")
    for file in database.parent.glob("calls.db*"):
        file.unlink()
    shutil.move(old, database)


async def filled(disk: SqliteWorld) -> None:
    for name in "abcdef":
        commit = after(
            fresh(name, private=SECRET), line(), recorded(f"{name}.wma"), over=name in "ace",
            jobs=() if name in "ace" else (request("1.1", sensitive=True),),
        )  # fmt: skip
        await disk.store.commit(commit)
    await disk.store.finish(fresh("b").id, "1.1", answered("1.1"))
    await disk.store.save_flow("hash", b"source")
    await disk.store.close()


def rows(database: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(sql).fetchall()


async def test_every_call_of_the_version_before_goes_on(disk: SqliteWorld) -> None:
    await filled(disk)
    made_old(disk.database)
    await disk.open()
    assert disk.store.damaged == []
    assert rows(disk.database, "PRAGMA user_version") == [(VERSION,)]
    for name in "bdf":
        found = await disk.store.load(key(name))
        assert found is not None
        assert found.call.memory.private["pin"] == SECRET
        await disk.store.commit(after(found, line(9), over=True))
    assert list(await disk.store.inbox(fresh("b").id)) == []
    assert [one.key.id for one in await disk.store.finished(since=0.0, limit=9)] == [*"fedcba"]
    assert await disk.store.flow("hash") == b"source"
    assert await disk.store.named("a.wma")


async def test_what_came_with_the_new_version_is_filled_from_the_old_rows(disk: SqliteWorld) -> None:
    await filled(disk)
    new = [rows(disk.database, f"SELECT * FROM {table} ORDER BY 1") for table in ("ended", "block")]
    made_old(disk.database)
    await disk.open()
    ended, blocks = (rows(disk.database, f"SELECT * FROM {table} ORDER BY 1") for table in ("ended", "block"))
    assert ended == new[0] == [(1, 2.0), (3, 2.0), (5, 2.0)]
    assert [number for number, *_ in blocks] == [number for number, *_ in new[1]] == [5 // BLOCK]
    forgotten = await disk.store.forget(before=3.0, limit=9)
    assert [name for one in forgotten for name in one.recordings] == ["a.wma", "c.wma", "e.wma"]


async def test_commands_read_the_version_before_and_leave_it_as_it_is(disk: SqliteWorld) -> None:
    """`ivr replay --live` of the new version looks at the calls while the old one still serves."""
    await filled(disk)
    made_old(disk.database)
    with ArchiveFile.open(disk.database) as archive:
        assert archive.count() == len(list(archive.summaries())) == len(list(archive.stored())) == 6
        assert list(archive.damaged(None)) == []
    assert rows(disk.database, "PRAGMA user_version") == [(1,)]
    await disk.open()


async def test_a_change_that_is_cut_off_is_made_at_the_next_start(disk: SqliteWorld) -> None:
    await filled(disk)
    made_old(disk.database)
    with closing(sqlite3.connect(disk.database)) as connection:
        connection.execute("CREATE TABLE ended (something)")  # in the way: the change fails half done
        connection.commit()
    with pytest.raises(DataUnusable, match="SQLite error"):
        await disk.open()
    with closing(sqlite3.connect(disk.database)) as connection:
        connection.execute("DROP TABLE ended")
        connection.commit()
    await disk.open()
    assert len(rows(disk.database, "SELECT * FROM ended")) == 3


async def test_a_call_whose_trace_cannot_be_read_is_taken_for_one_that_ended_when_it_began(disk: SqliteWorld) -> None:
    await filled(disk)
    made_old(disk.database)
    with closing(sqlite3.connect(disk.database)) as connection:
        connection.execute("UPDATE trace SET body = 'no JSON' WHERE call = 3")
        connection.commit()
    await disk.open()
    assert rows(disk.database, "SELECT * FROM ended ORDER BY 1") == [(1, 2.0), (3, 1.5), (5, 2.0)]
