"""Where a phone may connect to: this machine, and the hosts that its user has named.

A bot under test names addresses, of its callback and of audio files, and is not trusted with them: it must not make the
phone talk to its neighbours or to a cloud's metadata service (docs/security.md). The address is judged after the name
was resolved, and the connection goes to the very address that was judged.
"""

import socket
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from ivr.errors import IvrError


class AddressNotAllowed(IvrError, OSError):
    """An address where the phone does not go; the text says how to let it."""


class Guard(AbstractResolver):
    """Judges addresses, and resolves names for aiohttp, leaving out what leads elsewhere."""

    def __init__(self, allowed: Collection[str] = (), *, names: AbstractResolver | None = None) -> None:
        """Allow loopback addresses, and whatever the hosts in `allowed` (names or addresses) lead to."""
        self._allowed = frozenset(host.lower().strip("[]") for host in allowed)
        self._names = names

    def check(self, url: str) -> URL:
        """Judge what the text of an address can tell; raise AddressNotAllowed."""
        try:
            # yarl, since aiohttp connects to what yarl reads: a second parser might read another host.
            parsed = URL(url)
            host = parsed.host
        except ValueError as error:
            raise AddressNotAllowed("not a web address") from error
        if parsed.scheme not in ("http", "https") or not host:
            raise AddressNotAllowed("not an http or https address")
        if parsed.user or parsed.password:
            raise AddressNotAllowed("an address must not contain a password")
        ip = _number(host)
        # The connector does not ask a resolver about numbers, so they are judged here.
        if ip is not None and not self._may(host, ip):
            raise self._refusal(host)
        return parsed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a name that may be connected to; raise AddressNotAllowed if there are none."""
        names = self._names or aiohttp.ThreadedResolver()
        found = await names.resolve(host, port, family)
        kept = [one for one in found if self._may(host, ip_address(one["host"]))]
        if not kept:
            raise self._refusal(host)
        return kept

    async def close(self) -> None:
        """Leave the inner resolver open: the code that made it closes it, and the default one holds nothing."""

    def _may(self, host: str, ip: IPv4Address | IPv6Address) -> bool:
        mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
        return host.lower() in self._allowed or (mapped or ip).is_loopback

    @staticmethod
    def _refusal(host: str) -> AddressNotAllowed:
        return AddressNotAllowed(f"{host} is not this machine. To allow connections to it: --allow {host}")


def _number(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
