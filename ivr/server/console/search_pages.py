"""The addresses at which calls are looked for: a page, and all that fits as a file."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from ivr.call_search import CallSearch, FoundCall, WantedCalls
from ivr.errors import StoreUnavailable, WebhookError
from ivr.server.console.call_filters import CallFilter, position_of
from ivr.server.console.calls_csv import head, rows
from ivr.server.console.flow_names import FlowNames
from ivr.server.console.found_calls import found_page
from ivr.server.console.searching import all_of, page_of
from ivr.server.html import Html
from ivr.server.replies import headers

log = logging.getLogger(__name__)

EXPORTS: Final = 2
"Files that are written at the same time."
TAKEN_WITHIN: Final = 60.0
"Seconds in which a browser has to take a portion of a file."


class SearchPages:
    """Looking calls up."""

    def __init__(
        self,
        search: CallSearch,
        names: FlowNames,
        *,
        channels: Sequence[str],
        now: Callable[[], float],
        development: bool,
    ) -> None:
        self._search = search
        self._names = names
        self._channels = channels
        self._now = now
        self._development = development
        self._exports = 0

    async def page(self, request: web.BaseRequest, flows: Sequence[str]) -> Html:
        """Return one page of what is looked for; `flows` are the names that are offered."""
        query = request.rel_url.query
        wanted, before = CallFilter.of(query), position_of(query)
        found = await page_of(self._search, await wanted.wanted(self._names), before)
        return found_page(
            wanted,
            found,
            [await self._names.of(one.flow) for one in found.calls],
            flows=flows,
            channels=self._channels,
            newest=before is None,
            now=self._now(),
            development=self._development,
        )

    async def export(self, request: web.BaseRequest) -> web.StreamResponse:
        """Send all that is looked for as a file, a portion at a time; raise WebhookError, StoreUnavailable before it.

        Where the store fails in its midst, the connection is cut: a file that looks whole would lie.
        """
        wanted = await CallFilter.of(request.rel_url.query).wanted(self._names)
        if self._exports >= EXPORTS:
            raise WebhookError(429, "too-many-exports", f"{EXPORTS} files are being written. Try again in a minute.")
        name = datetime.fromtimestamp(self._now(), UTC).strftime("calls-%Y%m%d-%H%M%S.csv")
        fields = headers("text/csv; charset=utf-8; header=present",
                         Content_Disposition=f'attachment; filename="{name}"',
                         Cross_Origin_Resource_Policy="same-origin")  # fmt: skip
        if request.method == "HEAD":
            return web.Response(headers=fields)
        self._exports += 1
        try:
            return await self._sent(request, wanted, web.StreamResponse(headers=fields))
        finally:
            self._exports -= 1

    async def _sent(
        self, request: web.BaseRequest, wanted: WantedCalls, response: web.StreamResponse
    ) -> web.StreamResponse:
        async with aclosing(all_of(self._search, wanted)) as portions:
            first = await anext(portions)  # before anything is sent: an error can still be told
            await response.prepare(request)
            try:
                await _write(response, head() + await self._lines(first))
                async for calls in portions:
                    await _write(response, await self._lines(calls))
                await response.write_eof()
            except (StoreUnavailable, TimeoutError) as error:
                log.warning("call list cut off", extra={"reason": str(error) or "it was not taken in time"})
                raise ConnectionAbortedError from error
        return response

    async def _lines(self, calls: Sequence[FoundCall]) -> bytes:
        named = [(one, await self._names.of(one.flow)) for one in calls]
        return await asyncio.to_thread(rows, named)  # some ten milliseconds


async def _write(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(TAKEN_WITHIN):
        await response.write(data)
