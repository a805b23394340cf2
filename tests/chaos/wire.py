"""A network of our own between a server and a database, which can lose every packet, or break off."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.free_ports import free_port

AT_ONCE = 64 * 1024


class Wire:
    """Forwards TCP from its port to another one."""

    def __init__(self, target: int) -> None:
        """`target` is a port of this machine."""
        self.port = free_port()
        self._target = target
        self._up = asyncio.Event()
        self._up.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._pairs: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Take connections."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def stop(self) -> None:
        """Take no more, and break off those that there are."""
        self._server.close()
        self.break_off()
        await asyncio.gather(*self._pairs, return_exceptions=True)

    def go_silent(self) -> None:
        """Let nothing through in either direction, and tell nobody; connections are still taken, and led nowhere."""
        self._up.clear()

    def heal(self) -> None:
        """Let everything through again, also what was held back: a network repeats what it has lost."""
        self._up.set()

    def break_off(self) -> None:
        """Reset all connections; what was on its way is lost."""
        for writer in tuple(self._writers):
            writer.transport.abort()
        for task in self._pairs:
            task.cancel()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection. It is known at once, so that one that comes with the end is broken off, too."""
        self._writers.add(writer)
        task = asyncio.create_task(self._forward(reader, writer))
        self._pairs.add(task)
        task.add_done_callback(self._pairs.discard)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there: asyncio.StreamWriter | None = None
        try:
            await self._up.wait()
            answers, there = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(there)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, there))
                group.create_task(self._pump(answers, writer))
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            for end in (writer, there):
                if end is not None:
                    self._writers.discard(end)
                    end.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(AT_ONCE):
            await self._up.wait()
            sink.write(data)
            await sink.drain()
        raise ConnectionResetError("one side has closed it")


@asynccontextmanager
async def wire_to(target: int) -> AsyncIterator[Wire]:
    """Yield a wire to a port of this machine."""
    wire = Wire(target)
    await wire.start()
    try:
        yield wire
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await wire.stop()
