"""Where a browser is connected from, for those who count what one person does there."""

from ipaddress import IPv6Address, ip_address
from typing import Final

from aiohttp import web

_LONGEST: Final = 64
"Characters that are read of an address."
_OWN: Final = 64
"Bits of an IPv6 address that are a network; whoever has one chooses all others (RFC 6177, RFC 7421)."


def said_by_proxy(request: web.BaseRequest) -> str:
    """Return what the proxy before this server has added to `X-Forwarded-For`, the last of all its fields; empty: none.

    Some proxies write behind what the browser sent, others add a field of their own below it: what stands before the
    last comma, or in an earlier field, is a stranger's.
    """
    return ",".join(request.headers.getall("X-Forwarded-For", ())).rpartition(",")[2].strip()[:_LONGEST]


def counted_as(address: str) -> str:
    """Return under which name an address is counted: of IPv6 its network, since one person has all the rest of it."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return f"{IPv6Address(int(ip) >> (128 - _OWN) << (128 - _OWN))}/{_OWN}"
