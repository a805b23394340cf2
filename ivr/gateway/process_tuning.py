"""What a process is told that sends sound at exact times: its loop comes first, and everything else in between.

Encoding a recording or speaking a prompt takes tens of milliseconds of a processor, in a thread. On one core such
threads share it with the loop in equal parts, and frames are late. With less priority they get what the loop leaves.
"""

import asyncio
import gc
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

THREADS = 8
"For all that blocks: encoding, speaking, files, names."
LESS = 3
"""How much nicer these threads are than the loop: half of its share where both want the processor (sched(7)).

Not more: one that holds Python's lock has to get on with it even where other processes want the processor as well, or
the loop waits for it (with 10, up to half a second on a busy machine)."""
SWITCH = 0.001
"Seconds after which a thread that runs Python must let another one in; the default of 5 ms is a quarter of a frame."


def favour_the_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Let the loop come first. To be called in its thread, once all modules are loaded."""
    loop.set_default_executor(ThreadPoolExecutor(THREADS, "background", initializer=_step_back))
    sys.setswitchinterval(SWITCH)
    # A look at everything that was loaded takes tens of milliseconds, and finds nothing: calls leave few cycles.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def _step_back() -> None:
    if sys.platform == "linux":  # where a priority is a thread's, not a process's
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.getpriority(os.PRIO_PROCESS, 0) + LESS)
