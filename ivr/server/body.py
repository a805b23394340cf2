"""Reading a request's body: never more than allowed, never longer than allowed."""

import asyncio

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from msgspec import Struct

from ivr.errors import WebhookError


class BodyLimits(Struct, frozen=True):
    """How much, and how slowly."""

    json: int = 256 * 1024
    "Bytes of a JSON body, or of the JSON part."
    recording: int = 64 * 1024 * 1024
    "Bytes of a recording."
    stall: float = 10.0
    "Seconds without a byte."
    total: float = 300.0
    "Seconds for the whole body."


def too_large(limit: int) -> WebhookError:
    """Return the error for a body, or a part of it, that is larger than allowed."""
    return WebhookError(413, "too-large", f"The body is larger than the allowed {limit} bytes.")


class Body:
    """The chunks of one body; iterate once."""

    def __init__(self, request: web.BaseRequest, *, limit: int, stall: float, total: float) -> None:
        self._request = request
        self._content = request.content
        self._declared = request.content_length or 0
        self._limit = limit
        self._stall = stall
        self._deadline = asyncio.get_running_loop().time() + total
        self._size = 0

    def __aiter__(self) -> "Body":
        return self

    async def __anext__(self) -> bytes:
        """Return the next bytes; raise WebhookError with 400, 408 or 413."""
        if max(self._declared, self._size) > self._limit:
            raise too_large(self._limit)
        if self._content.at_eof():
            raise StopAsyncIteration
        try:
            chunk = await self._next()
        except (HttpProcessingError, web.RequestPayloadError) as error:
            raise WebhookError(400, "malformed-body", "The chunked encoding of the body is invalid.") from error
        except TimeoutError as error:
            raise WebhookError(408, "stalled", "The body did not arrive in time.") from error
        self._size += len(chunk)
        if self._size > self._limit:
            raise too_large(self._limit)
        return chunk

    async def _next(self) -> bytes:
        """Take what has arrived; only where nothing has is a timer worth its price."""
        now = asyncio.get_running_loop().time()
        if now > self._deadline:
            raise TimeoutError
        if chunk := self._content.read_nowait():
            return chunk
        if self._request.transport is None:
            raise ConnectionResetError("the sender has gone")
        async with asyncio.timeout_at(min(now + self._stall, self._deadline)):
            return await self._content.readany()

    async def whole(self) -> bytes:
        """Return the whole body as one."""
        chunks = [chunk async for chunk in self]
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)
