"""SECURITY row "http, prompt fetch, metadata": no address leads this server to itself or to its neighbours."""

import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from ivr.auth.fetch import Fetcher, NotFetched, may_connect
from tests.fakes.identity import Identity


class Names(AbstractResolver):
    """A name server that gives the answers of its choice."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self.addresses
        ]

    async def close(self) -> None:
        pass


async def reason(url: str, fetcher: Fetcher) -> str:
    with pytest.raises(NotFetched) as caught:
        await fetcher.get(url)
    return caught.value.reason


LOOPBACK = ["127.0.0.1", "127.255.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]
INSIDE = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.1.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:db8::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_the_public_internet_may_be_reached(address: str) -> None:
    assert may_connect(address, allow_loopback=False)


@pytest.mark.parametrize("address", LOOPBACK)
def test_this_machine_only_where_it_is_allowed(address: str) -> None:
    assert not may_connect(address, allow_loopback=False)
    assert may_connect(address, allow_loopback=True)


@pytest.mark.parametrize("address", INSIDE)
def test_the_neighbours_never(address: str) -> None:
    assert not may_connect(address, allow_loopback=False)
    assert not may_connect(address, allow_loopback=True)


@pytest.mark.parametrize("address", [*LOOPBACK, *INSIDE])
async def test_a_public_name_that_leads_inside_is_not_followed(identity: Identity, address: str) -> None:
    port = identity.base.rsplit(":", 1)[1]
    assert await reason(f"https://keys.example:{port}/v1/keys", Fetcher(names=Names(address))) == "address"
    assert identity.key_fetches == 0


async def test_a_name_that_leads_to_two_places_is_followed_only_to_the_allowed_one(identity: Identity) -> None:
    names = Names("169.254.169.254", "127.0.0.1")
    port = identity.base.rsplit(":", 1)[1]
    body = await Fetcher(allow_loopback=True, names=names).get(f"http://localhost:{port}/v1/keys")
    assert identity.kid.encode() in body


async def test_the_systems_own_names_are_judged_too(identity: Identity) -> None:
    port = identity.base.rsplit(":", 1)[1]
    assert await reason(f"https://localhost:{port}/v1/keys", Fetcher()) == "address"
    assert identity.kid.encode() in await Fetcher(allow_loopback=True).get(f"http://localhost:{port}/v1/keys")


@pytest.mark.parametrize(
    "url",
    [
        "http://keys.example/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://[::ffff:127.0.0.1]/",
        "https://user@keys.example/",
        "https://user:word@keys.example/",
        "https://keys.example:99999/",
        f"https://{'a' * 70}.example/",
        "https:///keys",
        "keys.example",
        "ftp://keys.example/",
    ],
)
async def test_these_addresses_are_refused(url: str) -> None:
    assert await reason(url, Fetcher()) == "address"


async def test_plain_http_reaches_this_machine_and_nothing_else(identity: Identity) -> None:
    fetcher = Fetcher(allow_loopback=True)
    assert identity.kid.encode() in await fetcher.get(identity.keys_url)
    assert await reason("http://8.8.8.8/", fetcher) == "address"
    assert await reason("http://keys.example/", fetcher) == "address"


async def test_a_server_without_tls_is_refused_as_such(identity: Identity) -> None:
    assert await reason(identity.keys_url.replace("http:", "https:"), Fetcher(allow_loopback=True)) == "tls"


async def test_a_host_that_is_down_and_one_that_hangs_up(identity: Identity) -> None:
    await identity.stop()
    assert await reason(identity.keys_url, Fetcher(allow_loopback=True)) == "connect"
    identity.keys.headers["Content-Length"] = "100000"
    await identity.start()
    identity.keys.body = b"{}"
    assert await reason(identity.keys_url, Fetcher(allow_loopback=True)) == "broken"
