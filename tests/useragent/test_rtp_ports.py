"""Ports for sound: RTP on an even one, RTCP on the next (RFC 3550 section 11)."""

import random
import socket
from contextlib import ExitStack

import pytest

from ivr.useragent.configuration import PortRange
from ivr.useragent.rtp_ports import NoFreePorts, PortPair, RtpPorts


@pytest.fixture
def first() -> int:
    """Return an even port that begins eight free ones."""
    chance = random.Random()
    while True:
        port = chance.randrange(10_000, 30_000, 2)
        with ExitStack() as bound:
            try:
                for number in range(8):
                    bound.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind(
                        ("127.0.0.1", port + number)
                    )
            except OSError:
                continue
        return port


def all_of(ports: RtpPorts) -> list[PortPair]:
    found = []
    try:
        while True:
            found.append(ports.bind("127.0.0.1"))
    except NoFreePorts:
        return found


def close(pairs: list[PortPair]) -> None:
    for pair in pairs:
        pair.close()


def test_every_pair_of_the_range_is_handed_out_once(first: int) -> None:
    pairs = all_of(RtpPorts(PortRange(first, first + 7)))
    try:
        assert {pair.port for pair in pairs} == set(range(first, first + 8, 2))
        assert len(pairs) == len({pair.port for pair in pairs}) == 4
        for pair in pairs:
            assert pair.rtp.getsockname() == ("127.0.0.1", pair.port)
            assert pair.rtcp.getsockname() == ("127.0.0.1", pair.port + 1)
            assert not pair.rtp.getblocking()
    finally:
        close(pairs)


def test_a_pair_of_which_another_has_one_port_is_passed_over(first: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", first + 3))
        pairs = all_of(RtpPorts(PortRange(first, first + 7)))
        close(pairs)
    assert first + 2 not in {pair.port for pair in pairs}


def test_a_port_that_was_given_back_is_free(first: int) -> None:
    ports = RtpPorts(PortRange(first, first + 1))
    ports.bind("127.0.0.1").close()
    ports.bind("127.0.0.1").close()


def test_an_odd_first_port_is_left_out(first: int) -> None:
    pairs = all_of(RtpPorts(PortRange(first + 1, first + 5)))
    close(pairs)
    assert {pair.port for pair in pairs} == {first + 2, first + 4}


def test_the_search_begins_at_a_random_place(first: int) -> None:
    ports = RtpPorts(PortRange(first, first + 7))
    found = set()
    for _ in range(40):
        pair = ports.bind("127.0.0.1")
        found.add(pair.port)
        pair.close()
    assert len(found) > 1


@pytest.mark.parametrize("ports", [PortRange(21341, 21342), PortRange(21350, 21340)])
def test_a_range_without_a_pair_has_none(ports: PortRange) -> None:
    with pytest.raises(NoFreePorts):
        RtpPorts(ports).bind("127.0.0.1")


def test_ipv6(first: int) -> None:
    pair = RtpPorts(PortRange(first, first + 7)).bind("::1")
    assert pair.rtp.getsockname()[:2] == ("::1", pair.port)
    pair.close()


def test_an_address_that_is_not_ours_is_told(first: int) -> None:
    with pytest.raises(OSError, match="assign"):
        RtpPorts(PortRange(first, first + 7)).bind("192.0.2.1")
