"""Fetches a small document from the web without being led astray.

A metadata document names where its keys are, so that address is text from outside: a forged or broken one must not
make this server talk to the machine it runs on, to its neighbours or to a cloud's metadata service (docs/security.md).
So the address is judged after the name was resolved, and the connection goes to the very address that was judged;
redirects are not followed, bodies are not inflated, and both URLs of a document pass the same gate.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

MAX_BYTES = 256 * 1024
"Both of Microsoft's key documents are under 20 KB."

_IPV6_UNICAST = IPv6Network("2000::/3")
_IPV6_6TO4 = IPv6Network("2002::/16")
_IPV6_NAT64 = IPv6Network("64:ff9b::/96")


class NotFetched(Exception):
    """A document that could not be had; `reason` is one word for the log, never a piece of what was read."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AddressRefused(OSError):
    """A name that leads only to addresses where this server must not go."""


def may_connect(address: str, *, allow_loopback: bool) -> bool:
    """Return whether a numeric address is on the public internet, or on this machine where that is allowed."""
    ip = without_disguise(ip_address(address))
    if ip.is_loopback:
        return allow_loopback
    if ip.version == 6 and (ip not in _IPV6_UNICAST or ip in _IPV6_6TO4):
        return False
    return ip.is_global and not ip.is_multicast


def without_disguise(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Unwrap the IPv4 address that some IPv6 addresses stand for."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _IPV6_NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip


class Fetcher:
    """Gets documents over https; over http too from this machine, where `allow_loopback` says so (tests, `--dev`)."""

    def __init__(self, *, allow_loopback: bool = False, names: AbstractResolver | None = None) -> None:
        self._allow_loopback = allow_loopback
        self._names = names

    def check(self, url: str) -> URL:
        """Check what a URL's text alone can tell; raise NotFetched with `address` if it must not be fetched."""
        try:
            # yarl, since aiohttp connects to what yarl reads: a second parser might read another host.
            parsed = URL(url)
            host = parsed.host
        except ValueError as exc:
            raise NotFetched("address") from exc
        if not host or parsed.user or parsed.password or not self._fits(parsed.scheme, host):
            raise NotFetched("address")
        return parsed

    def _fits(self, scheme: str, host: str) -> bool:
        try:
            ip = ip_address(host)
        except ValueError:
            return scheme == "https" or (scheme == "http" and self._allow_loopback and host == "localhost")
        # The connector does not ask a resolver about numbers, so they are judged here.
        if not may_connect(host, allow_loopback=self._allow_loopback):
            return False
        return scheme == "https" or (scheme == "http" and ip.is_loopback)

    async def get(self, url: str) -> bytes:
        """Return the body of a document; raise NotFetched. The caller sets the deadline."""
        parsed = self.check(url)
        guard = _GuardedResolver(self._names or aiohttp.ThreadedResolver(), allow_loopback=self._allow_loopback)
        # A session a day is cheaper than a session to look after.
        connector = aiohttp.TCPConnector(resolver=guard, force_close=True)
        try:
            async with (
                aiohttp.ClientSession(connector=connector, auto_decompress=False) as session,
                session.get(parsed, allow_redirects=False, headers={"Accept-Encoding": "identity"}) as response,
            ):
                return await _body(response)
        except (aiohttp.ClientError, OSError, ValueError) as exc:
            raise NotFetched(_reason(exc)) from exc


async def _body(response: aiohttp.ClientResponse) -> bytes:
    if 300 <= response.status < 400:
        raise NotFetched("redirect")
    if response.status != 200:
        raise NotFetched(f"status.{response.status}")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise NotFetched("encoding")
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_BYTES:
            raise NotFetched("too-large")
    return bytes(body)


def _reason(exc: Exception) -> str:
    if isinstance(exc, aiohttp.ClientSSLError):
        return "tls"
    if isinstance(exc, aiohttp.ClientConnectorError):
        return "address" if isinstance(exc.os_error, AddressRefused) else "connect"
    if isinstance(exc, ValueError):  # a name that no resolver can be asked for: a label of 70 letters, say
        return "address"
    return "broken"


class _GuardedResolver(AbstractResolver):
    """Resolves names, and forgets the addresses where this server must not go."""

    def __init__(self, names: AbstractResolver, *, allow_loopback: bool) -> None:
        self._names = names
        self._allow_loopback = allow_loopback

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._names.resolve(host, port, family)
        kept = [one for one in found if may_connect(one["host"], allow_loopback=self._allow_loopback)]
        if not kept:
            raise AddressRefused(f"{host} has no address on the public internet")
        return kept

    async def close(self) -> None:
        """Leave the inner resolver open: the code that made it closes it, and the default one holds nothing."""
