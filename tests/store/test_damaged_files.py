"""Files that are spoiled as disks, programs and people spoil them: one clear sentence each, never a traceback.

And never a piece of what stands in a row: a sentence goes to terminals and logs.
"""

import asyncio
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ivr.call_record import CallRecord
from ivr.cli.stored_calls import StoredCalls
from ivr.errors import DataUnusable, IvrError
from ivr.server.console.counting import Counts
from ivr.store.data_folder import DataFolder
from ivr.store.location import StoreLocation
from ivr.store.opening import open_for_command
from ivr.store.sqlite.sqlite_archive import SqliteArchive
from ivr.store.sqlite.sqlite_calls import SqliteStore
from tests.store.store_examples import SECRET, after, answered, key, line, recorded, request
from tests.store.store_examples import record as fresh
from tests.store.store_worlds import claim

MARK = "Piece-Of-A-Row"
"Stands in the rows of all calls."
KEY = "5e" * 32


def opened(folder: Path, seal_key: str | None = KEY) -> SqliteStore:
    async def once() -> SqliteStore:
        store = await SqliteStore.open(folder / "calls.db", seal_key=seal_key, seal_file=folder / "seal.key")
        await store.close()
        return store

    return asyncio.run(once())


def refusal(folder: Path, seal_key: str | None = KEY) -> str:
    """Return why the start ends."""
    with pytest.raises(DataUnusable) as refused:
        opened(folder, seal_key)
    return str(refused.value).replace(str(folder), "DATA")


def marked(name: str, **more: str) -> CallRecord:
    record = fresh(name, private=SECRET, **more)
    return replace(record, call=replace(record.call, facts=replace(record.call.facts, caller=MARK)))


