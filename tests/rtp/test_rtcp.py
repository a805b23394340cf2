"""Reports (RFC 3550 6): to the byte, both ways, damaged on purpose; loss, jitter and round trip from two streams."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ivr.rtp.packet import RtpPacket, encode
from ivr.rtp.rtcp import (
    Goodbye,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SenderReport,
    SourceDescription,
    encode_compound,
    parse_compound,
)
from tests.rtp.streams import CALLER, PLAN, SOURCE, STRANGER, frame, receive_all, sound, stream

BLOCK = ReportBlock(0xCAFE0001, 0x40, -2, 0x0001FFFE, 17, 0x11112222, 0x8000)
BLOCK_WIRE = "cafe0001 40 fffffe 0001fffe 00000011 11112222 00008000"
WIRE = [
    (f"81c8000c 0a0b0c0d 0000000500000000 000003e8 00000032 00001f40 {BLOCK_WIRE}",
     SenderReport(0x0A0B0C0D, 5 << 32, 1_000, 50, 8_000, (BLOCK,))),
    ("80c90001 0a0b0c0d", ReceiverReport(0x0A0B0C0D)),
    (f"81c90007 0a0b0c0d {BLOCK_WIRE}", ReceiverReport(0x0A0B0C0D, (BLOCK,))),
    ("81ca0004 0a0b0c0d 0108 61626364 65666768 0000", SourceDescription(0x0A0B0C0D, "abcdefgh")),
    ("81ca0002 0a0b0c0d 0101 61 00", SourceDescription(0x0A0B0C0D, "a")),
    ("81cb0001 0a0b0c0d", Goodbye(0x0A0B0C0D)),
]  # fmt: skip
DAMAGED = [
    "80", "80c900", "00c90001 0a0b0c0d", "80c90002 0a0b0c0d",  # cut off, of another version
    "81c90001 0a0b0c0d", "80c80001 0a0b0c0d", "80c90000",  # fewer blocks than said, less than a report
    "81ca0002 0a0b0c0d 01ff6100", "82ca0002 0a0b0c0d 01016100", "81cb0000",
]  # fmt: skip
BLOCKS = st.builds(
    ReportBlock, *([st.integers(0, 2**32 - 1), st.integers(0, 255), st.integers(-(2**23), 2**23 - 1)]),
    *([st.integers(0, 2**32 - 1)] * 4),
)  # fmt: skip
U32 = st.integers(0, 2**32 - 1)
SEVERAL = st.lists(BLOCKS, max_size=3).map(tuple)
PACKETS = st.one_of(
    st.builds(SenderReport, U32, st.integers(0, 2**64 - 1), U32, U32, U32, SEVERAL),
    st.builds(ReceiverReport, U32, SEVERAL),
    st.builds(SourceDescription, U32, st.text(max_size=60)),
    st.builds(Goodbye, U32),
)


@pytest.mark.parametrize(("wire", "packet"), WIRE)
def test_a_report_is_these_bytes(wire: str, packet: RtcpPacket) -> None:
    assert parse_compound(bytes.fromhex(wire)) == (packet,)
    assert encode_compound((packet,)) == bytes.fromhex(wire)


@pytest.mark.parametrize("wire", DAMAGED)
def test_a_damaged_report_is_refused_whole(wire: str) -> None:
    assert parse_compound(bytes.fromhex(wire)) is None
    assert parse_compound(bytes.fromhex("80c90001 0a0b0c0d" + wire)) is None


def test_types_that_are_not_ours_are_skipped_and_padding_is_left_out() -> None:
    application = "80cc0002 0a0b0c0d 61626364"
    padded = "a0c90002 0a0b0c0d 00000004"
    assert parse_compound(bytes.fromhex(application + padded)) == (ReceiverReport(0x0A0B0C0D),)


@settings(max_examples=40)
@given(st.lists(PACKETS, max_size=4).map(tuple))
@example((ReceiverReport(1, (BLOCK,) * 31),))
def test_reports_survive_the_wire(packets: tuple[RtcpPacket, ...]) -> None:
    assert parse_compound(encode_compound(packets)) == packets


@settings(max_examples=40)
@given(st.binary(max_size=200), st.lists(PACKETS, max_size=2).map(tuple), st.integers(0, 300))
def test_any_bytes_are_reports_or_none(rest: bytes, packets: tuple[RtcpPacket, ...], cut: int) -> None:
    parse_compound((encode_compound(packets) + rest)[:cut])


def reports(calling: Any, now: float) -> tuple[RtcpPacket, ...]:
    ((datagram, to),) = calling.reports(now)
    assert to == PLAN.rtcp_remote
    packets = parse_compound(datagram)
    assert packets is not None
    return packets


def test_every_five_seconds_a_report_says_what_was_sent_and_what_came() -> None:
    calling = stream()
    receive_all(calling, [sound(number) for number in range(10) if number not in (3, 4)])
    calling.queue([frame(1)])
    calling.tick()
    assert calling.reports(4.9) == ()
    sender, description = reports(calling, 5.0)
    assert isinstance(sender, SenderReport)
    assert (sender.time, sender.packets, sender.octets) == (5 << 32, 1, 160)
    (block,) = sender.blocks
    assert (block.source, block.lost, block.highest, block.fraction_lost) == (SOURCE, 2, 9, 2 * 256 // 10)
    assert description == SourceDescription(0x0A0B0C0D, "0a0b0c0d")
    assert calling.reports(9.9) == ()
    receiver, _ = reports(calling, 10.0)  # nothing was sent since, and nothing lost
    assert isinstance(receiver, ReceiverReport)
    assert (receiver.blocks[0].lost, receiver.blocks[0].fraction_lost) == (2, 0)


def test_a_process_that_slept_reports_once() -> None:
    calling = stream()
    assert calling.reports(100.0)
    assert calling.reports(100.0) == ()


def test_the_end_of_a_call_says_goodbye() -> None:
    ((datagram, _),) = stream().goodbye(1.0)
    packets = parse_compound(datagram)
    assert packets is not None
    assert packets[-1] == Goodbye(0x0A0B0C0D)


def test_round_trip_and_loss_come_from_the_other_sides_report() -> None:
    calling = stream()
    calling.tick()
    reports(calling, 5.0)
    block = ReportBlock(0x0A0B0C0D, 64, 3, 0, 0, last_report=5 << 16, delay=1 << 15)
    calling.receive_rtcp(encode_compound((ReceiverReport(1, (block,)),)), CALLER, 5.75)
    assert calling.statistics.round_trip == pytest.approx(0.25)
    assert calling.statistics.remote_loss == 0.25
    assert calling.statistics.reports == 1


def test_a_report_that_claims_nonsense_is_no_round_trip_and_one_about_others_is_nothing() -> None:
    calling = stream()
    nonsense = ReportBlock(0x0A0B0C0D, 0, 0, 0, 0, last_report=0x7BADF00D, delay=7)
    others = ReportBlock(0x0A0B0C0E, 255, 0, 0, 0, last_report=1, delay=0)
    calling.receive_rtcp(encode_compound((ReceiverReport(1, (others, nonsense)),)), CALLER, 1.0)
    assert calling.statistics.round_trip is None
    assert calling.statistics.remote_loss == 0.0


def test_our_report_says_how_long_ago_theirs_came() -> None:
    calling = stream()
    calling.receive(sound(1), CALLER, 0.0)
    theirs = SenderReport(SOURCE, 0x0000_1234_5678_0000, 0, 0, 0)
    calling.receive_rtcp(encode_compound((theirs,)), PLAN.rtcp_remote, 4.5)
    (block,) = reports(calling, 5.0)[0].blocks
    assert (block.last_report, block.delay) == (0x1234_5678, 1 << 15)


def test_reports_go_where_reports_come_from_and_beside_the_sound_of_a_translator() -> None:
    calling = stream()
    calling.receive(sound(1), ("198.51.100.1", 6_000), 0.0)
    ((_, to),) = calling.reports(5.0)
    assert to == ("198.51.100.1", 6_001)
    calling.receive_rtcp(encode_compound((ReceiverReport(1),)), ("198.51.100.1", 7_777), 6.0)
    ((_, to),) = calling.reports(10.0)
    assert to == ("198.51.100.1", 7_777)
    calling.use(replace(PLAN, remote=("192.0.2.9", 5_000), rtcp_remote=("192.0.2.9", 5_001)), 11.0)
    ((_, to),) = calling.reports(15.0)
    assert to == ("192.0.2.9", 5_001)


def test_with_one_port_for_both_reports_go_and_come_with_the_sound() -> None:
    calling = stream(rtcp_mux=True)
    calling.receive(sound(1), CALLER, 0.0)
    calling.receive(encode_compound((ReceiverReport(1),)), CALLER, 0.0)
    assert calling.statistics.reports == 1
    ((_, to),) = calling.reports(5.0)
    assert to == CALLER


def test_reports_of_strangers_and_damaged_ones_are_counted() -> None:
    calling = stream()
    calling.receive(sound(1), CALLER, 0.0)
    calling.receive_rtcp(encode_compound((ReceiverReport(1),)), STRANGER, 0.0)
    calling.receive_rtcp(b"\x80\xc9\0\xff", CALLER, 0.0)
    assert (calling.statistics.foreign, calling.statistics.unexpected) == (1, 1)


def test_jitter_is_that_of_the_standard() -> None:
    """RFC 3550 A.8: a sixteenth of each deviation."""
    calling = stream()
    for number, at in enumerate((0.0, 0.02, 0.05, 0.06)):
        calling.receive(sound(number), CALLER, at)
    assert calling.statistics.jitter == pytest.approx((0.01 / 16 * 15 + 0.01) / 16)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 2**16 - 1), min_size=1, max_size=50))
def test_loss_is_never_below_nothing_nor_over_everything(numbers: list[int]) -> None:
    calling = stream()
    for number in numbers:
        calling.receive(encode(RtpPacket(0, number, 0, 1, frame(1))), CALLER, 0.0)
    assert 0.0 <= calling.statistics.loss < 1.0
    assert calling.reports(5.0)
