"""The calls of a data folder, read beside a server that writes, and erased without one."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from ivr.call_record import CallRecord, Commit, Stepped
from ivr.cli.stored_calls import StoredCalls
from ivr.errors import DataUnusable, StoreUnavailable
from ivr.storage import Erasure
from ivr.store.data_folder import DataFolder
from ivr.store.location import StoreLocation
from ivr.store.opening import open_for_command
from ivr.store.sqlite.sqlite_archive import SqliteArchive
from ivr.store.sqlite.sqlite_calls import SqliteStore
from tests.flows import flow_of
from tests.stored import stored_in
from tests.trace.recorded_calls import SLOW, random_bot


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[DataFolder]:
    """A folder with three calls of two callers, and the store that wrote them still open."""
    folder = DataFolder.open(tmp_path / "data")
    store = await SqliteStore.open(folder.database, seal_key="00" * 32, seal_file=folder.seal_key)
    for number, caller in enumerate(["29:anna", "29:bert", "29:anna"]):
        bot = random_bot(flow_of(SLOW), number)
        record = bot.record
        facts = replace(record.call.facts, caller=caller, id=f"{number:032x}")
        call = replace(record.call, facts=facts)
        key = replace(record.key, id=f"call-{number}")
        await keep(store, replace(record, id=facts.id, key=key, call=call), bot.trace)
    await store.save_flow("hash", b"source")
    yield folder
    await store.close()
    folder.close()


async def keep(store: SqliteStore, record: CallRecord, trace: Sequence[Stepped]) -> None:
    """Save a call, with a turn for each line."""
    for turn, line in enumerate(trace, 1):
        await store.commit(Commit(replace(record, version=turn, steps=turn), (line,)))


def erase_calls(folder: DataFolder, caller: str, patience: float = 5.0) -> Erasure:
    with StoredCalls(open_for_command(StoreLocation(folder), patience=patience)) as archive:
        return archive.erase(caller=caller)


async def test_calls_are_listed_the_newest_first_while_the_store_is_open(folder: DataFolder) -> None:
    with stored_in(folder.path) as archive:
        listed = list(archive.recent())
        assert [(call.id[-1], call.caller) for call in listed] == [("2", "29:anna"), ("1", "29:bert"), ("0", "29:anna")]
        assert all(call.flow == flow_of(SLOW).hash for call in listed)
        assert all(call.ended >= call.started > 1.7e9 for call in listed)
        assert {call.over for call in listed} == {True}
        assert archive.count("all") == 3


async def test_a_call_is_found_by_the_beginning_of_its_id(folder: DataFolder) -> None:
    with stored_in(folder.path) as archive:
        assert archive.find("0" * 31 + "1") == ["0" * 31 + "1"]
        assert len(archive.find("0")) == 3
        assert archive.find("1") == archive.find("%") == []


async def test_a_call_comes_with_its_trace_and_a_flow_with_its_source(folder: DataFolder) -> None:
    with stored_in(folder.path) as archive:
        (first, *_) = [call.id for call in archive.recent()]
        record = archive.call(first)
        assert record is not None
        trace = list(archive.trace(first))
        assert len(trace) == record.steps
        assert [found.id for found in archive.stored()] == [f"{number:032x}" for number in range(3)]
        assert [list(found.trace) for found in archive.stored() if found.id == first] == [trace]
        assert archive.call("no such call") is None
        assert archive.flow("hash") == b"source"
        assert archive.flow("other") is None


async def test_erasing_leaves_no_byte_of_a_caller_and_all_of_the_others(folder: DataFolder) -> None:
    with stored_in(folder.path) as archive:
        before = {call.id: list(archive.trace(call.id)) for call in archive.recent()}
    erasure = erase_calls(folder, "29:anna")
    erased = erasure.calls
    assert erasure.left == ""
    assert [(call.id[-1], call.lines) for call in erased] == [
        (number, len(before[f"{int(number):032x}"])) for number in ("0", "2")
    ]
    assert all(name.endswith(".wma") for call in erased for name, _ in call.recordings)
    on_disk = b"".join(file.read_bytes() for file in folder.path.iterdir() if file.name.startswith("calls.db"))
    assert b"29:anna" not in on_disk
    assert b"29:bert" in on_disk
    with stored_in(folder.path) as archive:
        (left,) = archive.recent()
        assert list(archive.trace(left.id)) == before[left.id]
    assert erase_calls(folder, "29:anna").calls == []


async def test_while_somebody_reads_the_log_keeps_what_was_erased_and_that_is_told(folder: DataFolder) -> None:
    with closing(sqlite3.connect(folder.database)) as other:
        reading = other.execute("SELECT id FROM call")
        reading.fetchone()
        erasure = erase_calls(folder, "29:anna", patience=0.0)
        assert len(erasure.calls) == 2
        assert erasure.left == "another command is still reading the database"
        assert len(reading.fetchall()) == 2
    again = erase_calls(folder, "29:anna", patience=0.0)
    assert (again.calls, again.left) == ([], "")
    assert b"29:anna" not in b"".join(file.read_bytes() for file in folder.path.glob("calls.db*"))


async def test_calls_that_ended_long_ago_are_forgotten_with_the_names_of_their_audio(tmp_path: Path) -> None:
    sealed = {"seal_key": "00" * 32, "seal_file": tmp_path / "seal.key"}
    store = await SqliteStore.open(tmp_path / "calls.db", **sealed)  # type: ignore[arg-type]
    archive = SqliteArchive(DataFolder(tmp_path), server=store)
    old, young = (random_bot(flow_of(SLOW), seed) for seed in (0, 1))
    for number, bot in enumerate((old, young)):
        record = replace(bot.record, id=f"{number:032x}", key=replace(bot.record.key, id=str(number)))
        trace = tuple(replace(line, now=line.now + number * 1000) for line in bot.trace)
        await keep(store, record, trace)
    ended = young.trace[-1].now + 1000
    assert len(await archive.forget(before=ended, limit=10)) == 1
    assert [call.id async for portion in archive.recent() for call in portion] == [f"{1:032x}"]
    assert await store.load(replace(old.record.key, id="0")) is None
    assert await archive.forget(before=ended, limit=10) == []
    (forgotten,) = await archive.forget(before=ended + 1, limit=10)
    names = [name for name, _ in forgotten.recordings]
    assert list(await store.unnamed(names)) == names != []
    assert await archive.count("all") == 0
    await archive.close()
    await store.close()


async def test_a_folder_without_calls_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataUnusable, match="There are no calls yet"):
        stored_in(tmp_path)
    (tmp_path / "calls.db").write_bytes(b"not a database, but long enough to be taken for one" * 100)
    with pytest.raises(DataUnusable, match="it is not an SQLite database"):
        stored_in(tmp_path)


async def test_what_cannot_be_erased_is_said(folder: DataFolder) -> None:
    other = sqlite3.connect(folder.database, isolation_level=None, timeout=0)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="it is locked by another program"):
        erase_calls(folder, "29:anna", patience=0.0)
    other.execute("ROLLBACK")
    with stored_in(folder.path) as archive:
        assert archive.count("all") == 3
    other.close()
