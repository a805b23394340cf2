"""Small forms that strangers post: a login, a ticket. They are read within bounds of size, time and number."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qs

from aiohttp import web

from ivr.errors import WebhookError
from ivr.server.body import Body

FORM_BYTES: Final = 1024
FORM_TIME: Final = 2.0
"Seconds for a whole form."
AWAITED: Final = 16
"Forms that are waited for at the same time: a small part of all connections, since none of these gives way."


class SmallForms:
    """Forms of strangers: slow ones must not take the connections that calls need."""

    def __init__(self) -> None:
        self._awaited: dict[asyncio.Timeout, None] = {}
        "The oldest first."

    async def field(self, request: web.BaseRequest, name: str) -> str:
        """Read one field of a small form; raise WebhookError."""
        kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        encoding = request.headers.get("Content-Encoding", "identity").lower()
        if kind != "application/x-www-form-urlencoded" or encoding != "identity":
            raise WebhookError(415, "content-type", "This is not a form.")
        body = await self._body(request)
        try:
            fields: Mapping[str, Sequence[str]] = parse_qs(body.decode("ascii"), max_num_fields=4)
        except ValueError as error:
            raise WebhookError(400, "malformed", "This is not a form.") from error
        return fields.get(name, [""])[0]

    async def _body(self, request: web.BaseRequest) -> bytes:
        """Read a body. One that is there already, as browsers send it, takes no place from those that are awaited."""
        body = Body(request, limit=FORM_BYTES, stall=FORM_TIME, total=FORM_TIME)
        if request.content.is_eof():
            return await body.whole()
        if len(self._awaited) >= AWAITED:
            # Who is slowest gives way: a stranger's slow forms must not keep the operator out.
            oldest = next(iter(self._awaited))
            del self._awaited[oldest]
            oldest.reschedule(0.0)
        place = asyncio.timeout(None)
        try:
            async with place:
                self._awaited[place] = None
                return await body.whole()
        except TimeoutError as error:
            raise WebhookError(429, "too-many-forms", "Too many forms are being sent. Try again.") from error
        finally:
            self._awaited.pop(place, None)
