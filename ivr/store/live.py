"""The live calls in memory: what a store that one process has serves from, and what one commit changes in it.

Rule 1: this is changed after the commit, never before; so what is read here is saved.
Rule 2: calls that are over leave it; where they can still be found is the store's own affair.
"""

import heapq
from collections.abc import Sequence
from itertools import islice

from msgspec import Struct

from ivr.call_record import CallRecord, Commit
from ivr.errors import StaleCall, StoreUnavailable
from ivr.ports import CallKey
from ivr.storage import Backlog
from ivr.store.orders import Orders, Owed, orders_of

BLOCK = 2000
"Calls in a block (`ivr.storage.Block`), by their rows; part of every format."
SLACK = 64
"Entries that a heap may hold beyond twice the live ones before it is built anew."
AT_ONCE = 1000
"Calls that one look names: a few milliseconds of the event loop."


class Alarms:
    """When calls must be woken: a heap of times, in which only each call's last one counts.

    A call's time moves with every message. Taking the old entry out of the heap would cost a search, so it stays, is
    known by its time, and is dropped when it comes up. A heap that is mostly old entries is built anew, so its size
    follows the number of live calls. A look returns so many calls at most, since 100,000 can fall silent at once;
    those that it returned wait outside the heap, and are returned again when no others are due.
    """

    def __init__(self) -> None:
        self._at: dict[CallKey, float] = {}
        self._heap: list[tuple[float, int, CallKey]] = []
        self._named: dict[CallKey, tuple[float, int, CallKey]] = {}
        "What has come up and stays due; the call that was named longest ago comes first."
        self._pushed = 0  # between equal times, since keys have no order

    def set(self, key: CallKey, at: float) -> None:
        """Wake this call at `at`, in seconds since 1970, and at no other time."""
        if self._at.get(key) == at:
            return
        self._at[key] = at
        self._named.pop(key, None)  # its entry there has the old time
        self._push(at, key)
        if len(self._heap) > 2 * len(self._at) + SLACK:
            self._heap, self._named = [], {}
            for other, time in self._at.items():
                self._push(time, other)

    def drop(self, key: CallKey) -> None:
        """Wake this call no more."""
        self._at.pop(key, None)
        self._named.pop(key, None)

    def due(self, now: float, *, limit: int = AT_ONCE) -> list[CallKey]:
        """Return calls whose time is now or over, the earliest first; they stay due until `set` or `drop`.

        No more than `limit`, and those first that were not named yet.
        """
        found: dict[CallKey, tuple[float, int, CallKey]] = {}
        while self._heap and self._heap[0][0] <= now and len(found) < limit:
            entry = heapq.heappop(self._heap)
            # An entry whose time is not the call's current one is an old one. A call whose time was moved and moved
            # back has two that look current, and counts once.
            if self._at.get(entry[2]) == entry[0] and entry[2] not in self._named:
                found[entry[2]] = entry
        for key in list(islice(self._named, limit - len(found))):
            entry = self._named.pop(key)
            if entry[0] <= now:
                found[key] = entry
            else:  # the clock was set back
                heapq.heappush(self._heap, entry)
        self._named |= found
        return [key for _, _, key in sorted(found.values(), key=lambda entry: entry[:2])]

    def _push(self, at: float, key: CallKey) -> None:
        self._pushed += 1
        heapq.heappush(self._heap, (at, self._pushed, key))


class Saved(Struct, frozen=True):
    """A call as the store holds it."""

    row: int
    "Its number, counted from 1 in the order of first commits."
    record: CallRecord
    sealed: bool = False
    "Whether the store has sealed values of it."

    @property
    def over(self) -> bool:
        """Whether the call has ended."""
        return self.record.call.phase == "over"


def check_follows(commit: Commit, before: CallRecord | None) -> None:
    """Refuse a commit that does not follow a record; None: there is no call yet. Raises as `Live.check`."""
    record = commit.record
    version, steps = (before.version, before.steps) if before else (0, 0)
    if record.version != version + 1:
        raise StaleCall(f"call {record.id}: version {record.version} cannot follow version {version}")
    if record.steps != steps + len(commit.trace):
        raise StoreUnavailable(
            f"call {record.id}: {len(commit.trace)} lines do not lead from {steps} to {record.steps}"
        )
    if before is not None and before.id != record.id:
        raise StoreUnavailable(f"call {record.id}: this call is saved as {before.id}")


class Live:
    """All calls that are not over, with their orders, inboxes and times."""

    def __init__(self) -> None:
        self.calls: dict[CallKey, Saved] = {}
        self.orders = Orders()
        self._alarms = Alarms()

    def check(self, commit: Commit, stored: Saved | None) -> None:
        """Refuse a commit that does not follow what is stored.

        `StaleCall` is a race lost; a hole in the trace or a job asked twice is a mistake, and gets `StoreUnavailable`
        like everything that cannot be saved.
        """
        record = commit.record
        check_follows(commit, stored.record if stored else None)
        if not commit.jobs:
            return
        # A job is the key of its answer: a second order under a name that is still in use would take the first one's
        # answer. A name that leaves with this very commit is free again.
        jobs = {request.job for request in commit.jobs}
        leaving = self.orders.leaving(commit)
        known = any(job not in leaving and self.orders.knows(record.id, job) for job in jobs)
        if len(jobs) < len(commit.jobs) or known:
            raise StoreUnavailable(f"call {record.id}: a job is asked for twice")

    def apply(self, saved: Saved, commit: Commit) -> None:
        """Make a saved commit visible."""
        record = saved.record
        # First what leaves, then what is new: a job may be asked for again in the commit that takes its answer.
        if leaving := self.orders.leaving(commit):
            self.orders.leave(record.id, leaving)
        if commit.jobs:
            for request in orders_of(commit):
                self.orders.add(Owed(record.id, record.key, saved.row, request, made=commit.at))
        self.put(saved)

    def put(self, saved: Saved) -> None:
        """Hold a call as long as it lives."""
        key = saved.record.key
        if saved.over:
            self.calls.pop(key, None)
            self._alarms.drop(key)
        else:
            self.calls[key] = saved
            self._alarms.set(key, wake_up(saved.record))

    def flows(self) -> Sequence[str]:
        """Return the flows that calls under way began with. Looks at every call: for the start."""
        return list({saved.record.call.flow: None for saved in self.calls.values()})

    def backlog(self) -> Backlog:
        """Return what is under way."""
        since = self.orders.open_since
        return Backlog(len(self.calls), len(since), min(since, default=None))

    def due(self, now: float) -> Sequence[CallKey]:
        """Return the calls whose time has come, then those whose inbox alone holds something."""
        return list(dict.fromkeys([*self._alarms.due(now), *self.orders.waiting()]))


def wake_up(record: CallRecord) -> float:
    """Return when a call has to be woken, in seconds since 1970: the first of its times."""
    at, deadline, wake = record.idle_at, record.call.deadline, record.wake
    if deadline is not None and deadline < at:
        at = deadline
    return wake if wake is not None and wake < at else at
