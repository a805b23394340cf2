"""Threads that are there before they are needed."""

import threading
from concurrent.futures import ThreadPoolExecutor


def started_threads(count: int, name: str) -> ThreadPoolExecutor:
    """Return an executor all of whose threads run already.

    By itself it starts one when work comes. Where memory has run out by then, the new thread can end before it has
    begun, and whoever starts it, the event loop, waits for it for ever.
    """
    pool = ThreadPoolExecutor(count, name)
    together = threading.Barrier(count)
    for _ in range(count):
        pool.submit(together.wait)  # none is free until all are there, so each of these needs one more
    return pool
