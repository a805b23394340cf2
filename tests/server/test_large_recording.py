"""A large recording passes through: it is stored as it comes, and never in memory as a whole; so it comes back."""

import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ivr.media_storage import MediaStore
from ivr.store.media_files import MediaFiles
from ivr.store.postgres.postgres_media import PostgresMedia
from ivr.store.postgres.postgres_pool import PostgresPool
from ivr.store.postgres.postgres_schema import make_schema
from tests.server.harness import connected, part, read_answer, request, serving

MiB = 2**20


@pytest.fixture(params=["files", "postgres"])
async def recordings(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MediaStore]:
    (tmp_path / "audio").mkdir()
    if request.param == "files":
        yield MediaFiles(tmp_path / "audio")
        return
    pool = await PostgresPool.open(request.getfixturevalue("postgres_url"), application="tests")
    await make_schema(pool)
    one = PostgresMedia(pool, tmp_path / "audio")
    yield one
    await one.close()
    await pool.close()


async def test_60_megabytes_pass_through_8_of_memory(tmp_path: Path, recordings: MediaStore) -> None:
    piece, pieces = bytes(MiB), 60
    begin = part("recordedAudio", b"", "audio/wav").removesuffix(b"\r\n")
    end = b"\r\n" + part("conversationResult", b'{"id": "c1"}', "application/json") + b"--B--\r\n"
    length = str(len(begin) + pieces * MiB + len(end))
    headers = {"Content-Type": "multipart/form-data; boundary=B", "Content-Length": length}
    async with serving(tmp_path, recordings=recordings) as served, connected(served.port) as (reader, writer):
        tracemalloc.start()
        try:
            idle, _ = tracemalloc.get_traced_memory()
            writer.write(request("POST", "/callback", headers=headers))
            writer.write(begin)
            for _ in range(pieces):
                writer.write(piece)
                await writer.drain()
            writer.write(end)
            assert (await read_answer(reader)).status == 200
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            async with recordings.open(served.turns.upload.media) as file:
                assert file.seek(0, 2) == pieces * MiB
            _, peak_back = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert served.turns.upload.size == pieces * MiB == await recordings.size(served.turns.upload.media)
        assert peak - idle < 8 * MiB
        assert peak_back - idle < 8 * MiB
