"""A `Post` for load: HTTP/1.1 over connections that are kept, at a fraction of what any server needs for a request.

It reads what servers write: a length, chunks, or neither and no body. Where an address leads is the guard's to say,
once per host. What is not plain http goes the ordinary way.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import cast

from msgspec import Struct

from ivr.phone.net.guard import AddressNotAllowed, Guard
from ivr.phone.net.post import NoReply, Post, Reply

_HEAD_END = b"\r\n\r\n"
_MAX_HEAD = 64 * 1024


class _Endpoint(Struct, frozen=True):
    """What of a URL is needed for each request."""

    host: str
    port: int
    start: bytes
    "The request line, and the name of the host."


class LoadClient:
    """Sends requests; `close` it in the end."""

    def __init__(self, guard: Guard, otherwise: Post) -> None:
        """`otherwise` takes what is not plain http."""
        self._guard = guard
        self._otherwise = otherwise
        self._endpoints: dict[str, _Endpoint | None] = {}
        self._addresses: dict[str, str] = {}
        self._idle: defaultdict[tuple[str, int], list[_Connection]] = defaultdict(list)

    async def send(self, url: str, data: bytes, headers: Mapping[str, str], *, answer_time: float, most: int) -> Reply:
        """POST; raise NoReply."""
        endpoint = self._endpoint(url)
        if endpoint is None:
            return await self._otherwise.send(url, data, headers, answer_time=answer_time, most=most)
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        request = b"%s%sContent-Length: %d\r\n\r\n%s" % (endpoint.start, head.encode("latin-1"), len(data), data)
        begun = time.perf_counter()
        connection, fresh = await self._connection(endpoint)
        try:
            status, body = await connection.ask(request, answer_time, most)
        except NoReply as error:
            if error.code != "broken" or fresh:
                raise
            # A server may close a connection that was idle just when it is used again; nothing was answered yet.
            connection = await self._connect(endpoint)
            status, body = await connection.ask(request, answer_time, most)
        if connection.usable:
            self._idle[endpoint.host, endpoint.port].append(connection)
        return Reply(status, body, time.perf_counter() - begun)

    def close(self) -> None:
        """Close all connections."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    def _endpoint(self, url: str) -> _Endpoint | None:
        if url not in self._endpoints:
            try:
                parsed = self._guard.check(url)
            except AddressNotAllowed as error:
                raise NoReply("address", str(error)) from error
            plain = parsed.scheme == "http"
            start = f"POST {parsed.raw_path_qs} HTTP/1.1\r\nHost: {parsed.raw_authority}\r\n".encode()
            self._endpoints[url] = _Endpoint(parsed.host or "", parsed.port or 80, start) if plain else None
        return self._endpoints[url]

    async def _connection(self, endpoint: _Endpoint) -> "tuple[_Connection, bool]":
        idle = self._idle[endpoint.host, endpoint.port]
        while idle:
            connection = idle.pop()
            if connection.usable:
                return connection, False
        return await self._connect(endpoint), True

    async def _connect(self, endpoint: _Endpoint) -> "_Connection":
        try:
            if endpoint.host not in self._addresses:
                found = await self._guard.resolve(endpoint.host, endpoint.port)
                self._addresses[endpoint.host] = found[0]["host"]
            loop = asyncio.get_running_loop()
            _, connection = await loop.create_connection(_Connection, self._addresses[endpoint.host], endpoint.port)
        except AddressNotAllowed as error:
            raise NoReply("address", str(error)) from error
        except OSError as error:
            raise NoReply("connect", f"{endpoint.host}:{endpoint.port} cannot be reached: {error.strerror}") from error
        return connection


class _Connection(asyncio.Protocol):
    """One connection; one request at a time."""

    def __init__(self) -> None:
        self.usable = False
        self._received = bytearray()
        self._most = 0
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    async def ask(self, request: bytes, answer_time: float, most: int) -> tuple[int, bytes]:
        """Send a request, and give status and body of the answer; raise NoReply."""
        loop = asyncio.get_running_loop()
        self.usable, self._most = False, most
        self._answer = loop.create_future()
        self._received.clear()
        timer = loop.call_later(answer_time, self._fail, NoReply("timeout", f"no answer within {answer_time:g} s"))
        try:
            self._transport.write(request)
            return await self._answer
        finally:
            timer.cancel()
            if not self.usable:
                self._transport.close()

    def close(self) -> None:
        """Close it."""
        self.usable = False
        self._transport.close()

    # --- asyncio ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's class is not below asyncio's

    def data_received(self, data: bytes) -> None:
        """Take a part of an answer."""
        self._received += data
        if len(self._received) > self._most + _MAX_HEAD:
            self._fail(NoReply("too-large", f"the answer is longer than {self._most:,} bytes"))
            return
        try:
            answer = _read(self._received)
        except ValueError:
            self._fail(NoReply("broken", "the answer is not HTTP"))
            return
        if answer is not None and self._answer and not self._answer.done():
            status, body, self.usable = answer
            self._answer.set_result((status, body))

    def connection_lost(self, error: Exception | None) -> None:
        """Notice that the other side has gone."""
        self.usable = False
        self._fail(NoReply("broken", "the connection was closed"))

    def _fail(self, why: NoReply) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(why)


def _read(data: bytearray) -> tuple[int, bytes, bool] | None:
    """Read status, body, and whether the connection stays; None: incomplete; raise ValueError if it is not HTTP."""
    status = 0
    while status < 200:  # "continue", and the like: the answer is still to come
        end = data.find(_HEAD_END)
        if end < 0:
            return None
        head = bytes(data[:end]).lower()
        if not head.startswith(b"http/1."):
            raise ValueError
        status = int(head[9:12])
        begin = end + len(_HEAD_END)
        if status < 200:
            del data[:begin]
    stays = b"\r\nconnection: close" not in head
    if b"\r\ntransfer-encoding: chunked" in head:
        body = _chunks(data, begin)
        return None if body is None else (status, body, stays)
    at = head.find(b"\r\ncontent-length:")
    length = _size(head[at + 17 :].split(b"\r\n", 1)[0], 10) if at >= 0 else 0
    return (status, bytes(data[begin : begin + length]), stays) if len(data) >= begin + length else None


def _chunks(data: bytearray, at: int) -> bytes | None:
    body = bytearray()
    while (line := data.find(b"\r\n", at)) >= 0:
        size = _size(data[at:line].split(b";")[0], 16)
        at = line + 2
        if len(data) < at + size + 2:
            return None
        if size == 0:
            return bytes(body)
        body += data[at : at + size]
        at += size + 2
    return None


def _size(digits: bytes | bytearray, base: int) -> int:
    """Read a number of bytes; raise ValueError. One below nothing would send `_chunks` back, again and again."""
    size = int(digits, base)
    if size < 0:
        raise ValueError
    return size
