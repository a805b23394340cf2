"""The tables of the database in PostgreSQL, and its statements, in memory: each is carried out whole, or not at all.

What each does is what the statement of `ivr.store.postgres` does that is named beside it, in few lines of Python.
`test_twin_and_database_agree` holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from ivr.call_record import Commit
from ivr.engine.commands import Request
from ivr.engine.events import Event, RecordingReady, ServiceFailed
from ivr.errors import StaleCall, StoreUnavailable
from ivr.ports import CallKey
from ivr.storage import Backlog, Order
from ivr.store.call_database import SharedCall
from ivr.store.live import Saved, wake_up
from ivr.store.memory.memory_calls import MemoryStore
from ivr.store.orders import MAX_RUNS, orders_of

T = TypeVar("T")
LATE = 3.0
"Seconds after which a call that is due is woken by any server."


class Job(Struct):
    """A row of `job`."""

    call: str
    key: CallKey
    request: Request
    made: float
    attempts: int = 0
    owner: str | None = None
    until: float = 0.0
    answered: int | None = None
    "Its place among all answers; None: there is none."
    answer: Event | None = None


class Tables:
    """Everything in them survives whatever happens to servers and connections."""

    def __init__(self) -> None:
        self.calls = MemoryStore()
        "Calls, traces, recordings, flows and what is kept of callers; of orders and answers, nothing."
        self.answers: dict[str, int] = {}
        "By our id of the call, as `call.answers`."
        self.jobs: dict[tuple[str, str], Job] = {}
        "By our id of the call and the job, in the order in which they were asked for."
        self.files: dict[str, bytes] = {}
        "Larger recordings, by name."
        self.replicas: dict[str, float] = {}
        "Those that are not buried, and when each was last seen."
        self.beats: dict[str, list[float]] = {}
        "All of them, by server."
        self.finished: dict[tuple[str, str], tuple[float, Event]] = {}
        "When each order got its answer, and which, by our id of the call and the job; also once they have left."
        self.claimed: dict[tuple[str, str, int], float] = {}
        "When each run was handed out, by our id of the call, the job and its number."
        self.clock: Callable[[], float] = lambda: 0.0
        self._answered = 0

    # --- turns (postgres_turns) ---

    def find(self, key: CallKey) -> SharedCall | None:
        saved = self._saved(key)
        if saved is None:
            return None
        call = saved.record.id
        return SharedCall(saved.row, saved.record, self.answers.get(call, 0), len(self.inbox(call)))

    def save(self, commit: Commit, before: SharedCall | None) -> SharedCall:
        record = commit.record
        saved = self._saved(record.key)
        if not self.stands(saved, before):
            raise StaleCall(f"call {record.id}: it does not stand as this turn found it")
        over = record.call.phase == "over"
        here = [job for call, job in self.jobs if call == record.id]
        gone = [job for job in here if over or (job in commit.taken and self.jobs[record.id, job].answered is not None)]
        asked = orders_of(commit)
        if any(request.job in here and request.job not in gone for request in asked):
            raise StoreUnavailable(f"call {record.id}: a job is asked for twice")
        done(self.calls.commit(replace(commit, jobs=(), taken=())))
        answered = sum(self.jobs.pop((record.id, job)).answered is not None for job in gone)
        for request in asked:
            self.jobs[record.id, request.job] = Job(record.id, record.key, request, commit.at)
        row = self._saved(record.key).row
        if before is None:
            return SharedCall(row, record)
        return SharedCall(row, record, before.answers, 0 if over else before.waiting - answered)

    def stands(self, saved: Saved | None, before: SharedCall | None) -> bool:
        """Return whether a call stands as a turn found it."""
        if saved is None or before is None:
            return saved is None and before is None
        version, answers = saved.record.version, self.answers.get(saved.record.id, 0)
        return (saved.row, version, answers) == (before.row, before.record.version, before.answers)

    def due(self, now: float, place: int, servers: int) -> Sequence[CallKey]:
        found = []
        for saved in self.calls.calls.values():
            if saved.record.call.phase == "over" or (wake := wake_up(saved.record)) > now:
                continue
            if saved.row % servers == place or wake <= now - LATE:
                found.append((wake, saved.row, saved.record.key))
        return [key for _, _, key in sorted(found)]

    def answered(self, place: int, servers: int) -> Sequence[CallKey]:
        waiting = dict.fromkeys(job.key for job in self.jobs.values() if job.answered is not None)
        return [key for key in waiting if self._saved(key).row % servers == place]

    # --- orders (postgres_jobs) ---

    def claim(
        self,
        owner: str,
        *,
        now: float,
        lease: float,
        limit: int,
        busy: Collection[str],
        known: Collection[tuple[str, str]],
    ) -> tuple[Sequence[Order], Sequence[tuple[str, str]]]:
        """Return what is handed out, and what may not run again."""
        if limit < 1 or owner.partition("/")[0] not in self.replicas:
            return (), ()
        orders: list[Order] = []
        spent: list[tuple[str, str]] = []
        for place, job in self.jobs.items():
            if len(orders) == limit:
                break
            if job.answered is not None or job.request.service in busy or place in known:
                continue
            is_lost = job.owner == owner
            if not is_lost and not self.is_open(job, owner, now):
                continue
            if not is_lost and job.attempts >= MAX_RUNS:
                spent.append(place)
                continue
            job.attempts, job.owner = job.attempts + (job.owner != owner), owner
            job.until = now + job.request.timeout + lease
            self.claimed[job.call, job.request.job, job.attempts] = self.clock()
            orders.append(Order(job.call, job.key, job.request, job.attempts))
        return orders, spent

    def is_open(self, job: Job, owner: str, now: float) -> bool:
        """Return whether nobody has an order, or whoever has it is dead."""
        if job.owner is None or (job.until <= now and job.owner != owner):
            return True
        server = job.owner.partition("/")[0]
        return server not in self.replicas and server != owner.partition("/")[0]

    def leave(self, server: str) -> None:
        for job in self.jobs.values():
            if job.answered is None and job.owner is not None and job.owner.startswith(f"{server}/"):
                job.owner = None

    def finish(self, call: str, job: str, event: Event) -> bool:
        order = self.jobs.get((call, job))
        if order is None or order.answered is not None:
            return False
        self._answered += 1
        order.answered, order.answer = self._answered, event
        self.finished[call, job] = self.clock(), event
        self.answers[call] = self.answers.get(call, 0) + 1
        return True

    def give_up(self, call: str, job: str) -> bool:
        return self.finish(call, job, ServiceFailed(job, "failed"))

    def inbox(self, call: str) -> Sequence[Event]:
        answered = [job for job in self.jobs.values() if job.call == call and job.answered is not None]
        return tuple(job.answer for job in sorted(answered, key=lambda job: job.answered))

    def backlog(self) -> Backlog:
        owed = [job.made for job in self.jobs.values() if job.answered is None]
        return Backlog(done(self.calls.backlog()).calls, len(owed), min(owed, default=None))

    # --- recordings ---

    def unnamed(self, media: Sequence[str]) -> Sequence[str]:
        waiting = {job.answer.media for job in self.jobs.values() if isinstance(job.answer, RecordingReady)}
        return [name for name in done(self.calls.unnamed(media)) if name not in waiting]

    def has_recording(self, media: str) -> bool:
        """Return whether a recording is there, whole."""
        return media in self.files or self.calls.media.get(media) is not None

    # --- who is alive (postgres_replica) ---

    def beat(self, name: str, now: float, *, dead: float, judges: bool) -> Sequence[str]:
        """Show a server; if it may judge, bury who is dead; return the names of the others."""
        self.replicas[name] = now
        self.beats.setdefault(name, []).append(now)
        if judges:
            for other, last in list(self.replicas.items()):
                if last < now - dead:
                    del self.replicas[other]
        return [other for other in self.replicas if other != name]

    def _saved(self, key: CallKey) -> Saved | None:
        return self.calls._find(key)


def done(work: Coroutine[Any, Any, T]) -> T:
    """Return what something returns that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits for something")
