"""RTP packets to the byte (RFC 3550 5.1), read both ways, then damaged on purpose."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.rtp.packet import RtpPacket, encode, parse

HEADER = "1234 89abcdef cafe0001"
WIRE = [
    (f"8000 {HEADER} ffd5", RtpPacket(0, 0x1234, 0x89ABCDEF, 0xCAFE0001, b"\xff\xd5")),
    (f"8088 {HEADER}", RtpPacket(8, 0x1234, 0x89ABCDEF, 0xCAFE0001, b"", marker=True)),
    (f"80e5 {HEADER} 05 0a 00a0", RtpPacket(101, 0x1234, 0x89ABCDEF, 0xCAFE0001, b"\5\x0a\0\xa0", marker=True)),
]
LONGER = [
    (f"8200 {HEADER} 00000001 00000002 ffd5", "ffd5"),  # two contributing sources
    (f"9000 {HEADER} bede 0001 aabbccdd ffd5", "ffd5"),  # an extension of one word
    (f"9000 {HEADER} bede 0000 ffd5", "ffd5"),  # and of none
    (f"a000 {HEADER} ffd5 0002", "ffd5"),  # padding counts itself
    (f"a000 {HEADER} 01", ""),
    (f"b100 {HEADER} 00000001 bede 0001 aabbccdd ffd5 000003", "ffd5"),
]
NONE = [
    "", "80", f"8000 {HEADER}"[:-2],
    f"4000 {HEADER} ff", f"0000 {HEADER} ff", f"c000 {HEADER} ff",  # other versions
    f"8200 {HEADER} 00000001 0000",  # a source is cut off
    f"9000 {HEADER} bede", f"9000 {HEADER} bede 0002 aabbccdd",  # so is an extension
    f"a000 {HEADER}", f"a000 {HEADER} ff00", f"a000 {HEADER} ff04",  # padding of none, and of more than there is
]  # fmt: skip


@pytest.mark.parametrize(("wire", "packet"), WIRE)
def test_a_packet_is_these_bytes(wire: str, packet: RtpPacket) -> None:
    assert parse(bytes.fromhex(wire)) == packet
    assert encode(packet) == bytes.fromhex(wire)


@pytest.mark.parametrize(("wire", "payload"), LONGER)
def test_sources_extension_and_padding_are_no_payload(wire: str, payload: str) -> None:
    packet = parse(bytes.fromhex(wire))
    assert packet is not None
    assert packet.payload == bytes.fromhex(payload)


@pytest.mark.parametrize("wire", NONE)
def test_what_is_cut_off_or_of_another_version_is_no_packet(wire: str) -> None:
    assert parse(bytes.fromhex(wire)) is None


@settings(max_examples=40)
@given(st.binary(max_size=80))
def test_any_bytes_are_a_packet_or_none(datagram: bytes) -> None:
    packet = parse(datagram)
    assert packet is None or len(packet.payload) <= len(datagram) - 12


@settings(max_examples=40)
@given(
    st.builds(
        RtpPacket,
        st.integers(0, 127), st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1),
        st.binary(max_size=200), st.booleans(),
    )
)  # fmt: skip
def test_a_packet_survives_the_wire(packet: RtpPacket) -> None:
    assert parse(encode(packet)) == packet
