"""`ivr calls recordings`: what a caller left, listed or saved as files."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from ivr.call_record import Commit, Stepped
from ivr.engine.events import CallReceived, RecordingMade
from ivr.media_storage import SMALL
from ivr.store.data_folder import DataFolder
from ivr.store.sqlite.sqlite_calls import SqliteStore
from ivr.store.sqlite.sqlite_media import SqliteMedia
from tests.cli.stored_calls import call_id, ivr
from tests.flows import flow_of
from tests.trace.recorded_calls import SLOW, random_bot

SAID = [b"a small one", b"larger" * SMALL]


async def left(data: Path, number: int, said: list[bytes]) -> list[str]:
    """Store a call with recordings; return their names."""
    bot = random_bot(flow_of(SLOW), 1)
    record = replace(
        bot.record, id=call_id(number), key=replace(bot.record.key, id=f"call-{number}"), version=1, steps=1
    )
    names = []
    with DataFolder.open(data) as folder:
        store = await SqliteStore.open(folder.database, seal_key="00" * 32, seal_file=folder.seal_key)
        media = SqliteMedia(folder.audio, folder.database)
        await store.commit(Commit(record, (Stepped(CallReceived("29:anna", "28:bot", "en"), 1.0),)))
        for turn, audio in enumerate(said, 2):
            new = media.new("audio/wav")
            new.add(audio)
            step = Stepped(RecordingMade("1.1", 3.5, new.media), 5.0)
            await store.commit(Commit(replace(record, version=turn, steps=turn), (step,), audio=await new.keep()))
            names.append(new.media)
        await media.close()
        await store.close()
    return names


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_the_recordings_of_a_call_are_saved_as_they_came(data: Path, tmp_path: Path) -> None:
    names = asyncio.run(left(data, 1, SAID))
    asyncio.run(left(data, 2, [b"of somebody else"]))
    to = tmp_path / "messages" / "here"
    for _ in range(2):
        result = ivr("calls", "recordings", "0101", "--to", to, "--data", data)
        assert result.output == f"{to / names[0]}  11 bytes\n{to / names[1]}  {6 * SMALL:,} bytes\n"
        assert {file.stat().st_mode & 0o777 for file in to.iterdir()} == {0o600}
        (to / names[0]).chmod(0o644)
    assert {file.name: file.read_bytes() for file in to.iterdir()} == dict(zip(names, SAID, strict=True))


def test_the_recordings_of_a_call_are_listed(data: Path) -> None:
    names = asyncio.run(left(data, 1, SAID))
    (data / "audio" / names[1]).unlink()
    result = ivr("calls", "recordings", "0101", "--data", data)
    assert (result.exit_code, result.stdout) == (1, f"{names[0]}  11 bytes\n")
    assert result.stderr == f"{names[1]} no longer exists\n"


def test_a_recording_that_is_gone_is_named_and_the_others_are_saved(data: Path, tmp_path: Path) -> None:
    small, larger = asyncio.run(left(data, 1, SAID))
    (data / "audio" / larger).unlink()
    result = ivr("calls", "recordings", "0101", "--to", tmp_path / "to", "--data", data)
    assert result.exit_code == 1
    assert result.stderr == f"{larger} no longer exists\n"
    assert [file.name for file in (tmp_path / "to").iterdir()] == [small]


def test_a_call_without_recordings_says_so(data: Path, tmp_path: Path) -> None:
    asyncio.run(left(data, 1, []))
    result = ivr("calls", "recordings", "0101", "--to", tmp_path / "to", "--data", data)
    assert (result.exit_code, result.output) == (0, "Call 01010101 has no recordings.\n")
    assert not (tmp_path / "to").exists()


def test_of_a_call_that_cannot_be_read_a_sentence_says_so(data: Path, tmp_path: Path) -> None:
    asyncio.run(left(data, 1, SAID))
    with closing(sqlite3.connect(data / "calls.db")) as database, database:
        database.execute("UPDATE turn SET trace = '{' WHERE audio IS NOT NULL")
    result = ivr("calls", "recordings", "0101", "--to", tmp_path / "to", "--data", data)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert not (tmp_path / "to").exists()


def test_a_folder_that_cannot_be_written_ends_the_command_with_a_sentence(data: Path, tmp_path: Path) -> None:
    asyncio.run(left(data, 1, SAID))
    (tmp_path / "file").write_text("in the way")
    result = ivr("calls", "recordings", "0101", "--to", tmp_path / "file" / "to", "--data", data)
    assert result.exit_code == 1
    assert result.stderr.endswith(" cannot be written: Not a directory\n")
