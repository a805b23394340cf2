"""What is said on a page: it is not sent to anybody, but kept, and whoever waits for it hears of it, at any server."""

import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import msgspec

from ivr.errors import StoreUnavailable
from ivr.mailbox import Mailbox, mail_id
from ivr.news import News
from ivr.ports import Outbound
from ivr.services.egress import NotAllowed
from ivr.services.platform_api import Download, Manners, PlatformAnswer, PlatformUnreachable


class PageDelivery:
    """`Api` of the pages: a request is an activity, whose conversation gets it. Taken twice, it is there once."""

    manners = Manners(first_pause=0.25, longest_pause=10.0)

    def __init__(self, mailbox: Mailbox, news: News) -> None:
        self._mailbox = mailbox
        self._news = news

    async def send(self, request: Outbound, name: str) -> PlatformAnswer:
        """Keep an activity under its name, the same each time; raise PlatformUnreachable."""
        activity = activity_in(request)
        conversation = str(activity.get("conversation", {}).get("id", ""))
        body = msgspec.json.encode({**activity, "id": mail_id(name)})
        try:
            await self._mailbox.put(name, conversation, body, at=time.time())
        except StoreUnavailable as error:
            raise PlatformUnreachable("unreachable", "it cannot be saved", sent=False) from error
        self._news.tell("mail", conversation)
        return PlatformAnswer(201, b"", None)

    def get(self, address: str) -> AbstractAsyncContextManager[Download]:
        """Raise NotAllowed: nothing is fetched that somebody on a page has named."""
        raise NotAllowed("files of pages are not fetched")

    async def close(self) -> None:
        """Do nothing: there is nothing to let go of."""


def activity_in(request: Outbound) -> Mapping[str, Any]:
    """Return the activity that a request sends, however its body is written."""
    body = msgspec.json.decode(request.body) if isinstance(request.body, str) else request.body
    return body if isinstance(body, Mapping) else {}
