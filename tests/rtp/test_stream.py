"""One call's stream: what goes, what comes, from whom, and what a re-INVITE changes (the profile on RTP)."""

from typing import Any

import pytest
from msgspec.structs import replace

from ivr.audio.g711 import A_LAW_OF_MU_LAW, MU_LAW_OF_A_LAW
from ivr.rtp.packet import RtpPacket, encode, parse
from ivr.rtp.stream import DEAD
from tests.rtp.streams import (
    CALLER,
    PLAN,
    SILENCE,
    STRANGER,
    frame,
    key,
    keys,
    receive_all,
    recording,
    sound,
    stream,
)


def sent(to: Any) -> RtpPacket:
    ((datagram, _),) = to.tick()
    packet = parse(datagram)
    assert packet is not None
    return packet


# --- what goes ------------------------------------------------------------------------------------------------------


def test_sequence_and_timestamp_go_on_from_where_they_began_and_wrap_around() -> None:
    packets = [sent(calling) for calling in [stream()] for _ in range(4)]
    assert [packet.sequence for packet in packets] == [65_534, 65_535, 0, 1]
    assert [packet.timestamp for packet in packets] == [2**32 - 160, 0, 160, 320]
    assert {(packet.payload_type, packet.source) for packet in packets} == {(0, 0x0A0B0C0D)}


def test_silence_is_sent_too_and_speech_begins_with_a_marker() -> None:
    calling = stream()
    first = sent(calling)
    calling.queue([frame(1), frame(2)])
    packets = [first, *(sent(calling) for _ in range(4))]
    calling.queue([frame(3)])
    packets.append(sent(calling))
    assert [packet.payload for packet in packets] == [SILENCE, frame(1), frame(2), SILENCE, SILENCE, frame(3)]
    assert [packet.marker for packet in packets] == [False, True, False, False, False, True]


def test_what_is_queued_can_be_forgotten() -> None:
    calling = stream()
    calling.queue([frame(1), frame(2)])
    assert calling.queued == 2
    calling.flush()
    assert calling.queued == 0
    assert sent(calling).payload == SILENCE


@pytest.mark.parametrize("direction", ["recvonly", "inactive"])
def test_nothing_is_sent_while_the_other_side_holds_and_the_prompt_goes_on(direction: str) -> None:
    calling = stream()
    sent(calling)
    calling.queue([frame(1), frame(2), frame(3)])
    calling.use(replace(PLAN, direction=direction), 0.1)
    assert [calling.tick(), calling.tick()] == [(), ()]
    calling.use(PLAN, 0.2)
    packet = sent(calling)
    assert (packet.sequence, packet.payload, packet.marker) == (65_535, frame(3), True)
    assert packet.timestamp == 2 * 160  # time went on, numbers did not


# --- where to, and from whom ----------------------------------------------------------------------------------------


def to(calling: Any) -> tuple[str, int]:
    ((_, destination),) = calling.tick()
    return destination


def test_sound_goes_where_the_other_side_says_until_it_comes_from_elsewhere() -> None:
    calling = stream()
    assert to(calling) == CALLER
    calling.receive(sound(1), ("198.51.100.1", 6_000), 0.0)  # behind an address translator
    assert to(calling) == ("198.51.100.1", 6_000)


@pytest.mark.parametrize("nowhere", ["0.0.0.0", "::"])
def test_an_address_on_hold_is_sent_nothing(nowhere: str) -> None:
    """RFC 3264 8.4: what older telephones say of a hold."""
    calling = stream(remote=(nowhere, 4_000), rtcp_remote=(nowhere, 4_001))
    assert calling.tick() == ()
    assert calling.reports(5.0) == ()
    calling.receive(sound(1), CALLER, 5.1)  # it is somewhere, after all
    assert to(calling) == CALLER


def test_the_address_is_latched_and_the_port_may_move() -> None:
    calling = stream()
    calling.receive(sound(1), CALLER, 0.0)
    assert calling.receive(sound(2), (CALLER[0], 4_444), 0.02)
    assert to(calling) == (CALLER[0], 4_444)


def test_keys_from_another_port_count_and_do_not_move_the_sound() -> None:
    calling = stream()
    calling.receive(sound(1), CALLER, 0.0)
    heard = calling.receive(key("5", 160, at=7, sequence=9, source=1), (CALLER[0], 9_999), 0.02)
    assert keys(heard) == "5"
    assert to(calling) == CALLER


