"""The worker of the outbox: sends notifications that are due, tries again for a day, and gives up what cannot be sent.

One whose worker is killed between sending and noting it is sent again, with the same id.
"""

import logging
import time
from collections.abc import Callable, Mapping

from ivr.engine.commands import NotificationWay
from ivr.outbox import Notification, Outbox
from ivr.server.deliverer import Deliverer
from ivr.server.telemetry.job_watch import JobWatch
from ivr.services.sender import NotSent, Sender

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 30.0, 3600.0
"Seconds before the second try, and at most before any: each pause is twice the one before it."
GIVEN_UP = 86_400.0
"Seconds after which a notification is tried no more."


class Notifier(Deliverer[Notification]):
    """Sends the notifications of all calls."""

    def __init__(
        self,
        outbox: Outbox,
        senders: Mapping[NotificationWay, Sender],
        *,
        now: Callable[[], float] = time.time,
        watch: JobWatch | None = None,
    ) -> None:
        super().__init__(outbox, kind="notification", now=now, watch=watch)
        self._senders = senders

    def start(self) -> None:
        """Begin, with what an earlier process left."""
        self.begin()

    async def _deliver(self, one: Notification) -> None:
        sender = self._senders.get(one.notify.way) if one.notify else None
        if sender is None:
            raise NotSent("unset", "no server for it is set: see IVR_SMTP_SERVER and IVR_WEBHOOK_SECRET")
        await sender.send(one)

    def _pause(self, one: Notification) -> float:
        return min(FIRST_PAUSE * 2.0 ** min(one.tries - 1, 16), LONGEST_PAUSE)

    def _until(self, one: Notification) -> float:
        return one.made + GIVEN_UP

    def _log_sent(self, told: Mapping[str, object]) -> None:
        log.info("notification sent", extra=told)

    def _log_not_sent(self, told: Mapping[str, object], *, dead: bool) -> None:
        if dead:
            log.error("notification given up", extra=told)
        else:
            log.warning("notification not sent", extra=told)

    def _log_waiting(self, reason: str) -> None:
        log.warning("notifications wait for the store", extra={"reason": reason})
