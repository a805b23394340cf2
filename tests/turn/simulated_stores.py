"""The stores of the simulation: what survives a crash, and what a server holds of it.

`SimStore` is a store of several processes: whoever commits looks at the disk. `SimStoreInMemory` is one whose live
calls are in memory, as SQLite's are: what is handed over is on its way for a while, then durable, then visible, then
told; a crash can come between any two of these.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass, field
from types import coroutine
from typing import Protocol

import msgspec

from ivr.call_record import CallRecord, Commit, Stepped
from ivr.engine.commands import Request
from ivr.engine.events import Event, ServiceFailed
from ivr.engine.values import Stored
from ivr.errors import StaleCall, StoreUnavailable
from ivr.ports import CallKey
from ivr.storage import Absent, Order
from ivr.user_values import Known, User

KEY = CallKey("sim", "app", "call")


class Serves(Protocol):
    """The server that a store belongs to."""

    random: random.Random
    now: float

    def serve(self, task: Coroutine[object, None, object]) -> None:
        """Let a part of the server run, until a crash."""


@coroutine
def pause() -> Generator[None, None, None]:
    """Let the scheduler choose who goes on."""
    yield


@dataclass
class Disk:
    """What survives a crash."""

    record: bytes | None = None
    trace: list[bytes] = field(default_factory=list)
    orders: dict[str, tuple[Request, int]] = field(default_factory=dict)
    answers: dict[str, tuple[Event, float]] = field(default_factory=dict)
    "First answers by job, with the time at which they were saved."
    inbox: list[str] = field(default_factory=list)
    files: set[str] = field(default_factory=set)
    outbound: list[str] = field(default_factory=list)
    "The names of requests to the platform."
    kept: dict[str, tuple[Stored, bool]] = field(default_factory=dict)
    "Of the one caller, by the names of variables."

    def load(self) -> CallRecord | None:
        return msgspec.json.decode(self.record, type=CallRecord) if self.record else None

    def steps(self) -> list[Stepped]:
        return [msgspec.json.decode(line, type=Stepped) for line in self.trace]


class SimStore:
    """The store of one incarnation of the server; everything it holds is on the disk."""

    def __init__(self, disk: Disk, world: Serves) -> None:
        self._disk = disk
        self._world = world
        self._claimed: set[str] = set()

    def pseudonym(self, message: str) -> str:
        return message

    async def load(self, key: CallKey) -> CallRecord | None:
        await pause()
        return self._disk.load()

    async def inbox(self, call: str) -> Sequence[Event]:
        await pause()
        return [self._disk.answers[job][0] for job in self._disk.inbox]

    async def commit(self, commit: Commit) -> None:
        await pause()
        self._write(commit)
        await pause()

    def _write(self, commit: Commit) -> None:
        stored = self._disk.load()
        if commit.record.version != (stored.version if stored else 0) + 1:
            raise StaleCall
        self._disk.record = msgspec.json.encode(commit.record)
        self._disk.trace += [msgspec.json.encode(line) for line in commit.trace]
        for request in commit.jobs:
            self._disk.orders[request.job] = (request, 0)
        for value in commit.kept:
            self._disk.kept.pop(value.name, None)
            if value.value is not None:
                self._disk.kept[value.name] = (value.value, value.private)
        self._disk.outbound += [request.id for request in commit.outbound]
        self._disk.inbox = [job for job in self._disk.inbox if job not in commit.taken]

    async def known(self, user: User, *, now: float) -> Known:
        await pause()
        return dict(self._disk.kept)

    async def claim(
        self, owner: str, *, now: float, lease: float, limit: int, busy: frozenset[str] = frozenset()
    ) -> Sequence[Order]:
        await pause()
        claimed = []
        for job, (request, attempts) in self._disk.orders.items():
            if job in self._claimed or job in self._disk.answers:
                continue
            if attempts >= 3:
                await self.finish("", job, ServiceFailed(job, "failed"))
                continue
            self._disk.orders[job] = (request, attempts + 1)
            self._claimed.add(job)
            claimed.append(Order("", KEY, request, attempts + 1))
        return claimed

    async def finish(self, call: str, job: str, event: Event) -> bool:
        await pause()
        if job in self._disk.answers:
            return False
        self._disk.answers[job] = (event, self._world.now)
        self._disk.inbox.append(job)
        await pause()
        return True

    async def due(self, now: float) -> Sequence[CallKey]:
        await pause()
        record = self._disk.load()
        return [KEY] if record and record.call.phase != "over" else []


class SimStoreInMemory(SimStore):
    """The same, if the live calls are in memory."""

    def __init__(self, disk: Disk, world: Serves) -> None:
        super().__init__(disk, world)
        stored = disk.load()
        self._live = stored if stored and stored.call.phase != "over" else None
        self._busy = False

    def glance(self, key: CallKey) -> CallRecord | Absent:
        if self._busy or (self._live and self._disk.inbox):
            return Absent.WAIT
        if self._live:
            return self._live
        # A call that is over is remembered for a while.
        return Absent.WAIT if self._disk.record and self._world.random.random() < 0.5 else Absent.UNKNOWN

    def hand_over(self, commit: Commit, then: Callable[[Exception | None], None]) -> None:
        if self._busy or commit.record.version != (self._live.version if self._live else 0) + 1:
            raise StaleCall
        self._busy = True
        self._world.serve(self._save(commit, then))

    async def _save(self, commit: Commit, then: Callable[[Exception | None], None]) -> None:
        await pause()
        error: Exception | None = None
        try:
            if self._world.random.random() < 0.01:
                raise StoreUnavailable("the disk is full")
            self._write(commit)
            await pause()
            self._live = commit.record if commit.record.call.phase != "over" else None
        except (StaleCall, StoreUnavailable) as refused:
            error = refused
        self._busy = False
        await pause()
        then(error)

    async def load(self, key: CallKey) -> CallRecord | None:
        await pause()
        return self._live or self._disk.load()

    async def commit(self, commit: Commit) -> None:
        await pause()
        while self._busy:
            await pause()
        stored = self._live or self._disk.load()
        if commit.record.version > 1 and commit.record.version != (stored.version if stored else 0) + 1:
            raise StaleCall
        told: list[Exception | None] = []
        self._busy = True
        self._world.serve(self._save(commit, told.append))
        while not told:
            await pause()
        if told[0]:
            raise told[0]
