"""A conversion that is cut off leaves the old database or the new one, and the next start goes on."""

import asyncio
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

import pytest

from ivr.store.sqlite import migration
from ivr.store.sqlite.database_file import open_database
from ivr.store.sqlite.tables import VERSION
from tests.crash.disk import Disk, system_calls, traced
from tests.crash.tracing import no_tracing
from tests.store.earlier_folders import restored, rows

OPENS = "import sys; from pathlib import Path; from ivr.store.sqlite.database_file import open_database; "
OPENS += "open_database(Path(sys.argv[1])).close()"
CALLS = "SELECT id, state, trace FROM call JOIN turn ON call = row WHERE state <> '' ORDER BY row"


def is_whole(folder: Path, converted: list[tuple[Any, ...]]) -> bool:
    """Hold what is left against the old calls or the new ones, then convert it; return whether it was the new one."""
    ((version,),) = rows(folder / "calls.db", "PRAGMA user_version")
    assert version in {1, VERSION}
    open_database(folder / "calls.db").close()
    assert rows(folder / "calls.db", CALLS) == converted
    assert rows(folder / "calls.db", "PRAGMA integrity_check") == [("ok",)]
    assert {path.name for path in folder.iterdir()} <= {"calls.db", "calls.db-wal", "calls.db-shm", "seal.key", "audio"}
    return bool(version == VERSION)


def _lines_run(folder: Path) -> list[int]:
    """Convert, and return the lines of the module that it takes."""
    seen: dict[int, None] = {}

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != migration.__file__:
            return None
        if event == "line":
            seen[frame.f_lineno] = None
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        open_database(folder / "calls.db").close()
    finally:
        sys.settrace(before)
    return list(seen)


def _killed_at(line: int, folder: Path) -> None:
    """Convert in a process that kills itself when it comes to a line of the module."""
    child = os.fork()
    if child == 0:
        sys.settrace(_killer(line))
        open_database(folder / "calls.db").close()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)


def _killer(line: int) -> Callable[[FrameType, str, Any], Any]:
    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != migration.__file__:
            return None
        if event == "line" and frame.f_lineno == line:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return trace


def test_killed_at_any_line_it_is_done_at_the_next_start(tmp_path: Path) -> None:
    made = restored(tmp_path / "made", 1)
    whole = Path(shutil.copytree(made, tmp_path / "whole"))
    lines = _lines_run(whole)
    converted, new = rows(whole / "calls.db", CALLS), []
    for line in lines:
        folder = Path(shutil.copytree(made, tmp_path / f"killed-{line}"))
        _killed_at(line, folder)
        new.append(is_whole(folder, converted))
        shutil.rmtree(folder)
    assert {False, True} == {*new}


async def test_after_a_loss_of_power_it_is_done_at_the_next_start(tmp_path: Path) -> None:
    if reason := await no_tracing():
        pytest.skip(reason)
    folder, trace = restored(tmp_path / "data", 1), tmp_path / "trace"
    disk = Disk(folder)
    arguments = (*traced(trace), sys.executable, "-c", OPENS, str(folder / "calls.db"))
    process = await asyncio.create_subprocess_exec(*arguments)
    assert await process.wait() == 0
    converted = rows(folder / "calls.db", CALLS)
    random, new = Random(3), []
    for number, call in enumerate(system_calls(trace)):
        disk.happens(call)
        if call.name in {"fsync", "fdatasync", "rename", "unlink"} or number % 50 == 0:
            image = tmp_path / "image"
            disk.after_power_loss(image, seed=random.choice([None, number]))
            new.append(is_whole(image, converted))
            shutil.rmtree(image)
    assert new == sorted(new), "what was converted stays so"
    assert True in new
    assert False in new


def test_where_the_disk_is_full_nothing_is_changed(tmp_path: Path) -> None:
    """No file may grow: the new database cannot be written."""
    folder = restored(tmp_path / "data", 1)
    rows(folder / "calls.db", "PRAGMA wal_checkpoint(TRUNCATE)")
    limited = (
        f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, {resource.RLIM_INFINITY})); {OPENS}"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited, str(folder / "calls.db")], capture_output=True, text=True, check=False
    )
    assert "cannot be used: the disk failed or is full." in done.stderr
    assert not (folder / "calls.db.new").exists()
    assert rows(folder / "calls.db", "PRAGMA user_version") == [(1,)]
    open_database(folder / "calls.db").close()
