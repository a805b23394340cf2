"""The open port: is bound, listens, sweeps silent connections, drains."""

import asyncio
import errno
import socket
from collections.abc import Callable
from ipaddress import ip_address

from aiohttp import web

from ivr.server.app import ALIVE, READY
from ivr.server.guarded_server import ConnectionLimits, GuardedServer, Handler
from ivr.server.refusals import Refusals
from ivr.server.short_way import ShortWay
from ivr.server.ticker import every

DRAIN = 6.0
"Seconds for which requests under way may go on; SIGTERM allows 10 for everything."
CUT = 1.0
"Seconds that aiohttp gives what is left after that, twice."
UNPRIVILEGED, HIGHEST = 8080, 65535
"A port that needs no privileges, and the highest one."


def bind(host: str, port: int, *, loopback_only: bool = False, shared: bool = False) -> socket.socket:
    """Bind an address without listening yet, so that its port is known and no request is accepted too early.

    `shared`: other processes of this user may bind it so, too, and those that listen share what comes. Raises OSError
    if it cannot be had, ValueError if it can be reached from other machines and must not be.
    """
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    # Looked at after resolving: what a name such as localhost means is for the machine to say, not for its spelling.
    if loopback_only and not ip_address(str(address[0]).partition("%")[0]).is_loopback:
        raise ValueError(f"{host} is reachable from other machines")
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock


class Listener:
    """One listening socket with everything that came in by it."""

    def __init__(
        self, server: GuardedServer, runner: web.ServerRunner, sweep: asyncio.Task[None], short: ShortWay | None
    ) -> None:
        self._server = server
        self._runner = runner
        self._sweep = sweep
        self._short = short

    @classmethod
    async def open(
        cls,
        handler: Handler,
        sock: socket.socket,
        *,
        limits: ConnectionLimits,
        now: Callable[[], float],
        sweep: float = 1.0,
        refusals: Refusals | None = None,
        short: ShortWay | None = None,
    ) -> "Listener":
        """Begin to listen on a bound socket, which is ours from now on. `sweep`: seconds between two sweeps.

        `short`: what takes plain requests; None: all of them go to `handler`.
        """
        # Bodies stay as they came (`webhook` refuses compressed ones): 300 KB of gzip can be 300 MB of nothing.
        options = {"auto_decompress": False, "access_log": None, "lingering_time": 2.0}
        server = GuardedServer(
            handler, limits=limits, now=now, always=(ALIVE, READY), refusals=refusals, short=short, **options
        )
        runner = web.ServerRunner(server, shutdown_timeout=CUT)
        await runner.setup()
        await web.SockSite(runner, sock, backlog=limits.lobby).start()

        async def swept() -> None:
            server.sweep()

        return cls(server, runner, asyncio.create_task(every(sweep, swept, name="connections")), short)

    async def adopt(self, sock: socket.socket) -> None:
        """Serve on a connected socket, which is ours from now on, as on one that came in by the port."""
        await asyncio.get_running_loop().connect_accepted_socket(self._server, sock)

    @property
    def busy(self) -> int:
        """How many requests are under way."""
        return self._server.busy

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return self._server.count

    @property
    def short(self) -> int:
        """How many requests were answered on the short way so far."""
        return 0 if self._short is None else self._short.answered

    async def close(self, *, drain: float = DRAIN) -> None:
        """Take no new connection, let requests under way end for so many seconds, then close. Twice does no harm."""
        for site in self._runner.sites:
            await site.stop()
        await self._server.drain(drain)
        await self._runner.cleanup()
        self._sweep.cancel()
        await asyncio.gather(self._sweep, return_exceptions=True)


def port_instead(error: OSError, port: int) -> int | None:
    """Return a port that may be had where this one could not; None: it is not the port that is wrong."""
    if error.errno == errno.EACCES:
        return UNPRIVILEGED
    if error.errno != errno.EADDRINUSE:
        return None
    return port + 1 if port < HIGHEST else port - 1
