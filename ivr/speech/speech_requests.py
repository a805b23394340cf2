"""Asks a speech service over HTTP: a form with a WAV file goes there, and JSON comes back; or a text, and sound.

A busy or failing service (429, 5xx, no connection) is asked again, for as long as the order's own time lasts; any other
"no" is final. The key goes to the address of the settings alone: redirects are not followed. What the service says to
an error is not repeated, since some repeat the key.
"""

import asyncio
import logging
import os
from codecs import BOM_UTF8
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import BinaryIO, Literal, TypeVar

import aiohttp
import msgspec
from msgspec import Struct

from ivr.errors import SynthesisFailed, TranscriptionFailed, VoiceUnavailable
from ivr.retry_after import retry_after

log = logging.getLogger(__name__)

T = TypeVar("T")

Pause = Callable[[float], Awaitable[None]]


class _Refused(Exception):
    """The service's "no", or none at all."""

    def __init__(self, code: Literal["failed", "timeout"], reason: str, *, for_all: bool = True) -> None:
        """`for_all`: it would say so to anything that is asked of it."""
        super().__init__(reason)
        self.code = code
        self.for_all = for_all


class _TryAgain(Exception):
    """The service may have an answer later; `after` is in seconds, if it says so."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


class RequestLimits(Struct, frozen=True):
    """How much a service is waited for."""

    tries: int
    first_pause: float
    "Seconds; doubled each time."
    longest_pause: float
    "Seconds; a service that wants to be left alone for longer is not asked again."
    seconds: float
    "For one try."
    connect: float
    "Seconds of them."
    reply: int
    "Bytes."


FOR_RECORDINGS = RequestLimits(
    tries=5,
    first_pause=0.5,
    longest_pause=60.0,
    seconds=300.0,  # the longest `transcribeTimeout` of a flow; a shorter one cancels
    connect=10.0,
    reply=4 << 20,  # the words of a quarter of an hour with their times are a tenth of that
)
FOR_PROMPTS = RequestLimits(
    tries=2,  # a caller hears silence for as long
    first_pause=0.2,
    longest_pause=1.0,
    seconds=8.0,
    connect=3.0,
    reply=16 << 20,  # a minute of 48 kHz in stereo
)
Body = Callable[[], AbstractContextManager[aiohttp.FormData | bytes]]
"Makes what is sent, anew for each try."


class _Service:
    """One address, and how it is asked."""

    def __init__(self, url: str, headers: Mapping[str, str], limits: RequestLimits, pause: Pause) -> None:
        self._url = url
        # Bodies are not inflated: a small reply stays small.
        self._headers = {**headers, "Accept-Encoding": "identity"}
        self._limits = limits
        self._pause = pause
        self._time = aiohttp.ClientTimeout(total=limits.seconds, sock_connect=limits.connect)

    async def post(self, body: Body, query: Mapping[str, str] | None = None) -> bytes:
        """Return the reply to a POST; raise _Refused."""
        limits = self._limits
        for attempt in range(1, limits.tries + 1):
            try:
                return await self._once(body, query or {})
            except _TryAgain as again:
                pause = limits.first_pause * 2 ** (attempt - 1) if again.after is None else again.after
                log.warning("speech service is asked again", extra={"reason": str(again), "attempt": attempt})
                if attempt == limits.tries or pause > limits.longest_pause:
                    raise _Refused("failed", f"the speech service answered {again}") from again
            await self._pause(pause)
        raise AssertionError("the last try returns or raises")

    async def _once(self, body: Body, query: Mapping[str, str]) -> bytes:
        try:
            with body() as data:
                async with (
                    aiohttp.ClientSession(auto_decompress=False, timeout=self._time) as session,
                    session.post(
                        self._url, data=data, params=query, headers=self._headers, allow_redirects=False
                    ) as response,
                ):
                    return await _body(response, self._limits.reply)
        except aiohttp.ClientError as error:
            raise _TryAgain(type(error).__name__) from error
        except TimeoutError as error:
            raise _Refused("timeout", "the speech service took too long") from error
        except OSError as error:
            raise _TryAgain(type(error).__name__) from error


class SpeechService:
    """A service that recordings are sent to."""

    def __init__(self, url: str, headers: Mapping[str, str], *, pause: Pause = asyncio.sleep) -> None:
        self._service = _Service(url, {**headers, "Accept": "application/json"}, FOR_RECORDINGS, pause)

    async def ask(
        self, wav: BinaryIO, part: str, fields: Mapping[str, str], query: Mapping[str, str] | None = None
    ) -> bytes:
        """Send the file as `part`, streamed from disk, and give the reply; raise TranscriptionFailed."""
        try:
            return await self._service.post(lambda: _form(wav, part, fields), query)
        except _Refused as refused:
            raise TranscriptionFailed(refused.code, str(refused)) from refused


class VoiceService:
    """A service that speaks texts."""

    def __init__(self, url: str, headers: Mapping[str, str], *, pause: Pause = asyncio.sleep) -> None:
        self._service = _Service(url, {**headers, "Content-Type": "application/json"}, FOR_PROMPTS, pause)

    async def speak(self, order: bytes) -> bytes:
        """Send an order, which is JSON, and return the sound; raise SynthesisFailed."""
        try:
            return await self._service.post(lambda: nullcontext(order))
        except _Refused as refused:
            raise (VoiceUnavailable if refused.for_all else SynthesisFailed)(str(refused)) from refused


@contextmanager
def _form(wav: BinaryIO, part: str, fields: Mapping[str, str]) -> Iterator[aiohttp.FormData]:
    form = aiohttp.FormData()
    # A copy, since aiohttp closes what it has sent.
    with os.fdopen(os.dup(wav.fileno()), "rb") as file:
        file.seek(0)
        form.add_field(part, file, filename="recording.wav", content_type="audio/wav")
        for name, value in fields.items():
            form.add_field(name, value)
        yield form


async def _body(response: aiohttp.ClientResponse, most: int) -> bytes:
    status = response.status
    if status == 429 or status >= 500:
        raise _TryAgain(str(status), retry_after(response.headers))
    if status in {401, 403}:
        raise _Refused("failed", f"the speech service refused the key ({status})")
    if 300 <= status < 400:
        raise _Refused("failed", f"the speech service redirects ({status}); redirects are not followed")
    if status != 200:
        raise _Refused("failed", f"the speech service answered {status}", for_all=status in {404, 405})
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > most:
            raise _Refused("failed", "the speech service's reply is too long", for_all=False)
    return bytes(body)


def read_reply(body: bytes, form: type[T]) -> T:
    """Read what a service said; raise TranscriptionFailed if it is something else."""
    try:
        return msgspec.json.decode(body.removeprefix(BOM_UTF8), type=form)
    except msgspec.DecodeError as error:
        raise TranscriptionFailed("failed", "the speech service's reply is not a transcript") from error
