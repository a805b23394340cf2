"""Worker processes: what one may use, and what happens when it uses more."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from msgspec.structs import replace

from ivr.audio.confinement import ProcessLimits
from ivr.audio.workers import Job, Workers
from ivr.errors import TranscriptionFailed
from tests.waiting import ended, until

MB = 1024 * 1024
LIMITS = ProcessLimits(memory=300 * MB, written=MB)


def job(name: str, returns: type = dict, *, cpu: float = 60.0, wall: float = 60.0) -> Job[Any]:
    return Job(f"tests.speech_engines.misbehaviour:{name}", returns, cpu, wall, LIMITS)


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    workers = Workers(size=1)
    yield workers
    await workers.close()


@pytest.fixture
def file() -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile() as file:
        file.write(b"hello")
        file.seek(0)
        yield file


async def failure(workers: Workers, bad: Job[Any], *files: BinaryIO) -> TranscriptionFailed:
    with pytest.raises(TranscriptionFailed) as caught:
        await workers.run(bad, *files)
    return caught.value


async def test_a_worker_gets_open_files_and_is_used_again(workers: Workers, file: BinaryIO) -> None:
    first = await workers.run(job("reads"), file)
    file.seek(0)
    second = await workers.run(job("reads"), file)
    assert first["text"] == "hello"
    assert first["pid"] == second["pid"] != os.getpid()


async def test_jobs_with_other_limits_have_a_process_of_their_own(workers: Workers, file: BinaryIO) -> None:
    first = await workers.run(job("reads"), file)
    file.seek(0)
    second = await workers.run(replace(job("reads"), limits=ProcessLimits()), file)
    file.seek(0)
    third = await workers.run(job("reads"), file)
    assert first["pid"] == third["pid"] != second["pid"]


async def test_what_takes_long_is_loaded_before_the_first_job(workers: Workers, file: BinaryIO) -> None:
    workers.prepare_with(job("remembers", str), words="loaded")
    await workers.prepare()
    assert await workers.run(job("remembers", str), words=None) == "loaded"
    assert (await workers.run(job("reads"), file))["text"] == "hello"


async def test_what_cannot_be_loaded_is_said(workers: Workers) -> None:
    await workers.prepare()  # nothing
    workers.prepare_with(job("refuses"))
    with pytest.raises(TranscriptionFailed, match="no sound in it"):
        await workers.prepare()


async def test_a_worker_sees_nothing_of_the_server_and_may_do_nothing_but_work(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IVR_AZURE_KEY", "a secret")
    seen = await workers.run(job("looks_around"))
    assert seen["environment"] == ["LC_ALL", "OMP_NUM_THREADS"]
    assert seen["modules"] == []
    assert seen["folder"] == "/"
    assert seen["files"] == [0, 1, 2]  # the socket, nothing, nothing
    assert {seen[what] for what in ("network", "program", "process", "signal")} == {"PermissionError"}
    assert seen["thread"] == "allowed"
    assert seen["open to others"] == 0


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("eats_memory", "recording", "it needs too much memory"),
        ("exits", "recording", "it has crashed 3 worker processes"),
        ("raises", "failed", "the job ended with KeyError"),
        ("refuses", "recording", "no sound in it"),
        ("answers_too_much", "failed", "the job ended with an answer that is too long"),
        ("is_not_there", "failed", "the job ended with AttributeError"),
    ],
)
async def test_a_job_that_goes_wrong_fails_alone(
    workers: Workers, file: BinaryIO, name: str, code: str, says: str
) -> None:
    error = await failure(workers, job(name))
    assert (error.code, str(error)) == (code, says)
    assert (await workers.run(job("reads"), file))["text"] == "hello"


async def test_a_job_that_burns_processor_time_is_ended_at_once(workers: Workers) -> None:
    error = await failure(workers, job("burns", cpu=0.1))
    assert (error.code, str(error)) == ("recording", "it needs too much processor time")


async def test_processor_time_is_counted_by_job_and_not_by_worker(workers: Workers) -> None:
    for _ in range(3):
        assert await workers.run(job("works_for_half_a_second", str, cpu=1.0)) == "done"


async def test_a_job_that_sleeps_runs_out_of_time(workers: Workers) -> None:
    error = await failure(workers, job("sleeps", wall=0.05))
    assert error.code == "timeout"


async def test_a_file_that_crashes_three_workers_is_given_up(workers: Workers) -> None:
    with tempfile.TemporaryFile() as marks:
        error = await failure(workers, job("crashes"), marks)
        marks.seek(0)
        assert marks.read() == b"xxx"
    assert error.code == "recording"


async def test_a_crash_that_does_not_come_again_is_forgiven(workers: Workers) -> None:
    with tempfile.TemporaryFile() as marks:
        assert await workers.run(job("crashes_once", str), marks) == "survived"


async def test_a_worker_cannot_fill_the_disk(workers: Workers, file: BinaryIO) -> None:
    assert await workers.run(job("fills_a_file", str), file) == "OSError 27"
    assert os.fstat(file.fileno()).st_size <= MB


async def test_a_job_that_is_given_up_takes_its_worker_along(workers: Workers, tmp_path: Path) -> None:
    with (tmp_path / "pid").open("wb") as marks:
        running = asyncio.create_task(workers.run(job("marks_and_sleeps"), marks))
        pid = await written(tmp_path / "pid")
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await workers.close()
    assert not alive(pid)


async def test_jobs_wait_for_a_free_worker(workers: Workers, file: BinaryIO) -> None:
    answers = await asyncio.gather(*(workers.run(job("reads"), file) for _ in range(5)))
    assert len({answer["pid"] for answer in answers}) == 1


async def test_a_job_waits_for_those_of_its_own_kind_alone(workers: Workers, file: BinaryIO, tmp_path: Path) -> None:
    with (tmp_path / "pid").open("wb") as marks:
        long = asyncio.create_task(workers.run(job("marks_and_sleeps"), marks))
        await written(tmp_path / "pid")
        other = await workers.run(replace(job("reads"), limits=ProcessLimits()), file)
        assert other["text"] == "hello"
        assert not long.done()
        long.cancel()
        with pytest.raises(asyncio.CancelledError):
            await long


async def test_a_process_is_replaced_after_the_jobs_that_it_may_do(workers: Workers, file: BinaryIO) -> None:
    pids = []
    for _ in range(4):
        file.seek(0)
        pids.append((await workers.run(replace(job("reads"), orders=2), file))["pid"])
    assert pids[0] == pids[1] != pids[2] == pids[3]


async def test_workers_end_with_a_server_that_was_killed(tmp_path: Path) -> None:
    """SIGKILL leaves a server no time to end its workers, not even one that is at work."""
    marks = tmp_path / "pid"
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(marks)], cwd=Path.cwd())
    try:
        pid = await written(marks)
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
    await ended(pid)
    assert not alive(pid)


SERVER = """
import asyncio, sys
from ivr.audio.workers import Job, Workers

async def main():
    with open(sys.argv[1], "wb") as marks:
        job = Job("tests.speech_engines.misbehaviour:marks_and_sleeps", dict, 60.0, 60.0)
        await Workers().run(job, marks)

asyncio.run(main())
"""


async def written(marks: Path) -> int:
    """Wait for the process id that a job leaves in a file."""
    await until(lambda: marks.exists() and marks.read_bytes().endswith(b"\n"), within=marks.parent)
    return int(marks.read_bytes())


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
