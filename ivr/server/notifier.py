"""The worker of the outbox: sends what is due, tries again for a day, and gives up what cannot be sent.

A notification was committed before it gets here, and each try is counted before it begins. One whose worker is killed
between sending and noting it is sent again, with the same id.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from ivr.engine.commands import NotificationWay
from ivr.errors import StoreUnavailable
from ivr.outbox import DeliveryState, Notification, Outbox
from ivr.services.sender import NotSent, Sender

log = logging.getLogger(__name__)

AT_ONCE = 4
LEASE = 300.0
"Seconds after which a try without a result is taken to be dead; a sender needs less."
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 3600.0
"Seconds before the second try, and at most before any: each pause is twice the one before it."
GIVEN_UP = 86_400.0
"Seconds after which a notification is tried no more."
LOOK = 5.0
"Seconds between two looks for what a command has made due."


class Notifier:
    """Sends the notifications of all calls."""

    def __init__(
        self, outbox: Outbox, senders: Mapping[NotificationWay, Sender], *, now: Callable[[], float] = time.time
    ) -> None:
        self._outbox = outbox
        self._senders = senders
        self._now = now
        self._name = secrets.token_hex(8)
        self._free = AT_ONCE
        self._running: set[asyncio.Task[None]] = set()
        self._kicked = asyncio.Event()
        self._main: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, with what an earlier process left."""
        self._kicked.set()
        self._main = asyncio.create_task(self._work(), name="notifier")

    def kick(self) -> None:
        """Look for something to send: notifications were committed."""
        self._kicked.set()

    async def close(self) -> None:
        """Stop. What is under way is sent again by the next process."""
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
                    await self._outbox.reopen()
                    reopened = True
                await self._begin_due()
            except StoreUnavailable as error:
                log.warning("notifications wait for the store", extra={"reason": str(error)})
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await self._kicked.wait()

    async def _begin_due(self) -> None:
        while self._free:
            due = await self._outbox.claim(self._name, now=self._now(), lease=LEASE, limit=self._free)
            if not due:
                return
            for notification in due:
                self._free -= 1
                task = asyncio.create_task(self._send(notification), name=f"notification {notification.id}")
                self._running.add(task)
                task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._free += 1
        self._kicked.set()

    async def _send(self, notification: Notification) -> None:
        told = {"call": notification.call, "job": notification.job, "attempt": notification.tries}
        try:
            async with asyncio.timeout(LEASE / 2):
                await self._by(notification).send(notification)
        except NotSent as error:
            await self._failed(notification, error)
        except TimeoutError:
            await self._failed(notification, NotSent("timeout", "it took too long"))
        except Exception:  # a sender is foreign code; one notification must not end the worker
            log.exception("a sender failed", extra=told)
            await self._failed(notification, NotSent("mistake", "a mistake of this server"))
        else:
            await self._settle(notification, "sent", self._now())
            log.info("notification sent", extra=told)

    def _by(self, notification: Notification) -> Sender:
        sender = self._senders.get(notification.notify.way) if notification.notify else None
        if sender is None:
            raise NotSent("unset", "no server for it is set: see IVR_SMTP_SERVER and IVR_WEBHOOK_SECRET")
        return sender

    async def _failed(self, notification: Notification, error: NotSent) -> None:
        now = self._now()
        again = now + min(FIRST_PAUSE * 2 ** min(notification.tries - 1, 16), LONGEST_PAUSE)
        told = {
            "call": notification.call,
            "job": notification.job,
            "attempt": notification.tries,
            "reason": error.code,
        }
        if error.for_good or again > notification.made + GIVEN_UP:
            await self._settle(notification, "dead", now, str(error))
            log.error("notification given up", extra=told)
        else:
            await self._settle(notification, "waiting", again, str(error))
            log.warning("notification not sent", extra=told)

    async def _settle(self, notification: Notification, state: DeliveryState, at: float, reason: str = "") -> None:
        """Note what became of a try, however long the store is away: else it would be made once more."""
        pause = 0.25
        while True:
            try:
                await self._outbox.settle(notification.id, state, at=at, reason=reason)
            except StoreUnavailable as error:
                log.warning("notifications wait for the store", extra={"reason": str(error)})
            else:
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, 30.0)
