"""The phone's way into the network: one request at a time, bounded in size and time, to where the guard lets it."""

import os
import time
from collections.abc import Mapping
from typing import Protocol

import aiohttp
from msgspec import Struct

from ivr.errors import IvrError
from ivr.phone.net.guard import AddressNotAllowed, Guard


class Reply(Struct, frozen=True):
    """What came back."""

    status: int
    body: bytes
    seconds: float
    content_type: str = ""
    "Without parameters, in small letters; empty: none was sent."


class NoReply(IvrError):
    """Nothing came back that could be used.

    `code` is one word: `timeout`, `connect`, `broken`, `too-large`, `encoding`, `address`.
    """

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code

    @property
    def again(self) -> bool:
        """Whether the same message may be sent once more (protocol 14)."""
        return self.code in {"timeout", "connect", "broken"}


class Post(Protocol):
    """Sends requests. `answer_time` is in seconds, for all of it; `most` in bytes of the reply's body."""

    async def send(self, url: str, data: bytes, headers: Mapping[str, str], *, answer_time: float, most: int) -> Reply:
        """POST; raise NoReply."""


class WebPost:
    """`Post` by aiohttp, and the way to audio files. Redirects are not followed, bodies not inflated."""

    def __init__(self, guard: Guard, *, connections: int = 100) -> None:
        self._guard = guard
        # A name is asked for each time: what it led to when it was judged is what is connected to.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=guard, limit=connections, use_dns_cache=False),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent",),
        )

    async def send(self, url: str, data: bytes, headers: Mapping[str, str], *, answer_time: float, most: int) -> Reply:
        """POST; raise NoReply."""
        return await self._request("POST", url, data, headers, answer_time=answer_time, most=most)

    async def ask(
        self, method: str, url: str, data: bytes | None, headers: Mapping[str, str], *, answer_time: float, most: int
    ) -> Reply:
        """Send any request; raise NoReply."""
        return await self._request(method, url, data, headers, answer_time=answer_time, most=most)

    async def fetch(self, url: str, *, answer_time: float, most: int) -> bytes:
        """GET a file; raise NoReply, with `status` for anything but a 200."""
        reply = await self._request("GET", url, None, {}, answer_time=answer_time, most=most)
        if reply.status != 200:
            raise NoReply("status", f"the file's server answered {reply.status}")
        return reply.body

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def _request(
        self, method: str, url: str, data: bytes | None, headers: Mapping[str, str], *, answer_time: float, most: int
    ) -> Reply:
        begun = time.perf_counter()
        try:
            async with self._session.request(
                method,
                self._guard.check(url),
                data=data,
                headers={**headers, "Accept-Encoding": "identity"},
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=answer_time),
            ) as response:
                body = await _body(response, most)
                # aiohttp's own reading names a type where none was sent.
                sent_type = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
                return Reply(response.status, body, time.perf_counter() - begun, sent_type)
        except AddressNotAllowed as error:
            raise NoReply("address", str(error)) from error
        except TimeoutError as error:
            raise NoReply("timeout", f"no answer within {answer_time:g} s") from error
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, AddressNotAllowed):
                raise NoReply("address", str(error.os_error)) from error
            raise NoReply("connect", f"{url} cannot be reached: {_reason(error.os_error)}") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: a name no resolver can be asked for
            raise NoReply("broken", f"the answer broke off: {type(error).__name__}") from error


def _reason(error: OSError) -> str:
    """Return what the system says, where asyncio puts an address. Names that lead nowhere have numbers below 0."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)


async def _body(response: aiohttp.ClientResponse, most: int) -> bytes:
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise NoReply("encoding", "the answer is compressed, but compression was not requested")
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > most:
            raise NoReply("too-large", f"the answer is longer than {most:,} bytes")
    return bytes(body)
