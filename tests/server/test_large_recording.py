"""A large recording passes through: it is on the disk as it comes, and never in memory as a whole."""

import tracemalloc
from pathlib import Path

from tests.server.harness import connected, part, read_answer, request, serving

MiB = 2**20


async def test_60_megabytes_pass_through_8_of_memory(tmp_path: Path) -> None:
    piece, pieces = bytes(MiB), 60
    begin = part("recordedAudio", b"", "audio/wav").removesuffix(b"\r\n")
    end = b"\r\n" + part("conversationResult", b'{"id": "c1"}', "application/json") + b"--B--\r\n"
    length = str(len(begin) + pieces * MiB + len(end))
    headers = {"Content-Type": "multipart/form-data; boundary=B", "Content-Length": length}
    async with serving(tmp_path) as served, connected(served.port) as (reader, writer):
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
        finally:
            tracemalloc.stop()
        assert served.turns.upload.size == pieces * MiB
        assert (served.audio / served.turns.upload.media).stat().st_size == pieces * MiB
        assert peak - idle < 8 * MiB
