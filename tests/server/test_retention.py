"""What is forgotten is gone: from the database, its log and the folder of recordings, on a quiet server too."""

import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from ivr.call_record import Commit, Stepped
from ivr.engine.events import CallEnded, CallReceived, RecordingMade
from ivr.media_storage import SMALL
from ivr.server.ticker import FORGOTTEN_AT_ONCE, Retention, ValueRetention, sweep_recordings
from ivr.store.data_folder import DataFolder
from ivr.store.sqlite.sqlite_archive import SqliteArchive
from ivr.store.sqlite.sqlite_calls import SqliteStore
from ivr.store.sqlite.sqlite_media import SqliteMedia
from ivr.user_values import KeptValue
from tests.flows import flow_of
from tests.kept_recordings import kept_recordings
from tests.trace.recorded_calls import SLOW, random_bot


class House:
    """A data folder with a store and recordings, and nobody who calls any more."""

    def __init__(self, folder: DataFolder, store: SqliteStore) -> None:
        self.folder, self.store = folder, store
        self.recordings = SqliteMedia(folder.audio, folder.database)
        self.archive = SqliteArchive(folder, server=store)
        self.forgetting = Retention(self.archive, self.recordings, folder)

    async def call(
        self, number: int, caller: str, ended: float, *, larger: bool = False, kept: tuple[KeptValue, ...] = ()
    ) -> None:
        """Store a call that is over, with a recording, which is a file if it is larger."""
        bot = random_bot(flow_of(SLOW), 1)
        file = self.recordings.new("audio/wav")
        file.add(caller.encode() * (SMALL if larger else 1))
        audio = await file.keep()
        assert (audio is None) == larger
        facts = replace(bot.record.call.facts, caller=caller, id=f"{number:032x}", started=ended - 9)
        trace = (
            Stepped(CallReceived(caller, "28:bot", "en"), ended - 9),
            Stepped(RecordingMade("1.1", 3.5, file.media), ended - 5),
            Stepped(CallEnded("caller"), ended),
        )
        record = replace(
            bot.record, id=facts.id, key=replace(bot.record.key, id=f"call-{number}"), version=1, steps=len(trace),
            call=replace(bot.record.call, facts=facts),
        )  # fmt: skip
        await self.store.commit(Commit(record, trace, audio=audio, kept=kept))

    def holds(self, words: str) -> bool:
        """Return whether any file of the data folder holds these words."""
        return any(words.encode() in file.read_bytes() for file in self.folder.path.rglob("*") if file.is_file())


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    with DataFolder.open(tmp_path / "data") as folder:
        store = await SqliteStore.open(folder.database, seal_key="00" * 32, seal_file=folder.seal_key)
        house = House(folder, store)
        yield house
        await house.recordings.close()
        await house.archive.close()
        await house.store.close()


async def test_of_a_forgotten_call_no_byte_is_left_while_the_server_stays_open_and_quiet(house: House) -> None:
    for number in range(3 * FORGOTTEN_AT_ONCE):
        await house.call(number, f"29:old-{number}-friend", ended=100.0 + number, larger=number % 2 == 1)
    await house.call(1000, "29:new-friend", ended=5000.0, larger=True)
    assert house.holds("-friend")
    await house.forgetting.erase_old(before=1000.0)
    assert not house.holds("29:old-")
    assert house.holds("29:new-friend")
    assert len(list(house.folder.audio.iterdir())) == 1


async def test_a_call_is_forgotten_once_its_time_is_up_and_not_before(house: House) -> None:
    await house.call(1, "29:anna", ended=100.0)
    await house.forgetting.erase_old(before=100.0)
    assert house.holds("29:anna")
    await house.forgetting.erase_old(before=100.5)
    assert not house.holds("29:anna")


