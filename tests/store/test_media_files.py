"""The folder of recordings: names, modes, order, rubbish."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ivr.errors import StoreUnavailable
from ivr.media_storage import SMALL
from ivr.store.media_files import BUFFER, PORTION, MediaFiles
from tests.waiting import begun

LARGE = bytes(SMALL)
"With one byte more it is a file."


@pytest.fixture
async def recordings(tmp_path: Path) -> AsyncIterator[MediaFiles]:
    one = MediaFiles(tmp_path)
    yield one
    await one.close()


async def test_a_kept_recording_is_whole_private_and_named_by_chance(recordings: MediaFiles, tmp_path: Path) -> None:
    file = recordings.new("audio/wav")
    file.add(LARGE)
    file.add(b"two")
    assert await file.keep() is None
    path = tmp_path / file.media
    assert path.read_bytes() == LARGE + b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert re.fullmatch(r"[0-9a-f]{32}\.wav", path.name)
    assert recordings.new("audio/wav").media != file.media
    assert list(tmp_path.iterdir()) == [path]


async def test_many_at_once_are_all_kept(recordings: MediaFiles, tmp_path: Path) -> None:
    files = [recordings.new("audio/mpeg") for _ in range(100)]
    for number, file in enumerate(files):
        file.add(LARGE + b"%d" % number)
    await asyncio.gather(*(file.keep() for file in files))
    assert [(tmp_path / file.media).read_bytes() for file in files] == [LARGE + b"%d" % number for number in range(100)]


async def test_of_many_at_once_one_that_fails_fails_alone(recordings: MediaFiles, tmp_path: Path) -> None:
    files = [recordings.new("audio/wav") for _ in range(5)]
    for file in files:
        file.add(LARGE + b"x")
    (tmp_path / files[2].media).symlink_to(tmp_path / "elsewhere")
    outcomes = await asyncio.gather(*(file.keep() for file in files), return_exceptions=True)
    assert [type(outcome).__name__ for outcome in outcomes] == ["NoneType"] * 2 + ["StoreUnavailable"] + [
        "NoneType"
    ] * 2


async def test_one_that_nobody_waits_for_any_more_disturbs_nobody(recordings: MediaFiles, tmp_path: Path) -> None:
    left, waited_for = recordings.new("audio/wav"), recordings.new("audio/wav")
    for file in (left, waited_for):
        file.add(LARGE + b"x")
    leaving = await begun(left.keep())
    leaving.cancel()
    await waited_for.keep()
    assert (tmp_path / waited_for.media).read_bytes() == LARGE + b"x"
    assert (tmp_path / left.media).read_bytes() == LARGE + b"x"


async def test_a_large_recording_goes_to_disk_as_it_arrives(recordings: MediaFiles, tmp_path: Path) -> None:
    file = recordings.new("audio/wav")
    file.add(b"x" * BUFFER)
    await file.flush()
    assert (tmp_path / file.media).stat().st_size == BUFFER
    await file.drop()
    assert not (tmp_path / file.media).exists()


async def test_dropping_what_was_never_written_is_no_error(recordings: MediaFiles, tmp_path: Path) -> None:
    await recordings.new("audio/wav").drop()
    await recordings.delete("0" * 32 + ".wav")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["../x", "a" * 32, "/etc/passwd", "0" * 32 + ".wav/x", "", "0" * 32 + ".wav\n"])
async def test_a_name_that_is_not_ours_leads_to_no_file(recordings: MediaFiles, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        async with recordings.path(name):
            pass
    with pytest.raises(FileNotFoundError):
        async with recordings.open(name):
            pass
    with pytest.raises(FileNotFoundError):
        await recordings.delete(name)


async def test_a_disk_that_fails_is_told_without_a_path(recordings: MediaFiles, tmp_path: Path) -> None:
    tmp_path.rmdir()
    file = recordings.new("audio/wav")
    file.add(LARGE + b"x")
    with pytest.raises(StoreUnavailable) as caught:
        await file.keep()
    assert str(tmp_path) not in str(caught.value)
    tmp_path.mkdir()


async def test_no_recording_is_written_through_a_link(tmp_path: Path, recordings: MediaFiles) -> None:
    file = recordings.new("audio/wav")
    file.add(LARGE + b"x")
    (tmp_path / file.media).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreUnavailable):
        await file.keep()
    assert not (tmp_path / "elsewhere").exists()


async def test_old_recordings_are_named_and_nothing_else(recordings: MediaFiles, tmp_path: Path) -> None:
    for name, age in {"a": 100, "b": 100, "c": 1}.items():
        path = tmp_path / f"{name * 32}.wav"
        path.write_bytes(b"x")
        os.utime(path, (1000 - age, 1000 - age))
    (tmp_path / "notes.txt").write_text("an operator's")
    os.utime(tmp_path / "notes.txt", (0, 0))
    assert [sorted(names) async for names in recordings.older(950)] == [[f"{'a' * 32}.wav", f"{'b' * 32}.wav"]]


async def test_however_many_recordings_there_are_a_portion_is_looked_at_before_anything_else_has_its_turn(
    recordings: MediaFiles, tmp_path: Path
) -> None:
    names = {f"{number:032x}.wav" for number in range(2 * PORTION + 1)}
    for name in names:
        (tmp_path / name).touch()
    portions = [portion async for portion in recordings.older(9e9)]
    assert [len(portion) for portion in portions] == [PORTION, PORTION, 1]
    assert set().union(*portions) == names
