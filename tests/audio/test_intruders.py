"""Worker processes in which somebody else has the word, and what the server makes of them."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from ivr.audio.confinement import ProcessLimits
from ivr.audio.workers import Job, Workers
from ivr.errors import TranscriptionFailed
from tests.waiting import begun


def job(name: str, returns: type = int) -> Job[Any]:
    return Job(f"tests.audio.intruders:{name}", returns, cpu=10.0, wall=20.0)


NUMBER = job("tells_its_number")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_what_a_library_prints_goes_nowhere(workers: Workers, capfd: pytest.CaptureFixture[str]) -> None:
    assert await workers.run(job("prints_garbage", str)) == "done"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "packet",
    [
        b"garbage",
        b"\xff" * 2000,
        b"\x82\xa4type\xa4done\xa6result" + b"\x91" * 100_000,  # lists in lists
        b"\x81\xa4type\xa4\xff\xfe\xfd\xfc",
        msgspec.msgpack.encode({"type": "refused", "code": 1}),
        msgspec.msgpack.encode({"type": "ready"}),
    ],
    ids=["text", "no-msgpack", "deep", "no-utf8", "wrong-type", "out-of-turn"],
)
async def test_an_answer_that_cannot_be_read_costs_the_worker_its_place(workers: Workers, packet: bytes) -> None:
    before = await workers.run(NUMBER)
    with pytest.raises(TranscriptionFailed) as failure:
        await workers.run(job("answers_garbage"), packet=packet)
    assert failure.value.code == "failed"
    assert await workers.run(NUMBER) != before


async def test_a_result_of_the_wrong_shape_fails_the_job(workers: Workers) -> None:
    with pytest.raises(TranscriptionFailed, match="an unexpected result") as failure:
        await workers.run(job("prints_garbage", int))
    assert failure.value.code == "failed"


async def test_an_order_too_long_for_its_packet_is_refused(workers: Workers) -> None:
    with pytest.raises(TranscriptionFailed, match="too long") as failure:
        await workers.run(job("answers_garbage"), packet=b"x" * 1_000_000)
    assert failure.value.code == "failed"
    assert await workers.run(NUMBER)


async def test_a_crash_does_not_touch_the_job_beside_it(workers: Workers) -> None:
    crash, good = await asyncio.gather(workers.run(job("dies")), workers.run(NUMBER), return_exceptions=True)
    assert isinstance(crash, TranscriptionFailed)
    assert crash.code == "recording"
    assert isinstance(good, int)


async def test_whoever_waits_for_a_place_can_be_cancelled() -> None:
    workers = Workers(size=1)
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as marks, os.fdopen(writing, "wb", buffering=0) as mark:
        running = asyncio.create_task(workers.run(job("tells_its_number_and_stays"), mark))
        pid = int(await asyncio.to_thread(marks.read, 20))
        waiting = await begun(workers.run(NUMBER))
        waiting.cancel()
        running.cancel()
        ends = await asyncio.gather(waiting, running, return_exceptions=True)
    assert [type(end) for end in ends] == [asyncio.CancelledError] * 2
    assert await workers.run(NUMBER) != pid
    await workers.close()
    assert not is_alive(pid)


async def test_closing_leaves_no_process() -> None:
    workers = Workers(size=2)
    pids = await asyncio.gather(workers.run(NUMBER), workers.run(NUMBER))
    assert len(set(pids)) == 2
    await workers.close()
    assert not any(map(is_alive, pids))


async def test_a_worker_that_died_in_its_sleep_is_replaced(workers: Workers) -> None:
    pid = await workers.run(NUMBER)
    os.kill(pid, signal.SIGKILL)
    assert await workers.run(NUMBER) != pid


async def test_workers_that_cannot_start_fail_the_job(caplog: pytest.LogCaptureFixture) -> None:
    workers = Workers()
    with pytest.raises(TranscriptionFailed, match="started") as failure:
        await workers.run(replace(NUMBER, limits=ProcessLimits(files=1)))
    assert failure.value.code == "failed"
    assert caplog.messages == ["worker did not start"]
    await workers.close()


async def test_a_python_that_may_not_be_run_fails_the_job_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    workers = Workers()
    with pytest.raises(TranscriptionFailed, match="started") as failure:
        await workers.run(NUMBER)
    assert failure.value.code == "failed"
    assert caplog.messages == ["worker did not start"]
    await workers.close()
