"""Keys as events (RFC 4733), in both directions, with every packet that a network may lose, swap or repeat."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.rtp.packet import parse
from ivr.rtp.telephone_events import (
    KEYS,
    LONGEST_PART,
    SILENCE,
    KeyEvent,
    KeyReceiver,
    encode_event,
    parse_event,
)
from tests.rtp.streams import CALLER, PLAN, key, keys, receive_all, recording, sound, stream

WIRE = [
    ("050a00a0", KeyEvent(5, False, 160)),
    ("0b8a0640", KeyEvent(11, True, 1_600)),
    ("0a0affff", KeyEvent(10, False, 65_535)),
]


@pytest.mark.parametrize(("wire", "event"), WIRE)
def test_an_event_is_these_bytes(wire: str, event: KeyEvent) -> None:
    assert parse_event(bytes.fromhex(wire)) == event
    assert encode_event(event) == bytes.fromhex(wire)


def test_an_event_may_be_followed_by_more_and_not_by_less() -> None:
    assert parse_event(bytes.fromhex("050a00a0ffff")) == KeyEvent(5, False, 160)
    assert parse_event(bytes.fromhex("050a00")) is None


def pressed(name: str, *, at: int = 1_000, sequence: int = 10, packets: int = 5, source: int = 1) -> list[bytes]:
    """Return the packets of a key as telephones send them: some that grow, and the last one three times."""
    grow = [key(name, 160 * n, at=at, sequence=sequence + n, marker=n == 1, source=source) for n in range(1, packets)]
    last = [key(name, 160 * packets, at=at, sequence=sequence + packets + n, end=True, source=source) for n in range(3)]
    return grow + last


def test_one_event_is_one_key_however_many_packets_it_has() -> None:
    assert keys(receive_all(stream(), pressed("5"))) == "5-"


@pytest.mark.parametrize("name", KEYS)
def test_every_key_has_its_event(name: str) -> None:
    assert keys(receive_all(stream(), pressed(name))) == f"{name}-"


def test_the_key_goes_down_at_its_first_packet_and_up_at_the_first_end() -> None:
    calling, packets = stream(), pressed("7")
    assert keys(calling.receive(packets[0], CALLER, 0.00)) == "7"
    assert keys(calling.receive(packets[1], CALLER, 0.02)) == ""
    assert keys(calling.receive(packets[4], CALLER, 0.08)) == "-"
    assert keys(calling.receive(packets[5], CALLER, 0.10)) == ""


def test_the_same_key_twice_is_two_keys_by_its_timestamps() -> None:
    assert keys(receive_all(stream(), pressed("1") + pressed("1", at=3_000, sequence=40))) == "1-1-"


def test_a_key_whose_end_is_lost_ends_100_ms_after_its_last_packet() -> None:
    calling = stream()
    heard = receive_all(calling, pressed("3")[:3])
    assert keys(heard) == "3"
    assert keys(calling.heard(0.04 + SILENCE - 0.001)) == ""
    assert keys(calling.heard(0.04 + SILENCE)) == "-"
    assert keys(calling.heard(9.0)) == ""


def test_what_comes_of_a_key_after_its_time_is_no_second_key() -> None:
    calling, packets = stream(), pressed("3")
    receive_all(calling, packets[:3])
    calling.heard(0.2)
    assert keys(receive_all(calling, packets[3:], now=0.3)) == ""


def test_the_next_key_ends_the_one_whose_end_is_lost() -> None:
    assert keys(receive_all(stream(), pressed("3")[:2] + pressed("4", at=3_000, sequence=40))) == "3-4-"


def test_the_first_packet_may_be_lost_and_the_marker_missing() -> None:
    assert keys(receive_all(stream(), pressed("9")[1:])) == "9-"
    assert keys(receive_all(stream(), pressed("9")[-1:])) == "9-"


def test_events_over_15_are_no_keys() -> None:
    calling = stream()
    for number in (16, 32, 255):
        flash = key("0", 160, at=number, sequence=number)[:12] + encode_event(KeyEvent(number, True, 160))
        assert keys(calling.receive(flash, CALLER, 0.0)) == ""
    assert calling.statistics.keys == 0


def test_a_late_packet_of_the_key_before_begins_nothing() -> None:
    first, second = pressed("1"), pressed("2", at=3_000, sequence=40)
    assert keys(receive_all(stream(), [*first[:3], *second[:2], first[3], *second[2:]])) == "1-2-"


def test_a_long_key_in_parts_is_one_key() -> None:
    """RFC 4733 2.5.1.3: the next part begins where 65,535 units end, without a marker."""
    parts = [key("8", LONGEST_PART, at=1_000, sequence=1), key("8", 800, at=1_000 + LONGEST_PART, sequence=2)]
    assert keys(receive_all(stream(), parts)) == "8"


def test_a_sender_that_counts_anew_with_each_key_is_understood_after_a_while() -> None:
    calling = stream()
    heard = receive_all(calling, pressed("1"))
    assert keys(heard + receive_all(calling, pressed("1"), now=3.0)) == "1-1-"


def test_keys_take_numbers_of_the_sound_and_leave_silence_in_its_time() -> None:
    packets = [sound(0), *(key("5", 160 * n, at=160, sequence=n, source=0xCAFE0001) for n in (1, 2, 3)), sound(4)]
    calling = stream()
    heard = receive_all(calling, packets)
    assert len(recording(heard)) == 5 * 160
    assert calling.statistics.lost == 0


@settings(max_examples=40)
@given(st.data())
def test_any_order_loss_and_repetition_within_a_key_is_one_key_that_ends(data: st.DataObject) -> None:
    packets = pressed("6", packets=data.draw(st.integers(1, 6)))
    network = data.draw(st.lists(st.sampled_from(packets), min_size=1, max_size=20))
    calling = stream()
    heard = receive_all(calling, network, every=0.01)
    assert keys([*heard, *calling.heard(9.0)]) == "6-"


@settings(max_examples=40)
@given(st.lists(st.tuples(st.binary(max_size=6), st.integers(0, 2**32 - 1), st.integers(0, 2)), max_size=60))
def test_whatever_comes_keys_go_down_and_up_in_turn(packets: list[tuple[bytes, int, int]]) -> None:
    receiver = KeyReceiver()
    heard: list[Any] = []
    for index, (payload, timestamp, source) in enumerate(packets):
        heard += receiver.receive(payload, timestamp, source, index * 0.02)
    heard += receiver.overdue(1_000.0)
    story = keys(heard)
    assert story[1::2].strip("-") == ""
    assert "-" not in story[::2]
    assert len(story) % 2 == 0


# --- keys that are sent -----------------------------------------------------------------------------------------------


def packets_of(calling: Any, ticks: int) -> list[Any]:
    return [parse(datagram) for _ in range(ticks) for datagram, _ in calling.tick()]


def test_a_key_is_sent_with_one_timestamp_a_growing_duration_and_three_ends() -> None:
    calling = stream()
    calling.press("5", 0.1)
    sent = [packet for packet in packets_of(calling, 7) if packet.payload_type == 101]
    events = [parse_event(packet.payload) for packet in sent]
    assert {packet.timestamp for packet in sent} == {2**32 - 160}
    assert [event.duration for event in events] == [160, 320, 480, 640, 800, 800, 800]
    assert [event.ended for event in events] == [False] * 4 + [True] * 3
    assert [packet.marker for packet in sent] == [True] + [False] * 6
    assert [packet.sequence for packet in sent] == [65_534, 65_535, 0, 1, 2, 3, 4]


def test_keys_follow_one_another_with_a_pause_and_then_sound_begins_with_a_marker() -> None:
    calling = stream()
    calling.press("1", 0.06)
    calling.press("2", 0.06)
    sent = packets_of(calling, 16)
    events = [packet for packet in sent if packet.payload_type == 101]
    assert len({packet.timestamp for packet in events}) == 2
    assert len(sent) == 16 - 6  # three left out after each key
    calling.queue([b"\0" * 160])
    (after,) = packets_of(calling, 1)
    assert after.marker
    assert calling.keys_sent == 2


@settings(max_examples=40)
@given(st.text(alphabet=KEYS, min_size=1, max_size=4), st.floats(0.0, 0.4))
def test_what_one_stream_sends_the_other_hears(names: str, seconds: float) -> None:
    caller, called = stream(remote=CALLER), stream(remote=CALLER)
    for name in names:
        caller.press(name, seconds)
    heard, now = [], 0.0
    while len(keys(heard)) < 2 * len(names) and now < 60.0:
        now += 0.02
        for datagram, _ in caller.tick():
            heard += called.receive(datagram, CALLER, now)
        heard += called.heard(now)
    assert keys(heard) == "".join(f"{name}-" for name in names)


def test_a_key_is_no_longer_than_one_part() -> None:
    calling = stream()
    calling.press("5", 60.0)
    durations = [
        parse_event(packet.payload).duration for packet in packets_of(calling, 500) if packet.payload_type == 101
    ]
    assert max(durations) == 65_440
    assert len(durations) == 409 + 2


def test_a_key_of_another_clock_is_measured_by_it() -> None:
    calling = stream(codec="opus", payload_type=96, event_clock=48_000)
    calling.press("5", 0.06)
    durations = [parse_event(packet.payload).duration for packet in packets_of(calling, 3)]
    assert durations == [960, 1_920, 2_880]


def test_there_is_no_other_key() -> None:
    for name in ("E", "", "12", "a"):
        with pytest.raises(ValueError, match="key"):
            stream().press(name)
    assert PLAN.event_type == 101