async def test_mails_that_were_written_as_files_are_forgotten_with_their_calls(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    await house.call(1, "29:anna", ended=100.0)
    await house.call(2, "29:bert", ended=5000.0)
    house.folder.mail.mkdir()
    for number in (1, 2):
        (house.folder.mail / f"{number:032x}.3.1.eml").write_text("To: somebody")
    await house.forgetting.erase_old(before=1000.0)
    assert [file.name for file in house.folder.mail.iterdir()] == [f"{2:032x}.3.1.eml"]
    (house.folder.mail / f"{2:032x}.4.1.eml").mkdir()  # in the way: no file can be deleted there
    await house.forgetting.erase_old(before=9000.0)
    assert "mails of a forgotten call are left" in [one.message for one in caplog.records]
    assert not house.holds("29:bert")


async def test_while_somebody_reads_the_log_keeps_it_and_the_next_look_empties_it(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for number in range(4):
        await house.call(number, f"29:anna-{number}", ended=100.0)
    with closing(sqlite3.connect(house.folder.database)) as other:
        reading = other.execute("SELECT id FROM call")
        reading.fetchone()
        await house.forgetting.erase_old(before=1000.0)
        assert house.holds("29:anna")
        assert len(reading.fetchall()) == 3
    await house.forgetting.erase_old(before=1000.0)
    assert not house.holds("29:anna")
    assert [(one.message, one.__dict__["removed"]) for one in caplog.records] == [("calls forgotten", 4)]


async def test_what_a_killed_server_left_in_the_log_is_gone_with_the_next_start(house: House, tmp_path: Path) -> None:
    await house.call(1, "29:anna", ended=100.0)
    await house.archive.forget(before=1000.0, limit=9)
    killed = tmp_path / "killed"
    killed.mkdir()
    for file in house.folder.path.glob("calls.db*"):
        (killed / file.name).write_bytes(file.read_bytes())
    assert any(b"29:anna" in file.read_bytes() for file in killed.iterdir())
    store = await SqliteStore.open(killed / "calls.db", seal_key="00" * 32, seal_file=killed / "seal.key")
    assert not any(b"29:anna" in file.read_bytes() for file in killed.iterdir())
    await store.close()


async def test_a_recording_that_cannot_be_deleted_keeps_no_call_from_being_forgotten(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(3):
        await house.call(number, f"29:anna-{number}", ended=100.0, larger=True)
    first = next(iter(house.folder.audio.iterdir()))
    first.unlink()
    first.mkdir()  # in the way: no file can be deleted there
    await house.forgetting.erase_old(before=1000.0)
    assert not house.holds("29:anna")
    assert [one.message for one in caplog.records if one.levelno == logging.WARNING] == ["recording left to the sweep"]


async def test_what_a_crash_leaves_of_a_copy_is_swept_and_the_recording_stays_with_its_call(house: House) -> None:
    await house.call(1, "29:anna", ended=100.0)
    ((name, audio),) = kept_recordings(house.folder.path).items()
    async with house.recordings.path(name) as copy:
        assert copy.read_bytes() == audio
        await sweep_recordings(house.store, house.recordings, before=9e9)  # as if it lay there for a day
        assert not copy.exists()
    assert kept_recordings(house.folder.path) == {name: audio}


async def test_what_was_kept_of_a_caller_is_gone_when_its_time_is_over(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    values = ValueRetention(house.store, house.archive)
    await house.call(1, "29:anna", ended=100.0, kept=(KeptValue("user.name", "Anna-the-first", 500.0),))
    await house.call(2, "29:anna", ended=200.0, kept=(KeptValue("user.town", "Linz-on-Danube", 900.0),))
    await values.erase_old(now=499.0)
    assert house.holds("Anna-the-first")
    assert caplog.records == []
    with closing(sqlite3.connect(house.folder.database)) as other:
        reading = other.execute("SELECT id FROM call")
        reading.fetchone()
        await values.erase_old(now=500.0)
        assert house.holds("Anna-the-first"), "a reader keeps the log"
        assert len(reading.fetchall()) == 1
    await values.erase_old(now=501.0)
    assert not house.holds("Anna-the-first")
    assert house.holds("Linz-on-Danube")
    assert [(one.message, one.__dict__["removed"]) for one in caplog.records] == [("values of callers forgotten", 1)]
