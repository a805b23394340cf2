"""In the gateway's process the loop comes first: what blocks runs in threads of less priority."""

import asyncio
import gc
import os
import sys
import threading
from collections.abc import Iterator

import pytest

from ivr.gateway.process_tuning import LESS, SWITCH, favour_the_loop


@pytest.fixture
def _as_before() -> Iterator[None]:
    interval, threshold = sys.getswitchinterval(), gc.get_threshold()
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*threshold)
    gc.unfreeze()


@pytest.mark.usefixtures("_as_before")
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a priority is a process's")
async def test_threads_are_nicer_than_the_loop() -> None:
    favour_the_loop(asyncio.get_running_loop())

    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    assert await asyncio.to_thread(priority) == min(priority() + LESS, 19)
    assert sys.getswitchinterval() == pytest.approx(SWITCH)
