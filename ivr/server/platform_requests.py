"""The worker of requests to platforms: sends what is due to the API of the call's channel.

It tries again for a day, or for as long as the request is of use. What its channel wants to know of the answer is told
before it is noted that the request was sent, so that a kill in between repeats the request and loses no answer.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from http import HTTPStatus

from ivr.errors import StoreUnavailable
from ivr.outbox import PlatformRequest, PlatformRequests
from ivr.ports import CallKey, Outbound
from ivr.server.deliverer import Deliverer, Follow
from ivr.server.telemetry.job_watch import JobWatch
from ivr.services.platform_api import Api, Manners, PlatformUnreachable
from ivr.services.sender import NotSent

log = logging.getLogger(__name__)

AT_ONCE = 16
"Requests under way at most: a platform that answers slowly must not hold up the others."
GIVEN_UP = 86_400.0
"Seconds after which a request is tried no more."
UNSURE = "unsure"
"Why a request is given up that must not be done twice, and may have been done."
_NOT_DONE = frozenset({HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"Answers that say that nothing was done."
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})

Answered = Callable[[CallKey, Outbound, int, bytes], Awaitable[None]]
"Tells a call what its platform answered: the request, the status (0: given up), the body."


class PlatformRequestWorker(Deliverer[PlatformRequest]):
    """Sends the requests of all calls."""

    def __init__(
        self,
        requests: PlatformRequests,
        apis: Mapping[str, Api],
        *,
        now: Callable[[], float] = time.time,
        watch: JobWatch | None = None,
    ) -> None:
        """`apis` are the platforms' by the channel's name."""
        super().__init__(requests, kind="platform_request", now=now, at_once=AT_ONCE, watch=watch)
        self._apis = apis
        self._answered: Answered | None = None

    def start(self, answered: Answered) -> None:
        """Begin, with what an earlier process left; calls are told of answers by `answered`."""
        self._answered = answered
        self.begin()

    async def _deliver(self, one: PlatformRequest) -> Follow | None:
        request = one.request
        api = self._apis.get(one.key.channel)
        if api is None:
            raise NotSent("unset", "the platform's API is not set")
        if request.until is not None and request.until < self._now():
            raise NotSent("late", "it is of no use any more", for_good=True)
        if request.once and one.tries > 1 and not one.reason:
            # Its worker was killed, so it may have been done. A try that failed for sure has left its reason.
            raise NotSent(UNSURE, "it may have been done before the server was stopped", for_good=True)
        try:
            answer = await api.send(request, one.id)
        except PlatformUnreachable as error:
            unsure = request.once and error.sent
            raise NotSent(UNSURE if unsure else error.code, str(error), for_good=error.for_good or unsure) from error
        gone = request.method == "DELETE" and answer.status in _GONE  # deleted before, or by the platform itself
        if not (HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES or gone):
            self._refused(request, answer.status, answer.pause, api.manners)
        return partial(self._tell, one, answer.status, answer.body) if request.answered else None

    def _refused(self, request: Outbound, status: int, pause: float | None, manners: Manners) -> None:
        later = manners.later(status)
        if request.once and status not in _NOT_DONE:
            later = False
        raise NotSent("refused", f"the platform answered {status}", for_good=not later, pause=pause, status=status)

    async def _gave_up(self, one: PlatformRequest, error: NotSent) -> None:
        # What may have been done is not told as undone: the platform's own messages say what becomes of it.
        if (one.request.answered or one.request.refusal) and error.code != UNSURE:
            await self._tell(one, error.status, b"")

    async def _tell(self, one: PlatformRequest, status: int, body: bytes) -> None:
        """Let the call know, however long that takes: a second request would cost more than the wait."""
        pause = 0.25
        while self._answered is not None:
            try:
                await self._answered(one.key, one.request, status, body)
            except StoreUnavailable as error:
                log.warning("answer waits for the store", extra={"call": one.call, "reason": str(error)})
            else:
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, 30.0)

    def _pause(self, one: PlatformRequest) -> float:
        api = self._apis.get(one.key.channel)
        manners = Manners() if api is None else api.manners
        pause = min(manners.first_pause * 2.0 ** min(one.tries - 1, 16), manners.longest_pause)
        return pause * random.random() if manners.spread else pause  # noqa: S311  # no secret

    def _until(self, one: PlatformRequest) -> float:
        return one.made + GIVEN_UP if one.request.until is None else one.request.until

    def _log_sent(self, told: Mapping[str, object]) -> None:
        log.info("platform asked", extra=told)

    def _log_not_sent(self, told: Mapping[str, object], *, dead: bool) -> None:
        if dead:
            log.error("platform request given up", extra=told)
        else:
            log.warning("platform not asked", extra=told)

    def _log_waiting(self, reason: str) -> None:
        log.warning("platform requests wait for the store", extra={"reason": reason})
