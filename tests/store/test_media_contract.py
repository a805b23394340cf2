"""What every store of recordings promises, small ones and larger ones."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from ivr.errors import StoreUnavailable
from ivr.media_storage import SMALL, MediaStore
from ivr.store.memory.memory_media import MemoryMedia
from ivr.store.postgres.postgres_media import PostgresMedia
from ivr.store.sqlite.sqlite_media import SqliteMedia
from tests.store.postgres_world import PostgresWorld
from tests.store.store_examples import after, record, recorded
from tests.store.store_worlds import MemoryWorld, SqliteWorld, World

SOUND = bytes(range(256)) * (SMALL // 256)
SIZES = pytest.mark.parametrize("audio", [b"", b"x", SOUND, SOUND + b"x"], ids=["empty", "tiny", "small", "larger"])
UNKNOWN = ["0" * 32 + ".wav", "../x", "a" * 32, "/etc/passwd", "0" * 32 + ".wav/x", "", "0" * 32 + ".wav\n"]


@pytest.fixture
async def media(world: World, tmp_path: Path) -> AsyncIterator[MediaStore]:
    one: MediaStore
    match world:
        case MemoryWorld():
            one = MemoryMedia(world.store.media)
        case SqliteWorld():
            (tmp_path / "audio").mkdir()
            one = SqliteMedia(tmp_path / "audio", world.database)
        case _:
            one = PostgresMedia(cast("PostgresWorld", world).pool, tmp_path)
    yield one
    await one.close()


async def kept(world: World, media: MediaStore, audio: bytes, kind: str = "audio/wav") -> str:
    """Leave a recording on a new call, as a turn does."""
    new = media.new(kind)
    for at in range(0, len(audio), 5000):
        new.add(audio[at : at + 5000])
        await new.flush()
    small = await new.keep()
    assert (new.size, new.head) == (len(audio), audio[:4096])
    await world.store.commit(after(record(new.media), recorded(new.media), audio=small))
    return new.media


@SIZES
async def test_a_recording_is_opened_measured_and_lent_as_a_file(world: World, media: MediaStore, audio: bytes) -> None:
    name = await kept(world, media, audio)
    async with media.open(name) as file:
        assert file.read() == audio
        assert os.pread(file.fileno(), len(audio) + 1, 0) == audio  # a process that is given it reads it so
    assert await media.size(name) == len(audio)
    async with media.path(name) as path:
        assert path.read_bytes() == audio
        assert path.suffix == ".wav"
        assert path.stat().st_mode & 0o777 == 0o600


@SIZES
async def test_a_small_recording_is_given_to_the_turn_and_a_larger_one_is_a_file(
    world: World, media: MediaStore, audio: bytes
) -> None:
    new = media.new("audio/wav")
    new.add(audio)
    assert await new.keep() == (audio if len(audio) <= SMALL else None)
    assert [name async for names in media.older(9e9) for name in names] == [new.media] * (len(audio) > SMALL)


@SIZES
async def test_what_is_dropped_leaves_nothing(media: MediaStore, audio: bytes) -> None:
    new = media.new("audio/wav")
    new.add(audio * 5)
    await new.flush()
    await new.drop()
    assert [names async for names in media.older(9e9)] == []
    with pytest.raises(FileNotFoundError):
        await media.size(new.media)


@pytest.mark.parametrize("name", UNKNOWN)
async def test_a_recording_that_there_is_not_is_not_found(world: World, media: MediaStore, name: str) -> None:
    await kept(world, media, b"another one")
    with pytest.raises(FileNotFoundError):
        async with media.open(name):
            pass
    with pytest.raises(FileNotFoundError):
        async with media.path(name):
            pass
    with pytest.raises(FileNotFoundError):
        await media.size(name)


@pytest.mark.parametrize("name", UNKNOWN[1:])
async def test_nothing_is_deleted_under_a_name_that_is_not_ours(media: MediaStore, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        await media.delete(name)


async def test_a_file_is_deleted_and_a_small_recording_stays_with_its_call(world: World, media: MediaStore) -> None:
    small, larger = await kept(world, media, SOUND), await kept(world, media, SOUND + b"x")
    for name in (small, larger, larger):
        await media.delete(name)
    assert await media.size(small) == SMALL
    with pytest.raises(FileNotFoundError):
        await media.size(larger)


async def test_the_files_that_are_old_are_named(world: World, media: MediaStore) -> None:
    await kept(world, media, SOUND)
    larger = {await kept(world, media, SOUND + b"x") for _ in range(3)}
    assert {name async for names in media.older(9e9) for name in names} == larger
    assert [names async for names in media.older(1.0)] == []


async def test_no_two_recordings_have_one_name_and_the_type_is_its_extension(media: MediaStore) -> None:
    names = [media.new(kind).media for kind in ("audio/wav", "audio/x-ms-wma", "audio/mpeg", "audio/ogg", "audio/ogg")]
    assert [Path(name).suffix for name in names] == [".wav", ".wma", ".mp3", ".bin", ".bin"]
    assert len(set(names)) == 5
    assert {len(Path(name).stem) for name in names} == {32}


# --- the copy of a small recording ------------------------------------------------------------------------------------


@pytest.fixture
async def beside_calls(disk: SqliteWorld, tmp_path: Path) -> AsyncIterator[SqliteMedia]:
    (tmp_path / "audio").mkdir()
    one = SqliteMedia(tmp_path / "audio", disk.database)
    yield one
    await one.close()


async def test_a_copy_is_a_file_of_ours_that_no_call_names_and_goes_with_its_reader(
    disk: SqliteWorld, beside_calls: SqliteMedia, tmp_path: Path
) -> None:
    name = await kept(disk, beside_calls, SOUND)
    async with beside_calls.path(name) as path:
        assert list((tmp_path / "audio").iterdir()) == [path]
        assert path.name != name
        assert [names async for names in beside_calls.older(9e9)] == [[path.name]]  # so the sweep would find it
        assert await disk.store.unnamed([path.name]) == [path.name]
    assert not list((tmp_path / "audio").iterdir())


async def test_a_copy_goes_with_a_reader_that_is_cancelled(
    disk: SqliteWorld, beside_calls: SqliteMedia, tmp_path: Path
) -> None:
    name = await kept(disk, beside_calls, SOUND)
    reading = asyncio.Event()

    async def read() -> None:
        async with beside_calls.path(name):
            reading.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(read())
    await reading.wait()
    assert len(list((tmp_path / "audio").iterdir())) == 1
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert not list((tmp_path / "audio").iterdir())


async def test_a_small_recording_that_is_listened_to_is_on_no_disk_again(
    disk: SqliteWorld, beside_calls: SqliteMedia, tmp_path: Path
) -> None:
    name = await kept(disk, beside_calls, SOUND)
    async with beside_calls.open(name) as file:
        assert str(Path(f"/proc/self/fd/{file.fileno()}").readlink()).startswith("/memfd:")
        assert not list((tmp_path / "audio").iterdir())


async def test_where_the_database_cannot_be_read_a_recording_is_not_taken_for_lost(tmp_path: Path) -> None:
    media = SqliteMedia(tmp_path, tmp_path / "calls.db")
    name = media.new("audio/wav").media
    with pytest.raises(StoreUnavailable):
        await media.size(name)
    with pytest.raises(StoreUnavailable):
        async with media.open(name):
            pass
    await media.close()


async def test_a_copy_that_the_disk_does_not_take_is_no_recording_that_is_lost(
    disk: SqliteWorld, beside_calls: SqliteMedia, tmp_path: Path
) -> None:
    name = await kept(disk, beside_calls, SOUND)
    (tmp_path / "audio").rmdir()
    with pytest.raises(StoreUnavailable):
        async with beside_calls.path(name):
            pass
    (tmp_path / "audio").mkdir()


async def test_a_small_recording_of_an_earlier_version_is_a_file(
    disk: SqliteWorld, beside_calls: SqliteMedia, tmp_path: Path
) -> None:
    name = "0" * 32 + ".wma"
    (tmp_path / "audio" / name).write_bytes(b"of another time")
    await disk.store.commit(after(record("a"), recorded(name)))
    async with beside_calls.open(name) as file, beside_calls.path(name) as path:
        assert file.read() == b"of another time"
        assert path.name == name
    assert await beside_calls.size(name) == 15
    assert (tmp_path / "audio" / name).exists()
