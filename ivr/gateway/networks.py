"""Which addresses are of which network: who may call by where the call comes from."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Network: TypeAlias = IPv4Network | IPv6Network
Address: TypeAlias = IPv4Address | IPv6Address

LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
PRIVATE: tuple[Network, ...] = (
    *LOOPBACK,
    ip_network("10.0.0.0/8"),
    ip_network("172.16.0.0/12"),
    ip_network("192.168.0.0/16"),
    ip_network("169.254.0.0/16"),
    ip_network("fc00::/7"),
    ip_network("fe80::/10"),
)
"This machine and private networks (RFC 1918, RFC 3927, RFC 4193, RFC 4291 2.5.6)."


@lru_cache(maxsize=4096)
def address_of(host: str) -> Address:
    """Return the address of a peer; one of IPv4 that is written as IPv6 is one of IPv4. Raise ValueError."""
    address = ip_address(host.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def within(address: Address, networks: tuple[Network, ...]) -> bool:
    """Return whether an address is in one of the networks."""
    return any(address in network for network in networks)


@lru_cache(maxsize=4096)
def sender_of(host: str) -> str:
    """Return the name under which a peer is counted: its address; of IPv6 the 64 bits that one host can choose from."""
    address = address_of(host)
    return str(IPv6Network((int(address) >> 64 << 64, 64))) if isinstance(address, IPv6Address) else str(address)
