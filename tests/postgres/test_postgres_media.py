"""Recordings in PostgreSQL: what of one is there when, what is left of one cut off, and how much memory it takes."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ivr.errors import StoreUnavailable
from ivr.media_storage import SMALL
from ivr.store.postgres.postgres_media import CHUNK, PostgresMedia, PostgresRecording
from ivr.store.postgres.postgres_pool import PostgresPool
from ivr.store.postgres.postgres_schema import make_schema
from tests.postgres.cluster import Database
from tests.waiting import begun

SOUND = bytes(range(256)) * (SMALL // 256)
LONG = 64 * CHUNK
FLAT = 8 * CHUNK


@pytest.fixture
async def media(postgres: Database, tmp_path: Path) -> AsyncIterator[PostgresMedia]:
    pool = await PostgresPool.open(postgres.url, application="test")
    await make_schema(pool)
    one = PostgresMedia(pool, tmp_path)
    yield one
    await one.close()
    await pool.close()


async def arrived(media: PostgresMedia, size: int, piece: int = 10_000) -> PostgresRecording:
    new = media.new("audio/wav")
    for start in range(0, size, piece):
        new.add(bytes([start // piece % 251]) * min(piece, size - start))
        await new.flush()
    return new


async def test_a_recording_of_any_length_takes_the_memory_of_a_few_chunks_both_ways(media: PostgresMedia) -> None:
    tracemalloc.start()
    try:
        new = await arrived(media, LONG)
        assert await new.keep() is None
        assert tracemalloc.get_traced_memory()[1] < FLAT
        tracemalloc.reset_peak()
        async with media.open(new.media) as file:
            assert file.seek(0, 2) == LONG
        async with media.path(new.media) as path:
            assert path.stat().st_size == LONG
        assert tracemalloc.get_traced_memory()[1] < FLAT
    finally:
        tracemalloc.stop()


async def test_what_comes_back_is_what_came_whatever_the_pieces(media: PostgresMedia) -> None:
    for size in (SMALL + 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7):
        for piece in (999, CHUNK, 5 * CHUNK):
            new = await arrived(media, size, piece)
            await new.keep()
            sound = b"".join(bytes([at // piece % 251]) * min(piece, size - at) for at in range(0, size, piece))
            async with media.open(new.media) as file:
                assert file.read() == sound
            assert await media.size(new.media) == new.size == size


async def test_one_that_is_still_arriving_is_not_there_and_one_that_was_cut_off_is_swept(
    media: PostgresMedia, postgres: Database
) -> None:
    new = await arrived(media, 2 * CHUNK)
    assert postgres.ask("SELECT count(*) FROM recording_chunk") == [(2,)]
    with pytest.raises(FileNotFoundError):
        await media.size(new.media)
    with pytest.raises(FileNotFoundError):
        async with media.open(new.media):
            pass
    assert [names async for names in media.older(9e9)] == [[new.media]]
    await media.delete(new.media)
    assert postgres.ask("SELECT count(*) FROM recording_chunk") == [(0,)]
    assert postgres.ask("SELECT count(*) FROM recording") == [(0,)]


async def test_of_one_that_was_swept_while_it_arrived_no_end_is_kept(media: PostgresMedia, postgres: Database) -> None:
    new = await arrived(media, 2 * CHUNK)
    await media.delete(new.media)
    new.add(SOUND)
    with pytest.raises(StoreUnavailable, match="was deleted while it arrived"):
        await new.keep()
    assert postgres.ask("SELECT count(*) FROM recording_chunk") == [(0,)]


async def test_one_that_is_named_before_its_turn_is_kept_however_small_it_is(media: PostgresMedia) -> None:
    for sound in (b"", b"x", SOUND):
        new = media.new("audio/wav")
        new.add(sound)
        await new.keep_as_file()
        async with media.open(new.media) as file:
            assert file.read() == sound
        assert await media.size(new.media) == len(sound)


async def test_an_upload_that_is_broken_off_leaves_nothing_and_costs_no_connection(
    media: PostgresMedia, postgres: Database
) -> None:
    connected = "SELECT count(*), max(pid) FROM pg_stat_activity WHERE application_name = 'test'"
    before = postgres.ask(connected)
    new = media.new("audio/wav")
    new.add(bytes(3 * CHUNK))
    arriving = await begun(new.flush())
    arriving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await arriving
    await new.drop()
    assert postgres.ask("SELECT count(*) FROM recording_chunk") == [(0,)]
    assert postgres.ask("SELECT count(*) FROM recording") == [(0,)]
    assert postgres.ask(connected) == before


async def test_one_that_is_erased_while_it_is_read_is_not_cut_short_in_silence(
    media: PostgresMedia, postgres: Database, tmp_path: Path
) -> None:
    new = await arrived(media, 3 * CHUNK)
    await new.keep()
    postgres.run("DELETE FROM recording_chunk WHERE number = 2")
    with pytest.raises(FileNotFoundError):
        async with media.open(new.media):
            pass
    with pytest.raises(FileNotFoundError):
        async with media.path(new.media):
            pass
    assert list(tmp_path.iterdir()) == []


async def test_copies_that_a_crash_left_in_the_folder_are_swept_too(media: PostgresMedia, tmp_path: Path) -> None:
    copy = tmp_path / f"{'0' * 32}.wav"
    copy.touch()
    assert [names async for names in media.older(9e9)] == [[copy.name]]
    await media.delete(copy.name)
    assert list(tmp_path.iterdir()) == []


async def test_a_database_that_is_away_loses_no_recording(media: PostgresMedia, postgres: Database) -> None:
    new = await arrived(media, CHUNK + 1)
    await new.keep()
    await media._pool.close()
    for asked in (media.size(new.media), media.delete(new.media), (await arrived(media, SMALL + 1)).keep()):
        with pytest.raises(StoreUnavailable):
            await asked
    await new.drop()
    assert postgres.ask("SELECT size FROM recording") == [(CHUNK + 1,)]
