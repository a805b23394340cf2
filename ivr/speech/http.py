"""Asks a speech service over HTTP: a form with a WAV file goes there, JSON comes back.

A busy or failing service (429, 5xx, no connection) is asked again, for as long as the order's own time lasts; any other
"no" is final. The key goes to the address of the settings alone: redirects are not followed. What the service says to
an error is not repeated, since some repeat the key.
"""

import asyncio
import logging
import os
from codecs import BOM_UTF8
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import BinaryIO, TypeVar

import aiohttp
import msgspec

from ivr.errors import TranscriptionFailed

log = logging.getLogger(__name__)

MAX_REPLY = 4 * 1024 * 1024
"Bytes; the words of a quarter of an hour with their times are a tenth of that."
MOST_TRIES = 5
FIRST_PAUSE = 0.5
"Seconds; doubled each time."
LONGEST_PAUSE = 60.0
"Seconds; a service that wants to be left alone for longer does not answer in any caller's time."
TIME = aiohttp.ClientTimeout(total=300.0, sock_connect=10.0)
"The longest `transcribeTimeout` of a flow; a shorter one cancels."

T = TypeVar("T")

Pause = Callable[[float], Awaitable[None]]


class _TryAgain(Exception):
    """The service may have an answer later; `after` is in seconds, if it says so."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


class SpeechService:
    """One address, and how it is asked."""

    def __init__(self, url: str, headers: Mapping[str, str], *, pause: Pause = asyncio.sleep) -> None:
        self._url = url
        # Bodies are not inflated: a small reply stays small.
        self._headers = {**headers, "Accept": "application/json", "Accept-Encoding": "identity"}
        self._pause = pause

    async def ask(
        self, wav: BinaryIO, part: str, fields: Mapping[str, str], query: Mapping[str, str] | None = None
    ) -> bytes:
        """Send the file as `part`, streamed from disk, and give the reply; raise TranscriptionFailed."""
        for attempt in range(1, MOST_TRIES + 1):
            try:
                return await self._once(wav, part, fields, query or {})
            except _TryAgain as again:
                pause = FIRST_PAUSE * 2 ** (attempt - 1) if again.after is None else again.after
                log.warning("speech service is asked again", extra={"reason": str(again), "attempt": attempt})
                if attempt == MOST_TRIES or pause > LONGEST_PAUSE:
                    raise TranscriptionFailed("failed", f"the speech service answered {again}") from again
            await self._pause(pause)
        raise AssertionError("the last try returns or raises")

    async def _once(self, wav: BinaryIO, part: str, fields: Mapping[str, str], query: Mapping[str, str]) -> bytes:
        form = aiohttp.FormData()
        # A copy, since aiohttp closes what it has sent.
        file = os.fdopen(os.dup(wav.fileno()), "rb")
        file.seek(0)
        form.add_field(part, file, filename="recording.wav", content_type="audio/wav")
        for name, value in fields.items():
            form.add_field(name, value)
        try:
            async with (
                aiohttp.ClientSession(auto_decompress=False, timeout=TIME) as session,
                session.post(
                    self._url, data=form, params=query, headers=self._headers, allow_redirects=False
                ) as response,
            ):
                return await _body(response)
        except (aiohttp.ClientError, OSError) as error:
            raise _TryAgain(type(error).__name__) from error
        except TimeoutError as error:
            raise TranscriptionFailed("timeout", "the speech service took too long") from error
        finally:
            file.close()


async def _body(response: aiohttp.ClientResponse) -> bytes:
    status = response.status
    if status == 429 or status >= 500:
        raise _TryAgain(str(status), _retry_after(response.headers))
    if status in {401, 403}:
        raise TranscriptionFailed("failed", f"the speech service refused the key ({status})")
    if 300 <= status < 400:
        raise TranscriptionFailed("failed", f"the speech service redirects ({status}); redirects are not followed")
    if status != 200:
        raise TranscriptionFailed("failed", f"the speech service answered {status}")
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_REPLY:
            raise TranscriptionFailed("failed", "the speech service's reply is too long")
    return bytes(body)


def read_reply(body: bytes, form: type[T]) -> T:
    """Read what a service said; raise TranscriptionFailed if it is something else."""
    try:
        return msgspec.json.decode(body.removeprefix(BOM_UTF8), type=form)
    except msgspec.DecodeError as error:
        raise TranscriptionFailed("failed", "the speech service's reply is not a transcript") from error


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Read `Retry-After` (RFC 9110, 10.2.3): seconds, or a date, which is compared with the reply's own clock."""
    value = headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value[:9])
    try:
        return max(0.0, (parsedate_to_datetime(value) - parsedate_to_datetime(headers["Date"])).total_seconds())
    except (KeyError, ValueError, TypeError, OverflowError):  # one date without a zone, or a zone of a million hours
        return None
