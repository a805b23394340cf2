"""The service `fetch`: brings a recording that a platform keeps at an address of its own.

The host has to be the API's own or on the channel's list, over https (http on this machine alone, where the API is
there); a redirect is followed to such a host and no further. A carrier tells of a recording before it can be had, so
404 is asked again for as long as the order runs. What comes is bounded in size, and written to the disk as it comes.
It is a file that would survive a power cut before anybody is told its name, small as it may be: the answer names it,
and the turn that takes the answer. A run that is cut off leaves a file that nothing names, which the sweep deletes.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from http import HTTPStatus

from ivr.audio.length import seconds_of
from ivr.engine.events import RecordingReady
from ivr.errors import StoreUnavailable
from ivr.media_storage import MediaStore, NewMedia
from ivr.services.egress import NotAllowed
from ivr.services.platform_api import Api, Download, PlatformUnreachable
from ivr.services.service import ServiceError
from ivr.storage import Order

log = logging.getLogger(__name__)

PAUSES: Sequence[float] = (0.5, 1.0, 2.0, 4.0, 8.0)
"Seconds before each further try; the last one repeats."
REDIRECTS = 3
"That are followed."
_NOT_YET = frozenset(
    {HTTPStatus.NOT_FOUND, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
_MOVED = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.SEE_OTHER,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)
_NO_AUDIO = ("text/", "application/json", "application/xml", "application/xhtml", "application/problem", "multipart/")
"What an error page is; anything else may be audio, and only a decoder can tell."


class _NotYet(Exception):
    """It may be there at another time; `pause`: seconds for which the platform wants not to be asked."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


class RecordingFetch:
    """Fetches recordings."""

    def __init__(
        self,
        apis: Mapping[str, Api],
        recordings: MediaStore,
        *,
        largest: int,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`apis` are the platforms' by the channel's name; `largest`: bytes of a recording."""
        self._pause = pause
        self._apis = apis
        self._recordings = recordings
        self._largest = largest

    async def run(self, order: Order) -> RecordingReady:
        """Fetch, and try again for as long as the order allows; raise ServiceError if it cannot be had."""
        api = self._apis.get(order.key.channel)
        if api is None:
            log.warning("recording not fetched", extra={"call": order.call, "reason": "the platform's API is not set"})
            raise ServiceError("failed")
        tried = 0
        while True:
            try:
                return await self._fetched(api, str(order.request.arguments["address"]), order.request.job)
            except _NotYet as error:
                pause = max(PAUSES[min(tried, len(PAUSES) - 1)], error.pause or 0.0)
                log.info("recording is not there yet", extra={"call": order.call, "reason": str(error)})
            except NotAllowed as error:
                log.warning("recording not fetched", extra={"call": order.call, "reason": str(error)})
                raise ServiceError("failed") from error
            tried += 1
            await self._pause(pause)

    async def _fetched(self, api: Api, address: str, job: str) -> RecordingReady:
        """Fetch once; raise _NotYet, NotAllowed or ServiceError."""
        for _ in range(REDIRECTS + 1):
            try:
                async with api.get(address) as answer:
                    if answer.status in _MOVED:
                        address = answer.location
                        continue
                    _judge(answer)
                    return await self._kept(answer, job)
            except PlatformUnreachable as error:
                raise _NotYet(str(error)) from error
        raise NotAllowed("too many redirects")

    async def _kept(self, answer: Download, job: str) -> RecordingReady:
        file = self._recordings.new(answer.content_type)
        try:
            await self._read(answer, file)
            await file.keep_as_file()
        except StoreUnavailable as error:
            await file.drop()
            raise _NotYet("it cannot be kept") from error
        except BaseException:
            await file.drop()
            raise
        return RecordingReady(job, file.media, seconds_of(file.head, file.size) or 0.0)

    async def _read(self, answer: Download, file: NewMedia) -> None:
        if answer.length is not None and answer.length > self._largest:
            answer.abandon()
            raise ServiceError("recording")
        async with aclosing(answer.chunks()) as chunks:
            async for chunk in chunks:
                file.add(chunk)
                if file.size > self._largest:
                    answer.abandon()
                    raise ServiceError("recording")
                await file.flush()
        if not file.size or (answer.length is not None and file.size != answer.length):
            raise _NotYet("it is not whole")


def _judge(answer: Download) -> None:
    """Raise unless a recording comes."""
    status = answer.status
    if status in _NOT_YET or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _NotYet(f"the platform answered {status}", answer.pause)
    if status != HTTPStatus.OK:
        raise NotAllowed(f"the platform answered {status}")
    if answer.packed:
        raise NotAllowed("the recording is packed, and is not inflated")
    if answer.content_type.startswith(_NO_AUDIO):
        raise NotAllowed("the platform answered with something that is no recording")
