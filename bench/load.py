"""The load generator: 64 connections that hold learned calls one after the other, at the cost of a few string joins.

Nothing is parsed that need not be: of a reply, the status, the length, and whether it holds the bytes that the right
reply is known by. So the generator needs a fraction of what any server needs, and does not limit what is measured.
"""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from itertools import count
from typing import cast

from msgspec import Struct

from bench.calls import Exchange

_ids = count(1)


class Load(Struct, frozen=True):
    """What one run of the generator saw."""

    requests: int
    calls: int
    seconds: float
    latencies: list[float]
    "Seconds from the first byte sent to the last byte received, one for each request."

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds

    def percentile(self, share: float) -> float:
        """Return a latency in milliseconds."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Line(asyncio.Protocol):
    """One call after the other: sends the next request as soon as the last one's reply is whole.

    Over one keep-alive connection, or over several in turn, as behind a balancer that sends each message somewhere.
    """

    def __init__(
        self, script: Sequence[Exchange], *, strict: bool, calls: int | None = None, connections: int = 1
    ) -> None:
        self.script = script
        self.strict = strict
        self.left = calls
        self.latencies: list[float] = []
        self.calls = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transports: list[asyncio.Transport] = []
        self._connections = connections
        self._stopping = False
        self._received = b""
        self._step = 0
        self._call = b""

    def stop(self) -> None:
        """End after the reply that is under way."""
        self._stopping = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the first call, once all connections are there."""
        self._transports.append(cast("asyncio.Transport", transport))  # uvloop's class is not below asyncio's
        if len(self._transports) == self._connections:
            self._send()

    def data_received(self, data: bytes) -> None:
        """Take a reply, judge it once it is whole, and go on."""
        self._received = self._received + data if self._received else data
        head = self._received.find(b"\r\n\r\n")
        if head < 0 or len(self._received) < head + 4 + _length(self._received, head):
            return
        reply, self._received = self._received, b""
        self.latencies.append(time.perf_counter() - self._sent)
        if not reply.startswith(b"HTTP/1.1 200 ") or (self.strict and self.script[self._step].known_by not in reply):
            self._fail(f"request {self._step} of a call got a wrong reply: {reply[:600]!r}")
            return
        self._step += 1
        if self._step == len(self.script):
            self._step = 0
            self.calls += 1
        if self._stopping or (self._step == 0 and self.left == self.calls):
            self._finish()
        else:
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        """Notice that the server closed a connection that was still needed."""
        if not self.done.done():
            self._fail(f"the server closed the connection: {error}")

    def _send(self) -> None:
        if self._step == 0:
            self._call = b"%032x" % next(_ids)
        self._sent = time.perf_counter()
        self._transports[self._step % self._connections].write(self._call.join(self.script[self._step].pieces))

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
        self._close()

    def _fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError(why))
        self._close()

    def _close(self) -> None:
        for transport in self._transports:
            transport.close()


def _length(data: bytes, head: int) -> int:
    start = data.find(b"Content-Length: ", 0, head)
    return int(data[start + 16 : data.find(b"\r\n", start)]) if start >= 0 else 0


def _same(line: Line) -> Line:
    return line


async def drive(
    port: int,
    script: Sequence[Exchange],
    *,
    connections: int,
    seconds: float | None = None,
    calls: int | None = None,
    strict: bool = True,
    each: int = 1,
) -> Load:
    """Hold calls over all connections, for some seconds or until each connection has held its share of `calls`.

    `strict` checks each reply against the learned one; a server that only echoes gives other replies. `each`: the
    connections of one line, over which the messages of its calls go in turn.
    """
    loop = asyncio.get_running_loop()
    share = None if calls is None else max(1, calls // connections)
    start = time.perf_counter()
    lines = [Line(script, strict=strict, calls=share, connections=each) for _ in range(connections)]
    for line in lines:
        for _ in range(each):
            await loop.create_connection(partial(_same, line), "127.0.0.1", port)
    if seconds is not None:
        await asyncio.wait([line.done for line in lines], timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for line in lines:
            line.stop()
    await asyncio.gather(*(line.done for line in lines))
    elapsed = time.perf_counter() - start
    latencies = [each for line in lines for each in line.latencies]
    return Load(len(latencies), sum(line.calls for line in lines), elapsed, latencies)
