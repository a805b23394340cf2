"""A listening TCP or TLS socket: connections are counted before anything of them is read, a TLS handshake included."""

import asyncio
import errno
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from ivr.useragent.configuration import ListenAddress, StreamLimits
from ivr.useragent.stream_connection import StreamConnection

BACKLOG = 256
MOST_AT_ONCE = 64
"Connections that are accepted before other work has its turn."
PAUSE = 1.0
"Seconds without accepting, once the process has no file descriptor left."
_OUT_OF_FILES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Places:
    """How many accepted connections there are, in all and for each address."""

    def __init__(self, limits: StreamLimits) -> None:
        self._limits = limits
        self._taken: Counter[str] = Counter()
        self.refused = 0
        "Connections that found no place."

    @property
    def taken(self) -> int:
        """How many there are."""
        return self._taken.total()

    @property
    def full(self) -> bool:
        """Whether there is no place for anybody."""
        return self.taken >= self._limits.most

    def take(self, host: str) -> bool:
        """Take a place; False: there is none."""
        if self.full or self._taken[host] >= self._limits.per_address:
            self.refused += 1
            return False
        self._taken[host] += 1
        return True

    def leave(self, host: str) -> None:
        """Return a place."""
        self._taken[host] -= 1
        if self._taken[host] <= 0:
            del self._taken[host]


class StreamListener:
    """Accepts connections as long as there are places."""

    def __init__(
        self,
        address: ListenAddress,
        places: Places,
        make: Callable[[str], StreamConnection],
        *,
        make_room: Callable[[], None],
        context: ssl.SSLContext | None,
        handshake: float,
    ) -> None:
        """`make_room` is asked to close a connection where all places are taken; raise OSError: no such address."""
        self._places = places
        self._make = make
        self._make_room = make_room
        self._context = context
        self._handshake = handshake
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self.sock = _listening(address)
        self.host, self.port = self.sock.getsockname()[:2]
        self._loop.add_reader(self.sock, self._accept)

    def stop(self) -> None:
        """Accept no more."""
        if self.sock.fileno() >= 0:
            self._loop.remove_reader(self.sock)
            self.sock.close()

    async def close(self) -> None:
        """Accept no more; what is still in its handshake is dropped. Twice does no harm."""
        self.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self) -> None:
        for _ in range(MOST_AT_ONCE):
            try:
                accepted, remote = self.sock.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _OUT_OF_FILES:
                    self._rest()
                    return
                continue  # it is gone again
            if self._places.full:
                self._make_room()
            if self._places.take(remote[0]):
                task = self._loop.create_task(self._begin(accepted, remote[0]))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            else:
                accepted.close()

    def _rest(self) -> None:
        self._loop.remove_reader(self.sock)
        self._loop.call_later(PAUSE, self._go_on)

    def _go_on(self) -> None:
        if self.sock.fileno() >= 0:
            self._loop.add_reader(self.sock, self._accept)

    async def _begin(self, accepted: socket.socket, host: str) -> None:
        """Hand a connection over, after its handshake. From then on its owner gives the place back."""
        accepted.setblocking(False)
        with suppress(OSError):
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = self._make(host)
        handshake = self._handshake if self._context else None
        try:
            await self._loop.connect_accepted_socket(
                lambda: connection, accepted, ssl=self._context, ssl_handshake_timeout=handshake
            )
        except OSError:
            pass  # reset, no handshake in time, or a bad one (ssl.SSLError); the loop has closed it
        finally:
            if not connection.made:
                self._places.leave(host)


def _listening(address: ListenAddress) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((address.host, address.port))
        made.listen(BACKLOG)
    except OSError:
        made.close()
        raise
    return made
