"""An executor that starts no thread when work comes: all of them are there."""

import threading

from ivr.store.started_threads import started_threads


def running(name: str) -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith(name)}


def test_all_threads_run_before_there_is_work() -> None:
    pool = started_threads(3, "started")
    before = running("started_")
    assert len(before) == 3
    assert list(pool.map(lambda number: number + 1, range(10))) == list(range(1, 11))
    assert running("started_") == before
    pool.shutdown()
    assert running("started_") == set()
