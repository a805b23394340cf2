"""Runs a module whose threads have their Python names for the system, too: `python -m bench.named_threads ivr serve …`.

Python tells the system no names before 3.14, and what each thread costs is read from outside by name.
"""

import runpy
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

EVERY = 0.2
"Seconds between two looks."


def name_threads() -> None:
    """Set the names of all threads, again and again: they come and go."""
    while True:
        for thread in threading.enumerate():
            with suppress(OSError):  # it has just ended
                Path(f"/proc/self/task/{thread.native_id}/comm").write_text(thread.name)
        time.sleep(EVERY)


if __name__ == "__main__":
    del sys.argv[0]
    threading.Thread(target=name_threads, name="bench", daemon=True).start()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
