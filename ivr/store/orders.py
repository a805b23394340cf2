"""Orders that are owed to calls, and their answers that no turn has stepped yet.

Rule 1: what is handed out, how often, and whose answer counts is decided here, for every store.
Rule 2: this file never learns how anything is saved; stores call it after the commit.

An order is *owed* until its first answer comes or its call is over, and *open* while no living worker has it: one that
did not answer in time is dead. Its answer goes into the inbox of its call.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from ivr.call_record import Commit
from ivr.engine.commands import Request
from ivr.engine.events import Event, RecordingReady, ServiceFailed
from ivr.ports import CallKey
from ivr.storage import Order

MAX_RUNS = 3
"""Runs of one order. A run that neither ended nor failed was cut off by a crash, perhaps by its own doing: a recording
that kills the decoder must not kill every start of the server. The stores count a run before it begins."""


class Owed(Struct):
    """An order without an answer."""

    call: str
    key: CallKey
    row: int
    "The call's number in the store."
    request: Request
    attempts: int = 0
    made: float = 0.0
    "When it was ordered, in seconds since 1970; after a start, when it was read."
    asked: int = 0
    "Its place among all orders, given by `Orders.add`."

    @property
    def spent(self) -> bool:
        """Whether every run it may have was begun."""
        return self.attempts >= MAX_RUNS

    def given_up(self) -> ServiceFailed:
        """Return what its call gets instead of a further run."""
        return ServiceFailed(self.request.job, "failed")


class Run(Struct, frozen=True):
    """A run of an order that is about to begin."""

    owed: Owed
    attempts: int
    "This one included."
    owner: str
    "The worker."
    until: float
    "When that worker is taken to be dead, in seconds since 1970, if there is no answer."


class Inbox(Struct):
    """Answers that wait for a turn of one call."""

    key: CallKey
    answers: dict[str, Event]
    "By job, in the order in which they came."


def orders_of(commit: Commit) -> tuple[Request, ...]:
    """Return the orders of a commit that are owed after it: a call that is over needs no answers."""
    return () if commit.record.call.phase == "over" else commit.jobs


class Orders:
    """The orders and inboxes of all calls."""

    def __init__(self) -> None:
        self._owed: dict[str, dict[str, Owed]] = {}
        self._open: dict[tuple[str, str], None] = {}  # a queue in which each order stands once
        self._runs: dict[tuple[str, str], Run] = {}
        "The last ones that were begun."
        self._inboxes: dict[str, Inbox] = {}
        self._added = 0

    def add(self, owed: Owed) -> None:
        """Take in an order that was saved."""
        job = owed.request.job
        self._added += 1
        owed.asked = self._added
        self._owed.setdefault(owed.call, {})[job] = owed
        self._open[owed.call, job] = None

    def get(self, call: str, job: str) -> Owed | None:
        """Return an order that has no answer yet."""
        return self._owed.get(call, {}).get(job)

    def knows(self, call: str, job: str) -> bool:
        """Return whether this job is owed or its answer waits."""
        inbox = self._inboxes.get(call)
        return self.get(call, job) is not None or (inbox is not None and job in inbox.answers)

    def inbox(self, call: str) -> tuple[Event, ...]:
        """Return the answers that wait, in the order in which they came."""
        inbox = self._inboxes.get(call)
        return tuple(inbox.answers.values()) if inbox else ()

    @property
    def open_since(self) -> Sequence[float]:
        """When each order without an answer was made, in seconds since 1970."""
        return [owed.made for jobs in self._owed.values() for owed in jobs.values()]

    def waiting(self) -> Iterable[CallKey]:
        """Return the calls whose inbox holds something."""
        return [inbox.key for inbox in self._inboxes.values()]

    def names(self, media: str) -> bool:
        """Return whether an answer that waits names this recording."""
        answers = (event for inbox in self._inboxes.values() for event in inbox.answers.values())
        return any(isinstance(event, RecordingReady) and event.media == media for event in answers)

    def take(
        self, owner: str, *, now: float, lease: float, limit: int, busy: frozenset[str] = frozenset()
    ) -> tuple[list[Run], list[Owed]]:
        """Take up to `limit` open orders for runs, and beside them those that may not run again.

        Those to services that are `busy` keep their place.
        """
        self._reopen(owner, now)
        runs: list[Run] = []
        spent: list[Owed] = []
        for call, job in list(self._open):
            if len(runs) >= limit:
                break
            owed = self.get(call, job)
            if owed is not None and owed.request.service in busy:
                continue
            del self._open[call, job]
            if owed is None:
                continue
            if owed.spent:
                spent.append(owed)
            else:
                runs.append(Run(owed, owed.attempts + 1, owner, now + owed.request.timeout + lease))
        return runs, spent

    def _reopen(self, owner: str, now: float) -> None:
        """Open the orders of dead workers again; whoever asks is alive."""
        for place, run in list(self._runs.items()):
            if self.get(*place) is not run.owed:
                del self._runs[place]  # answered, or no longer owed
            elif run.until <= now and run.owner != owner:
                del self._runs[place]
                self._open[place] = None

    def put_back(self, orders: Iterable[Owed]) -> None:
        """Open orders again whose taking was not saved."""
        for owed in orders:
            self._open[owed.call, owed.request.job] = None

    def begin(self, runs: Iterable[Run]) -> list[Order]:
        """Begin runs that were saved, and return what the worker gets: all but those closed in the meantime."""
        begun = []
        for run in runs:
            owed = run.owed
            if self.get(owed.call, owed.request.job) is owed:
                owed.attempts = run.attempts
                self._runs[owed.call, owed.request.job] = run
                begun.append(Order(owed.call, owed.key, owed.request, run.attempts))
        return begun

    def answer(self, call: str, job: str, event: Event) -> bool:
        """End an order with its answer; False: it had one, or is no longer owed."""
        owed = self._owed.get(call, {}).pop(job, None)
        if owed is None:
            return False
        self._forget_if_empty(call)
        self._inboxes.setdefault(call, Inbox(owed.key, {})).answers[job] = event
        return True

    def restore_answer(self, call: str, key: CallKey, job: str, event: Event) -> None:
        """Take in an answer that was saved before a restart; call in the order in which they came."""
        self._inboxes.setdefault(call, Inbox(key, {})).answers[job] = event

    def restart(self) -> None:
        """Open every owed order again, as after a restart of the only process: the workers are known to be gone."""
        self._runs = {}
        owed = [owed for jobs in self._owed.values() for owed in jobs.values()]
        self._open = {}
        self.put_back(sorted(owed, key=lambda one: one.asked))

    def leaving(self, commit: Commit) -> Sequence[str]:
        """Return the jobs that leave with a commit: answers now stepped, and at the end of a call all it waited for."""
        over = commit.record.call.phase == "over"
        if not over and not commit.taken:
            return ()
        call = commit.record.id
        inbox = self._inboxes.get(call)
        answered = inbox.answers if inbox else {}
        if not over:
            return [job for job in commit.taken if job in answered]
        return [*self._owed.get(call, {}), *answered]

    def leave(self, call: str, jobs: Iterable[str]) -> None:
        """Let go of these jobs."""
        inbox = self._inboxes.get(call)
        owed = self._owed.get(call, {})
        for job in jobs:
            owed.pop(job, None)
            if inbox is not None:
                inbox.answers.pop(job, None)
        if inbox is not None and not inbox.answers:
            del self._inboxes[call]
        self._forget_if_empty(call)

    def forget(self, call: str) -> None:
        """Let go of all that is owed to a call that is erased; once it is over, no answer waits for it."""
        self._owed.pop(call, None)

    def _forget_if_empty(self, call: str) -> None:
        if call in self._owed and not self._owed[call]:
            del self._owed[call]
