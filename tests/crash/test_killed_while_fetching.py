"""A server that is killed while a recording comes from its carrier fetches it again, and names no half of it."""

import asyncio
import sys
import time
from pathlib import Path

from aiohttp import web

from ivr.call_record import CallRecord, Commit, Stepped
from ivr.engine.call import Call, Facts
from ivr.engine.commands import FETCH, Request
from ivr.engine.events import OperationDone, RecordingReady
from ivr.ports import CallKey
from ivr.server.ticker import sweep_recordings
from ivr.store.data_folder import DataFolder
from ivr.store.location import StoreLocation
from ivr.store.opening import open_store
from tests.services.test_recording_fetch import carrier
from tests.waiting import PATIENCE

CALL = "0" * 32
KEY = CallKey("sim", "a", "b")
AUDIO = bytes(range(256)) * 4000


async def order(folder: Path, address: str) -> None:
    """Leave a call that waits for its recording, as a turn does."""
    with DataFolder.open(folder) as data:
        opened = await open_store(StoreLocation(data))
        record = CallRecord(CALL, KEY, Call("f", Facts(CALL)), version=1, steps=1, idle_at=time.time() + 600)
        fetch = Request("1.1", FETCH, {"address": address}, 60.0)
        await opened.calls.commit(Commit(record, (Stepped(OperationDone("1.1"), time.time()),), jobs=(fetch,)))
        await opened.close()


async def life(base: str, folder: Path) -> asyncio.subprocess.Process:
    module = "tests.crash.fetch_until_killed"
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, base, str(folder), stdout=asyncio.subprocess.PIPE
    )
    await says(started, b"serving")
    return started


async def says(process: asyncio.subprocess.Process, what: bytes) -> None:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        assert what in await process.stdout.readline()


async def test_a_recording_that_was_on_its_way_is_fetched_again_whole(tmp_path: Path) -> None:
    half, done = asyncio.Event(), asyncio.Event()

    async def stuck(request: web.BaseRequest) -> web.StreamResponse:
        stream = web.StreamResponse(headers={"Content-Type": "audio/wav", "Content-Length": str(len(AUDIO))})
        await stream.prepare(request)
        await stream.write(AUDIO[: len(AUDIO) // 2])
        half.set()
        await done.wait()
        return stream

    async def whole(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=AUDIO, headers={"Content-Type": "audio/wav"})

    async with carrier(stuck, whole) as one:
        await order(tmp_path, f"{one.base}/RE1")
        first = await life(one.base, tmp_path)
        async with asyncio.timeout(PATIENCE):
            await half.wait()
        first.kill()
        await first.communicate()
        done.set()
        second = await life(one.base, tmp_path)
        await says(second, b"answered")
        second.kill()
        await second.communicate()
    with DataFolder.open(tmp_path) as data:
        opened = await open_store(StoreLocation(data))
        [answer] = await opened.calls.inbox(CALL)
        assert isinstance(answer, RecordingReady)
        await sweep_recordings(opened.calls, opened.recordings, before=time.time() + 1)
        assert [file.name for file in data.audio.iterdir()] == [answer.media]
        assert (data.audio / answer.media).read_bytes() == AUDIO
        await opened.close()
