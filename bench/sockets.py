"""The floor below every server here: a request is read by llhttp, and gets the same bytes as every other.

What it costs is what sockets, event loop and the parsing of HTTP cost in Python, whatever is done with a request:
`python -m bench.sockets PORT`.
"""

import asyncio
import sys
from typing import cast

import httptools
import uvloop

BODY = b'"%s"' % (b"x" * 598)
REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


class Canned(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read."""
        self._transport = cast("asyncio.Transport", transport)
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Answer a request."""
        self._transport.write(REPLY)


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Canned, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
