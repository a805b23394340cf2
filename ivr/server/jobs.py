"""The worker: carries out what calls have ordered, saves the answer, and passes it on to the call.

An order was committed before it gets here, and the store counts each run before it begins. It may run twice after a
crash, but its first answer alone counts. The answer goes to the turn that is waiting for it (`settled`), or else the
call is woken. Where several servers share the store, the turn may wait at one of them and the order run at another:
then the turn hears of the answer by news, and looks into the inbox by itself now and then.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping

from ivr.engine.events import ServiceFailed, ServicesEvent
from ivr.errors import IvrError, StoreUnavailable
from ivr.news import LocalNews, News
from ivr.ports import CallKey
from ivr.server.telemetry.job_watch import JobTimes, JobWatch
from ivr.services.service import Service, ServiceError
from ivr.storage import CallStore, Order

log = logging.getLogger(__name__)

Wake = Callable[[CallKey], Awaitable[None]]

LEASE = 60.0
"Seconds beyond what an order's request allows, after which its worker is taken to be dead if there is no answer."
LOOK = 0.5
"Seconds between two looks into the inbox that a turn waits for: news can get lost."
PAUSE = 0.25
"Seconds before the next try where the store has failed, at first."
LONGEST_PAUSE = 30.0
"Seconds between two tries to save an answer, once the store has failed for a while."


class Worker:
    """The jobs of all calls."""

    def __init__(
        self,
        store: CallStore,
        services: Mapping[str, Service],
        *,
        news: News | None = None,
        at_once: int = 4,
        limits: Mapping[str, int] | None = None,
        watch: JobWatch | None = None,
        now: Callable[[], float] = time.time,
        lease: float = LEASE,
    ) -> None:
        """Carry out so many orders to a service `at_once`, or as `limits` says by service: none waits for another.

        `news` tells of the answers that other servers have saved; `watch` is told of what was done; `now` gives seconds
        since 1970.
        """
        self._store = store
        self._services = services
        self._at_once = at_once
        self._watch = watch
        self._now = now
        self._lease = lease
        self._name = secrets.token_hex(8)
        "Who we are among all workers: another in each process."
        self._free = {service: (limits or {}).get(service, at_once) for service in services}
        "By service: orders that may begin now."
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        "Open turns by call, in the order in which they came."
        self._running: set[asyncio.Task[None]] = set()
        self._kicked = asyncio.Event()
        self._main: asyncio.Task[None] | None = None
        self._wake: Wake | None = None
        self._news = news or LocalNews()
        self._news.hear("answer", self._heard)

    def start(self, wake: Wake) -> None:
        """Begin, with the orders that an earlier process left open."""
        self._wake = wake
        self._kicked.set()
        self._main = asyncio.create_task(self._work(), name="jobs")

    async def close(self) -> None:
        """Stop. What is under way stays open in the store, and is begun again by the next process."""
        tasks = [task for task in (self._main, *self._running) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def running(self) -> int:
        """How many orders are being carried out."""
        return len(self._running)

    def kick(self) -> None:
        """Wake the worker: orders were committed."""
        self._kicked.set()

    async def settled(self, call: str, timeout: float) -> None:  # noqa: ASYNC109  # the turn's budget, not an error
        """Return when an answer for the call lies in its inbox, or after so many seconds."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + timeout
        answered = loop.create_future()
        self._waiting.setdefault(call, []).append(answered)
        try:
            # Looked up after we are on the list: an answer is either there already, or will find us.
            while not await self._store.inbox(call) and (left := ends - loop.time()) > 0:
                await asyncio.wait((answered,), timeout=min(left, LOOK))
                if answered.done():
                    return
        finally:
            waiting = self._waiting[call]
            waiting.remove(answered)
            if not waiting:
                del self._waiting[call]

    async def _work(self) -> None:
        while True:
            await self._kicked.wait()
            self._kicked.clear()
            while True:
                busy = frozenset(service for service, free in self._free.items() if free < 1)
                limit = min((free for free in self._free.values() if free > 0), default=self._at_once)
                try:
                    orders = await self._store.claim(
                        self._name, now=self._now(), lease=self._lease, limit=limit, busy=busy
                    )
                except StoreUnavailable as error:
                    log.warning("orders wait for the store", extra={"reason": str(error)})
                    break  # the next tick kicks again
                if not orders:
                    break
                for order in orders:
                    self._begin(order)

    def _begin(self, order: Order) -> None:
        self._count(order, -1)
        task = asyncio.create_task(self._run(order), name=f"job {order.request.job}")
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("job ended badly", exc_info=error)

    def _count(self, order: Order, more: int) -> None:
        """Note that an order begins or has ended; one to a service that is not there takes no place."""
        if order.request.service in self._free:
            self._free[order.request.service] += more

    async def _run(self, order: Order) -> None:
        began = self._now()
        try:
            event = await self._carried_out(order)
            answered = self._now()
        finally:
            # The next order's turn: an answer on its way to the disk waits there together with others.
            self._count(order, 1)
            self._kicked.set()
        first = await self._saved(order, event)
        if self._watch is not None:
            self._watch.job_done(order, JobTimes(began, answered, self._now()), event)
        reason = event.code if isinstance(event, ServiceFailed) else "answered"
        log.info("job done", extra={"call": order.call, "service": order.request.service, "reason": reason})
        if first:
            await self._tell(order)

    async def _carried_out(self, order: Order) -> ServicesEvent:
        request = order.request
        service = self._services.get(request.service)
        if service is None:
            log.error("there is no such service", extra={"call": order.call, "service": request.service})
            return ServiceFailed(request.job, "failed")
        try:
            async with asyncio.timeout(request.timeout):
                return await self._once_the_store_is_there(service, order)
        except TimeoutError:
            return ServiceFailed(request.job, "timeout")
        except ServiceError as error:
            return ServiceFailed(request.job, error.code)
        except Exception:  # a service is foreign code; whatever it raises, the caller must not wait for ever
            log.exception("service failed", extra={"call": order.call, "service": request.service})
            return ServiceFailed(request.job, "failed")

    async def _once_the_store_is_there(self, service: Service, order: Order) -> ServicesEvent:
        """Run an order, and again where the store could not give what it needs: that is no answer of the service."""
        while True:
            try:
                return await service.run(order)
            except StoreUnavailable as error:
                log.warning("orders wait for the store", extra={"call": order.call, "reason": str(error)})
            await asyncio.sleep(PAUSE)

    async def _saved(self, order: Order, event: ServicesEvent) -> bool:
        """Save an answer however long the store is away: it was paid for, and a caller waits for it."""
        pause = PAUSE
        while True:
            try:
                return await self._store.finish(order.call, order.request.job, event)
            except StoreUnavailable as error:
                log.warning("answer waits for the store", extra={"call": order.call, "reason": str(error)})
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _heard(self, call: str) -> None:
        """Let the turns of a call go on: an answer for it was saved, here or elsewhere."""
        for answered in self._waiting.get(call, ()):
            if not answered.done():
                answered.set_result(None)

    async def _tell(self, order: Order) -> None:
        is_waited_for = order.call in self._waiting
        self._news.tell("answer", order.call)
        if not is_waited_for and self._wake is not None:
            try:
                await self._wake(order.key)
            except IvrError as error:
                # The ticker finds the call again by its inbox.
                log.warning("wake failed", extra={"call": order.call, "reason": type(error).__name__})