async def _fill(folder: Path) -> None:
    store = await SqliteStore.open(folder / "calls.db", seal_key=KEY, seal_file=folder / "seal.key")
    await store.save_flow("f" * 64, MARK.encode() * 1000)
    for name in "abcdefgh":
        commit = after(
            marked(name), line(), recorded(f"{name}.wma"), over=name in "aceg",
            jobs=() if name in "aceg" else (request("1.1", sensitive=True), request("1.2")),
        )  # fmt: skip
        await store.commit(commit)
        await store.finish(commit.record.id, "1.1", answered("1.1", MARK))
    await store.close()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with eight calls in it, four of them over."""
    folder = tmp_path_factory.mktemp("sound")
    asyncio.run(_fill(folder))
    return folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "data"))


def run(folder: Path, sql: str) -> None:
    with closing(sqlite3.connect(folder / "calls.db")) as connection, connection:
        connection.executescript(sql)


# --- each kind, to the letter ----------------------------------------------------------------------------------------


def test_a_file_that_is_no_database(folder: Path) -> None:
    (folder / "calls.db").write_bytes(MARK.encode() * 1000)
    assert refusal(folder) == (
        "The database DATA/calls.db cannot be used: it is not an SQLite database. "
        "Restore a backup, or use another data folder."
    )


def test_a_page_that_is_overwritten(folder: Path) -> None:
    content = bytearray((folder / "calls.db").read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    (folder / "calls.db").write_bytes(content)
    assert refusal(folder) == (
        "The database DATA/calls.db cannot be used: it is damaged. "
        "Restore a backup, or move the data folder away to start empty."
    )


@pytest.mark.parametrize("table", ["call", "turn", "job", "flow", "block", "seal"])
def test_a_table_that_is_missing(folder: Path, table: str) -> None:
    run(folder, f"DROP TABLE {table}")
    assert refusal(folder) == (
        f"The database DATA/calls.db has no table {table}: it is damaged, or another program has changed it. "
        "Restore a backup, or move the data folder away to start empty."
    )


def test_a_column_that_is_missing(folder: Path) -> None:
    run(folder, "ALTER TABLE job DROP COLUMN attempts")
    assert "has no column attempts in the table job: it is damaged" in refusal(folder)


def test_a_version_that_nobody_writes(folder: Path) -> None:
    run(folder, "PRAGMA user_version = -3")
    assert refusal(folder) == "DATA/calls.db has the unknown schema -3."


def test_an_index_that_is_missing_is_made_again(folder: Path) -> None:
    run(folder, "DROP INDEX live; DROP INDEX turn_of_media")
    opened(folder)
    with closing(sqlite3.connect(folder / "calls.db")) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    assert names >= {"live", "turn_of_media", "ended_at", "owed"}


def test_a_database_that_another_program_has_locked(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "calls.db", isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sqlite3.connect", impatient(sqlite3.connect))
            assert refusal(folder) == (
                "The database DATA/calls.db cannot be used: it is locked by another program. "
                "Stop that program, then try again."
            )


def impatient(connect: Callable[..., sqlite3.Connection]) -> Callable[..., sqlite3.Connection]:
    """Wait for nobody: what is said does not depend on how long it was waited."""
    return lambda *arguments, **options: connect(*arguments, **{"timeout": 0.0, **options})


def test_another_key(folder: Path) -> None:
    assert "cannot be opened with this key (the one in the settings). Put" in refusal(folder, "66" * 32)


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, b"5e" * 40_000, MARK.encode()])
def test_a_key_file_that_holds_no_key(folder: Path, content: bytes) -> None:
    (folder / "seal.key").write_bytes(content)
    assert refusal(folder, None) == (
        "The sealing key in DATA/seal.key must be 64 hexadecimal digits. To make them: openssl rand -hex 32"
    )


def test_a_key_file_that_is_none(folder: Path) -> None:
    (folder / "seal.key").mkdir()
    assert refusal(folder, None) == "The sealing key in DATA/seal.key cannot be read: Is a directory."


def test_a_key_file_that_is_a_named_pipe(folder: Path) -> None:
    (folder / "seal.key").unlink(missing_ok=True)
    os.mkfifo(folder / "seal.key")
    assert "must be 64 hexadecimal digits" in refusal(folder, None), "and nobody is waited for"


FILLED = """
import asyncio, resource, sys
from pathlib import Path
from ivr.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
main(["serve", "--dev", "--port", "0", "--data", sys.argv[2], sys.argv[3]])
"""
FLOW = "flow: one\ninitial: bye\nstates:\n  bye: {say: Goodbye., final: true}\n"


@pytest.mark.parametrize("room", [0, 4096, 60_000])
def test_a_disk_that_is_full_is_said_to_be_full_at_the_start(tmp_path: Path, room: int) -> None:
    """No file may grow beyond `room`: of the lock, the database, or its log."""
    (tmp_path / "one.yaml").write_text(FLOW)
    command = [sys.executable, "-c", FILLED, str(room), str(tmp_path / "data"), str(tmp_path / "one.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (said,) = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert "the disk is full" in said or "the disk failed or is full" in said


# --- any damage ------------------------------------------------------------------------------------------------------


def damaged(folder: Path, chance: random.Random) -> None:
    """Spoil a few bytes, or a lot of them, as disks do."""
    file = folder / "calls.db"
    content = bytearray(file.read_bytes())
    match chance.choice(["bytes", "bytes", "bits", "page", "swap", "cut", "text"]):
        case "bytes":
            for _ in range(chance.choice([1, 10, 100, 2000])):
                content[chance.randrange(len(content))] = chance.randrange(256)
        case "bits":
            for _ in range(chance.choice([1, 5, 50])):
                content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        case "page":
            page = chance.randrange(len(content) // 8192) * 8192
            content[page : page + 8192] = chance.choice([bytes(8192), chance.randbytes(8192)])
        case "swap":
            one, two = (chance.randrange(1, len(content) // 8192) * 8192 for _ in range(2))
            content[one : one + 8192], content[two : two + 8192] = (
                content[two : two + 8192], content[one : one + 8192]
            )  # fmt: skip
        case "cut":
            del content[chance.randrange(len(content)) :]
        case "text":
            place = content.find(MARK.encode(), chance.randrange(len(content)))
            content[place : place + 4] = chance.randbytes(4)
    file.write_bytes(content)


def replaced(folder: Path, chance: random.Random) -> None:
    """Put something else into some columns, as programs do."""
    columns = [
        ("call", "id"), ("call", "channel"), ("call", "name"), ("call", "ended"), ("turn", "state"), ("turn", "rest"),
        ("turn", "message"), ("turn", "reply"), ("turn", "marks"), ("turn", "trace"), ("turn", "media"),
        ("turn", "audio"), ("job", "kind"), ("job", "id"), ("job", "body"), ("job", "attempts"), ("job", "answered"),
        ("job", "answer"), ("flow", "hash"), ("flow", "source"), ("block", "changes"),
        ("seal", "proof"),
    ]  # fmt: skip
    junk = [
        "x'ff00ff'", "''", "'{}'", "'[]'", "'{\"flow\": 1}'", "-1", "1e308", "9223372036854775807", f"'{MARK}'",
        "zeroblob(100000)", "CAST(x'7bff' AS TEXT)", "char(0)", "'[' || replace(hex(zeroblob(50000)), '0', '[')",
    ]  # fmt: skip
    with closing(sqlite3.connect(folder / "calls.db", isolation_level=None)) as connection:
        for _ in range(chance.choice([1, 1, 3])):
            table, column = chance.choice(columns)
            where = f"WHERE rowid % {chance.choice([1, 2, 3])} = 0" if table not in {"media", "flow"} else ""
            with suppress(sqlite3.Error):  # some columns take one of a kind, or no nothing
                connection.execute(f"UPDATE OR IGNORE {table} SET {column} = {chance.choice(junk)} {where}")


async def everything(folder: Path) -> Iterator[str]:
    """Do all that a server does, and give what is said where it cannot be done."""
    said: list[str] = []

    async def tried(asked: object) -> None:
        try:
            await asked
        except IvrError as error:
            said.append(str(error))

    try:
        store = await SqliteStore.open(folder / "calls.db", seal_key=KEY, seal_file=folder / "seal.key")
    except DataUnusable as error:
        return iter([str(error)])
    archive = SqliteArchive(DataFolder(folder), seal_key=KEY, server=store)
    said += [one.what for one in store.damaged]
    for name in "abcdefgh":
        await tried(store.load(key(name)))
        await tried(archive.call(marked(name).id))
        await tried(archive.trace(marked(name).id))
        await tried(store.inbox(marked(name).id))
        await tried(_goes_on(store, name))
    for asked in (
        archive.live(limit=9), archive.count("live"), archive.finished(since=0.0, limit=9), store.flow("f" * 64),
        store.named("a.wma"), store.unnamed(["a.wma"]), claim(store),
        store.due(1e12), store.probe(),
        archive.forget(before=1e12, limit=9), archive.empty_log(), Counts(archive).flows(0.0),
        store.commit(after(fresh("new"), line())),
    ):  # fmt: skip
        await tried(asked)
    await archive.close()
    await store.close()
    return iter(said)


async def _goes_on(store: SqliteStore, name: str) -> None:
    found = await store.load(key(name))
    if found is not None:
        await store.commit(after(found, line(9)))


def read_by_commands(folder: Path) -> Iterator[str]:
    """Read as commands do."""

    try:
        opened = StoredCalls(open_for_command(StoreLocation(DataFolder(folder), seal_key=KEY)))
    except IvrError as error:
        yield str(error)
        return
    with opened as archive:
        for command in (
            lambda: list(archive.recent()), lambda: list(archive.stored()), lambda: archive.find("0"),
            lambda: list(archive.damaged(sealed=True)), lambda: list(archive.damaged(sealed=False)),
            lambda: archive.count("all"), archive.opens_seals, lambda: archive.flow("f" * 64),
            lambda: archive.named(key("a")),
            *(lambda name=name: archive.call(marked(name).id) for name in "abc"),
            *(lambda name=name: archive.trace(marked(name).id) for name in "abc"),
            lambda: archive.erase(caller=MARK), lambda: archive.erase(call=marked("b").id),
        ):  # fmt: skip
            try:
                command()
            except IvrError as error:
                yield str(error)


@pytest.mark.parametrize("spoil", [damaged, replaced])
@given(seed=st.integers(0, 2**32))
@settings(max_examples=40)
def test_whatever_is_damaged_each_question_is_answered_or_refused_in_a_sentence(
    sound: Path, spoil: Callable[[Path, random.Random], None], seed: int
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        served, read = (Path(shutil.copytree(sound, Path(scratch) / name)) for name in ("served", "read"))
        spoil(served, random.Random(seed))
        spoil(read, random.Random(seed))
        for sentence in (*asyncio.run(everything(served)), *read_by_commands(read)):
            assert MARK not in sentence
            assert SECRET not in sentence
            assert len(sentence.splitlines()) == 1
            assert len(sentence) < 600
