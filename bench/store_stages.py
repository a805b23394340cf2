"""What saving a turn costs in a tight loop: the thread of the event loop, and the store's own."""

import asyncio
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from bench.stages import MESSAGES, Situation, Stage
from ivr.call_record import Commit
from ivr.ports import CallKey
from ivr.storage import CallStoreInMemory

AT_ONCE = 16
"Turns that are handed over together: about what a commit holds under load."


async def store_stages(store: CallStoreInMemory, situations: Sequence[Situation], calls: int) -> list[Stage]:
    """Save so many calls, `AT_ONCE` at the same time; the shortest time of each message counts."""
    handed, followed, saved = ([float("inf")] * len(MESSAGES) for _ in range(3))
    for first in range(0, calls, AT_ONCE):
        for number, situation in enumerate(situations):
            commits = [_renamed(situation.commit, first + each) for each in range(AT_ONCE)]
            before, began = _of_store_threads(), time.thread_time()
            waiting = [_handed_over(store, commit) for commit in commits]
            between = time.thread_time()
            await asyncio.gather(*waiting)
            ended, after = time.thread_time(), _of_store_threads()
            handed[number] = min(handed[number], 1e6 * (between - began) / AT_ONCE)
            followed[number] = min(followed[number], 1e6 * (ended - between) / AT_ONCE)
            saved[number] = min(saved[number], 1e6 * (after - before) / AT_ONCE)
    return [
        Stage("hand-over: the row is written", tuple(handed)),
        Stage("what follows the commit, in the loop", tuple(followed)),
        Stage("store's thread: commit and sync", tuple(saved)),
    ]


def _handed_over(store: CallStoreInMemory, commit: Commit) -> "asyncio.Future[None]":
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def then(error: Exception | None) -> None:
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    store.hand_over(commit, then)
    return done


def _renamed(commit: Commit, number: int) -> Commit:
    """Return the same turn of another call."""
    name = f"{number:032x}"
    record = commit.record
    call = replace(record.call, facts=replace(record.call.facts, id=name))
    key = CallKey(record.key.channel, record.key.account, name)
    return replace(commit, record=replace(record, id=name, key=key, call=call))


def _of_store_threads() -> float:
    """Return the processor time of this process's store threads, in seconds."""
    threads = [each.native_id for each in threading.enumerate() if each.name.startswith("store")]
    return sum(int(Path(f"/proc/self/task/{one}/schedstat").read_text().split()[0]) for one in threads) / 1e9
