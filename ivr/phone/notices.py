"""Notifications of one call: in order, beside the call, to `links.notification` and nowhere else (protocol 12)."""

import asyncio
import contextlib

from ivr.phone.exchange import Exchange, GivenUp
from ivr.phone.reports import Message


class Notices:
    """Posts notifications once a bot has said where to; before that, and without that, they are dropped."""

    def __init__(self, exchange: Exchange) -> None:
        self.url: str | None = None
        self._exchange = exchange
        self._last: asyncio.Task[None] | None = None

    def post(self, message: Message) -> None:
        """Send a notification after those that are on their way; the call does not wait for it."""
        if self.url is not None:
            self._last = asyncio.create_task(self._send(self.url, message, self._last))

    async def sent(self) -> None:
        """Wait until all are sent, or given up."""
        if self._last is not None:
            await self._last

    async def _send(self, url: str, message: Message, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await before
        with contextlib.suppress(GivenUp):  # nothing depends on a notification
            await self._exchange.send(url, message)
