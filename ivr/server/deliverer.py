"""The worker of what calls have ordered and do not wait for: takes what is due, tries again, gives up what cannot be.

What is delivered was committed before it gets here, and each try is counted before it begins. One whose worker is
killed between delivering and noting it is delivered again, under the same name.
"""

import asyncio
import logging
import secrets
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Generic, Protocol, TypeAlias, TypeVar

from ivr.errors import StoreUnavailable
from ivr.outbox import Deliveries, DeliveryState
from ivr.server.telemetry.job_watch import DeliveryKind, DeliveryResult, DeliveryTry, JobWatch
from ivr.services.sender import NotSent

log = logging.getLogger(__name__)

AT_ONCE = 4
LEASE = 300.0
"Seconds after which a try without a result is taken to be dead; a delivery needs less."
LOOK = 5.0
"Seconds between two looks for what a command has made due."


class Delivery(Protocol):
    """What of it the worker has to know."""

    @property
    def id(self) -> str:
        """Its name: the same on each try."""

    @property
    def call(self) -> str:
        """Our id of the call."""

    @property
    def job(self) -> str:
        """Its name within the call."""

    @property
    def made(self) -> float:
        """When it was ordered, in seconds since 1970."""

    @property
    def tries(self) -> int:
        """Tries begun so far, this one included."""


D = TypeVar("D", bound=Delivery)
Follow: TypeAlias = Callable[[], Awaitable[None]]


class Deliverer(ABC, Generic[D]):
    """Delivers one kind of orders of all calls; how, and what is told of it, is said by who follows it."""

    def __init__(
        self,
        deliveries: Deliveries[D],
        *,
        kind: DeliveryKind,
        now: Callable[[], float],
        at_once: int = AT_ONCE,
        watch: JobWatch | None = None,
    ) -> None:
        """`kind` is what it delivers; `now` gives seconds since 1970; `at_once`: how many are under way at most.

        `watch` is told of each try.
        """
        self._deliveries = deliveries
        self._now = now
        self._kind = kind
        self._watch = watch
        self._name = secrets.token_hex(8)
        self._free = at_once
        self._running: set[asyncio.Task[None]] = set()
        self._kicked = asyncio.Event()
        self._main: asyncio.Task[None] | None = None

    # --- what follows it says ---

    @abstractmethod
    async def _deliver(self, one: D) -> Follow | None:
        """Deliver; raise NotSent. Return what is done before that is noted, however long it takes; None: nothing."""

    @abstractmethod
    def _pause(self, one: D) -> float:
        """Return the seconds before its next try."""

    @abstractmethod
    def _until(self, one: D) -> float:
        """Return when it is given up, in seconds since 1970."""

    async def _gave_up(self, one: D, error: NotSent) -> None:  # mostly nothing follows
        """Do what follows before it is noted that a delivery is given up."""

    @abstractmethod
    def _log_sent(self, told: Mapping[str, object]) -> None:
        """Log that it was delivered."""

    @abstractmethod
    def _log_not_sent(self, told: Mapping[str, object], *, dead: bool) -> None:
        """Log that a try failed; `dead`: the last one."""

    @abstractmethod
    def _log_waiting(self, reason: str) -> None:
        """Log that the store cannot be used."""

    # --- the worker ---

    def begin(self) -> None:
        """Begin, with what an earlier process left."""
        self._kicked.set()
        self._main = asyncio.create_task(self._work(), name=self._kind)

    def kick(self) -> None:
        """Look for something to deliver: some was committed."""
        self._kicked.set()

    async def close(self) -> None:
        """Stop. What is under way is delivered again by the next process."""
        tasks = [task for task in (self._main, *self._running) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self) -> None:
        reopened = False
        while True:
            self._kicked.clear()
            try:
                if not reopened:
                    await self._deliveries.reopen()
                    reopened = True
                await self._begin_due()
            except StoreUnavailable as error:
                self._log_waiting(str(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(await self._rest()):
                    await self._kicked.wait()

    async def _rest(self) -> float:
        """Return the seconds until the next look: none is later than what is due next."""
        try:
            due = await self._deliveries.next_due() if self._free else None
        except StoreUnavailable:
            return LOOK
        return LOOK if due is None else min(LOOK, max(due - self._now(), 0.05))

    async def _begin_due(self) -> None:
        while self._free:
            due = await self._deliveries.claim(self._name, now=self._now(), lease=LEASE, limit=self._free)
            if not due:
                return
            for one in due:
                self._free -= 1
                task = asyncio.create_task(self._try(one), name=f"{self._kind} {one.id}")
                self._running.add(task)
                task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._free += 1
        self._kicked.set()

    async def _try(self, one: D) -> None:
        told, began = {"call": one.call, "job": one.job, "attempt": one.tries}, self._now()
        try:
            async with asyncio.timeout(LEASE / 2):
                follow = await self._deliver(one)
        except NotSent as error:
            await self._failed(one, error, began)
        except TimeoutError:
            await self._failed(one, NotSent("timeout", "it took too long"), began)
        except Exception:  # a sender is foreign code; one delivery must not end the worker
            log.exception("a sender failed", extra=told)
            await self._failed(one, NotSent("mistake", "a mistake of this server"), began)
        else:
            if follow is not None:
                await follow()
            await self._settle(one, "sent", self._now())
            self._pass_on(one, began, "sent")
            self._log_sent(told)

    async def _failed(self, one: D, error: NotSent, began: float) -> None:
        now = self._now()
        again = now + max(self._pause(one), error.pause or 0.0)
        told = {"call": one.call, "job": one.job, "attempt": one.tries, "reason": error.code}
        dead = error.for_good or again > self._until(one)
        if dead:
            await self._gave_up(one, error)
        await self._settle(one, "dead" if dead else "waiting", now if dead else again, str(error))
        self._pass_on(one, began, "dead" if dead else "failed")
        self._log_not_sent(told, dead=dead)

    def _pass_on(self, one: D, began: float, result: DeliveryResult) -> None:
        """Let whoever follows deliveries know of a try."""
        if self._watch is not None:
            self._watch.delivered(DeliveryTry(self._kind, one.call, one.job, began, self._now(), result))

    async def _settle(self, one: D, state: DeliveryState, at: float, reason: str = "") -> None:
        """Note what became of a try, however long the store is away: else it would be made once more."""
        pause = 0.25
        while True:
            try:
                await self._deliveries.settle(one.id, state, at=at, reason=reason)
            except StoreUnavailable as error:
                self._log_waiting(str(error))
            else:
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, 30.0)
