"""The way out: which hosts services may talk to, and at which addresses.

What a flow asks is partly made of what callers say, and a name can lead anywhere: to this machine, to its neighbours,
to a cloud's metadata service (docs/security.md). So a host has to be on the operator's list; its name is resolved here,
each address is judged, and the connection goes to an address that was judged. A name that changes its mind is judged
again each time. No redirect is followed, no proxy is taken from the environment, no cookie is kept, nothing inflated.
"""

import asyncio
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, TypeAlias

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from ivr.allowed_hosts import read_pattern
from ivr.auth.fetch import AddressRefused, may_connect, without_disguise

Network: TypeAlias = IPv4Network | IPv6Network

LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
"This machine."
AT_ONCE = 64
"Connections at the same time."
CONNECT = 10.0
"Seconds to connect, the resolution of the name included."
_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class NotAllowed(Exception):
    """An address to which no request may go; the text says why, for operators, and holds the host at most."""


class Egress:
    """Requests to hosts that are on the list."""

    def __init__(
        self,
        hosts: Iterable[str],
        private: Iterable[Network] = (),
        *,
        names: AbstractResolver | None = None,
        whose: str = "the list IVR_HTTP_HOSTS",
    ) -> None:
        """Take the operator's list, and the networks beside the public internet to which names on it may lead.

        `names` resolves names; None: as this machine does. `whose` list it is, for operators. Raises ValueError for
        what is no list.
        """
        self._whose = whose
        self._hosts = tuple(read_pattern(host) for host in hosts)
        self._private = tuple(private)
        self._names = names or _Names()

    def check(self, url: str) -> URL:
        """Return an address whose host is on the list; raise NotAllowed."""
        try:
            # yarl, since aiohttp connects to what yarl reads: a second parser might read another host.
            parsed = URL(url)
            host, port = (parsed.raw_host or "").lower().rstrip("."), parsed.port
        except ValueError as exc:
            raise NotAllowed("this is no address") from exc
        if not host or port is None or parsed.user is not None or parsed.password is not None:
            raise NotAllowed("this is no address of a web service")
        if parsed.scheme != "https" and not (parsed.scheme == "http" and self._is_this_machine(host)):
            raise NotAllowed("only https is possible, except to this machine")
        written = f"[{host}]" if ":" in host else host
        if not any(pattern.fits(written, port, parsed.scheme) for pattern in self._hosts):
            raise NotAllowed(f"{written}:{port} is not on {self._whose}")
        if _is_number(host) and not self._may_reach(host):
            raise NotAllowed(f"{written} is not on the public internet, and not in IVR_HTTP_PRIVATE")
        return parsed

    def session(self) -> aiohttp.ClientSession:
        """Make a session whose connections go to addresses that were judged; who takes it closes it."""
        guard = _GuardedResolver(self._names, self)
        connector = aiohttp.TCPConnector(resolver=guard, limit=AT_ONCE, use_dns_cache=False)
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT),
        )

    def _is_this_machine(self, host: str) -> bool:
        """Return whether a host is this machine by its name, and this machine may be asked."""
        if not _is_number(host):
            return host == "localhost" and any(self._allows(address) for address in ("127.0.0.1", "::1"))
        return ip_address(host).is_loopback and self._may_reach(host)

    def _may_reach(self, address: str) -> bool:
        return may_connect(address, allow_loopback=False) or self._allows(address)

    def _allows(self, address: str) -> bool:
        ip = without_disguise(ip_address(address))
        return any(ip.version == network.version and ip in network for network in self._private)

    def judged(self, found: list[ResolveResult]) -> list[ResolveResult]:
        """Return those of a name's addresses to which a connection may go."""
        return [one for one in found if self._may_reach(one["host"])]


def _numeric(address: tuple[Any, ...]) -> str:
    """Return a socket's address as text; that of a link with the number of the link, without which it leads nowhere."""
    return f"{address[0]}%{address[3]}" if len(address) == 4 and address[3] else str(address[0])


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


class _Names(AbstractResolver):
    """Asks this machine for addresses, in threads that nothing else uses.

    Whoever has given up waits no more, but the thread does, as long as a name service is silent. A few of them would
    keep all that the event loop's own threads do, such as the voice of every other call.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, "names")  # it starts one when none is free

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        ask = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return [
            ResolveResult(hostname=host, host=_numeric(address), port=port, family=family, proto=proto, flags=_NUMERIC)
            for family, _, proto, _, address in found
        ]

    async def close(self) -> None:
        """Leave the threads: they end with whoever holds them."""


class _GuardedResolver(AbstractResolver):
    """Resolves names, and forgets the addresses where no request may go."""

    def __init__(self, names: AbstractResolver, egress: Egress) -> None:
        self._names = names
        self._egress = egress

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        kept = self._egress.judged(await self._names.resolve(host, port, family))
        if not kept:
            raise AddressRefused(f"{host} has no address to which a request may go")
        return kept

    async def close(self) -> None:
        """Leave the inner resolver open: the code that made it closes it, and the default one holds nothing."""
