"""`POST /calls` and `GET /calls/ID`: where calls are ordered, and what became of them.

Without a token in the settings there is nothing at these addresses. Nothing of an order is repeated in an answer or a
log: whom it is about is told to nobody but the store.
"""

import logging
import re
from collections.abc import Mapping
from typing import Final

import msgspec
from aiohttp import web

from ivr.bearer_token import is_borne
from ivr.call_record import CallRecord
from ivr.errors import WebhookError
from ivr.server.body import Body
from ivr.server.placing import CallOrder, Placing
from ivr.server.replies import json_reply, not_found

log = logging.getLogger(__name__)

ROOT: Final = "/calls"
MAX_ORDER: Final = 16 * 1024
"Bytes of an order."
_STALL, _TOTAL = 5.0, 15.0
"Seconds."
_KEY = re.compile(r"[!-~]{8,128}", re.ASCII)
"An Idempotency-Key: visible characters."
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_ORDER = msgspec.json.Decoder(CallOrder)


class CallOrderPages:
    """`Pages` of orders."""

    def __init__(self, placing: Placing, token: str) -> None:
        self._placing = placing
        self._token = token.encode()

    @staticmethod
    def owns(path: str) -> bool:
        """Return whether an address is about orders."""
        return path == ROOT or path.startswith(f"{ROOT}/")

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; raise WebhookError."""
        self._require_token(request)
        path = request.rel_url.path
        if path == ROOT:
            if request.method != "POST":
                raise WebhookError(405, "method", "Calls are ordered by POST.")
            return await self._ordered(request)
        call = path.removeprefix(f"{ROOT}/")
        if request.method not in {"GET", "HEAD"}:
            raise WebhookError(405, "method", "A call is looked at by GET.")
        record = await self._placing.find(call) if _ID.fullmatch(call) else None
        if record is None:
            raise not_found()
        return json_reply(state_of(record))

    def _require_token(self, request: web.BaseRequest) -> None:
        if not is_borne(request.headers.getall("Authorization", ()), self._token):
            raise WebhookError(401, "token", "A token is needed here.")

    async def _ordered(self, request: web.BaseRequest) -> web.Response:
        key = ", ".join(request.headers.getall("Idempotency-Key", ()))  # of two keys none counts: a space is in it
        if not _KEY.fullmatch(key):
            raise WebhookError(400, "idempotency-key", "Send an Idempotency-Key of 8 to 128 visible characters.")
        if request.content_type != "application/json" or "Content-Encoding" in request.headers:
            raise WebhookError(415, "content-type", "An order is application/json, as it is.")
        body = await Body(request, limit=MAX_ORDER, stall=_STALL, total=_TOTAL).whole()
        record = await self._placing.place(_order(body), key)
        log.info("call ordered", extra={"call": record.id, "channel": record.key.channel})
        return json_reply(state_of(record), status=202)


def _order(body: bytes) -> CallOrder:
    try:
        return _ORDER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # The decoder's sentence may repeat a value; the place that it names is made of our own words.
        place = re.search(r" - at `([^`]*)`$", str(error))
        where = f" at {place[1]}" if place else ""
        raise WebhookError(400, "order", f"The body is no order of a call{where}; docs/calls.md shows one.") from error


def state_of(record: CallRecord) -> Mapping[str, object]:
    """Return what whoever ordered a call is told of it."""
    facts, phase = record.call.facts, record.call.phase
    over = phase == "over"
    state = "over" if over else "answered" if facts.answered else "ringing" if facts.rung else "placed"
    return {
        "id": record.id,
        "state": state,
        "outcome": record.call.outcome if over else None,
        "answeredBy": facts.answered_by,
    }