def test_a_foreign_address_is_dropped_and_counted() -> None:
    calling = stream()
    calling.receive(sound(1), CALLER, 0.0)
    assert calling.receive(sound(2), STRANGER, 0.02) == ()
    assert calling.statistics.foreign == 1
    assert to(calling) == CALLER


def test_a_stranger_who_was_first_loses_the_call_to_the_address_that_was_named() -> None:
    calling = stream()
    calling.receive(sound(1), STRANGER, 0.0)
    calling.receive(sound(1, source=2), CALLER, 0.02)
    assert to(calling) == CALLER
    assert calling.receive(sound(2), STRANGER, 0.04) == ()


def test_what_is_no_rtp_or_of_another_type_latches_nothing() -> None:
    calling = stream()
    for datagram in (b"", b"\x80", b"\x00" * 20, sound(1, kind=96), sound(1)[:11]):
        assert calling.receive(datagram, STRANGER, 0.0) == ()
    assert calling.statistics.unexpected == 5
    assert to(calling) == CALLER


def test_a_later_offer_with_another_address_begins_anew() -> None:
    calling = stream()
    calling.receive(sound(1), CALLER, 0.0)
    calling.use(replace(PLAN, remote=("198.51.100.1", 6_000)), 0.1)
    assert to(calling) == ("198.51.100.1", 6_000)
    assert calling.plan.remote == ("198.51.100.1", 6_000)
    assert calling.receive(sound(2, source=2), ("198.51.100.1", 6_002), 0.12)


# --- what a re-INVITE changes ---------------------------------------------------------------------------------------


def test_the_other_law_in_mid_call_changes_the_type_and_what_is_queued() -> None:
    calling = stream()
    calling.queue([frame(1), frame(2)])
    calling.use(replace(PLAN, codec="PCMA", payload_type=8), 0.0)
    packet = sent(calling)
    assert (packet.payload_type, packet.payload) == (8, frame(1).translate(A_LAW_OF_MU_LAW))
    calling.use(PLAN, 0.0)  # and back
    assert sent(calling).payload == frame(2).translate(A_LAW_OF_MU_LAW).translate(MU_LAW_OF_A_LAW)
    assert sent(calling).payload == SILENCE


def test_sound_of_another_codec_follows_in_whole_frames() -> None:
    calling = stream()
    heard = receive_all(calling, [sound(0), sound(1, frame(1)[:80])])
    calling.use(replace(PLAN, codec="PCMA", payload_type=8), 0.04)
    heard += receive_all(calling, [sound(2, kind=8)], now=0.04)
    assert recording(heard) == frame(0) + frame(1)[:80] + SILENCE[:80] + frame(2)


def test_sound_is_not_taken_while_none_is_agreed_on() -> None:
    calling = stream(direction="inactive")
    assert calling.receive(sound(1), CALLER, 0.0) == ()
    assert keys(calling.receive(key("1", 160, at=9, sequence=2), CALLER, 0.02)) == "1"


# --- the end ----------------------------------------------------------------------------------------------------------


def test_thirty_seconds_without_a_packet_are_the_end_but_not_on_hold() -> None:
    calling = stream()
    calling.receive(sound(1), CALLER, 5.0)
    assert not calling.is_dead(5.0 + DEAD)
    assert calling.is_dead(5.1 + DEAD)
    calling.use(replace(PLAN, direction="inactive"), 40.0)
    assert not calling.is_dead(4_000.0)
    calling.use(PLAN, 4_000.0)
    assert not calling.is_dead(4_001.0)


def test_header_fields_that_are_not_sound_are_left_out() -> None:
    calling = stream()
    contributors, extension = b"\0\0\0\1" * 2, b"\xbe\xde\0\1abcd"
    datagram = bytes([0x80 | 0x20 | 0x10 | 2]) + sound(0)[1:12] + contributors + extension + frame(0) + b"\0\0\0\4"
    assert recording(calling.receive(datagram, CALLER, 0.0)) == frame(0)


def test_comfort_noise_is_silence_and_takes_a_number() -> None:
    calling = stream()
    noise = encode(RtpPacket(13, 1, 160, 0xCAFE0001, b"\x40"))
    heard = receive_all(calling, [sound(0), noise, sound(2, ahead=0)])
    assert recording(heard) == frame(0) + SILENCE + frame(2)
    assert calling.statistics.lost == 0
