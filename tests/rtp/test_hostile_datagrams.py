"""Datagrams by the ten thousand that nobody should send: no exception, no growth, and the call goes on."""

import random
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.rtp.heard import SoundHeard
from ivr.rtp.incoming import STEADY
from ivr.rtp.packet import RtpPacket, encode
from ivr.rtp.rtcp import Goodbye, ReceiverReport, SourceDescription, encode_compound
from ivr.rtp.stream import RtpStream
from ivr.rtp.timeline import SLACK
from tests.rtp.streams import CALLER, STRANGER, frame, recording, sound, stream

SOURCES = [CALLER, STRANGER, ("192.0.2.7", 1), ("::1", 4_000)]
HEADERS = st.builds(
    lambda first, second, rest, body: bytes([first, second]) + rest + body,
    st.sampled_from([0x80, 0x81, 0x8F, 0x90, 0xA0, 0xBF, 0x00, 0xC0]),
    st.sampled_from([0, 0x80, 101, 229, 13, 200, 201, 202, 203, 204, 96, 255]),
    st.binary(min_size=10, max_size=10),
    st.binary(max_size=60),
)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.one_of(st.binary(max_size=60), HEADERS), st.sampled_from(SOURCES), st.floats(0, 0.1))),
    st.sampled_from(["PCMU", "opus", "G722"]),
)
def test_whatever_comes_a_stream_raises_nothing_and_its_sound_has_bounds(
    datagrams: list[tuple[bytes, tuple[str, int], float]], codec: str
) -> None:
    calling, now, heard = stream(codec=codec), 0.0, []
    for datagram, source, later in datagrams:
        now += later
        heard += calling.receive(datagram, source, now)
        calling.receive_rtcp(datagram, source, now)
        heard += calling.heard(now)
        calling.tick()
        calling.reports(now)
    size = 160 if codec == "PCMU" else 640
    assert all(len(each.frame) == size for each in heard if isinstance(each, SoundHeard))
    assert len(recording(heard)) <= (now + SLACK) * 50 * size + size
    assert calling.statistics.sent == len(datagrams)


def damaged(chance: random.Random) -> bytes:
    """Return a datagram that is nearly right."""
    kind = chance.choice((0, 0, 0, 101, 13, 96, 127))
    packet = RtpPacket(
        kind, chance.getrandbits(16), chance.getrandbits(32), chance.choice((1, 2, chance.getrandbits(32))),
        chance.randbytes(chance.choice((0, 4, 160, 160, 1_400))), chance.random() < 0.1,
    )  # fmt: skip
    bits = bytearray(encode(packet))
    if chance.random() < 0.3:
        bits[chance.randrange(min(len(bits), 16))] = chance.getrandbits(8)
    if chance.random() < 0.1:
        report = encode_compound((ReceiverReport(1), SourceDescription(1, "a"), Goodbye(1)))
        bits = bytearray(report[: chance.randrange(len(report))])
    return bytes(bits)


def flood(calling: RtpStream, seed: int, count: int) -> None:
    chance = random.Random(seed)
    for index in range(count):
        calling.receive(damaged(chance), CALLER, index * 0.001)
        if index % 20 == 0:
            calling.heard(index * 0.001)


@pytest.mark.parametrize("seed", range(2))
def test_a_flood_takes_no_memory_and_the_call_goes_on_after_it(seed: int) -> None:
    calling = stream()
    calling.receive(sound(0), CALLER, 0.0)
    flood(calling, seed, 2_000)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    flood(calling, seed + 100, 5_000)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 50_000
    heard = [
        each for number in range(200) for each in calling.receive(sound(number, source=9), CALLER, 60.0 + number * 0.02)
    ]
    assert b"".join(map(frame, range(50, 199))) in recording(heard)


def test_a_flood_from_elsewhere_is_only_counted() -> None:
    calling = stream()
    calling.receive(sound(0), CALLER, 0.0)
    chance = random.Random(1)
    for index in range(2_000):
        assert calling.receive(damaged(chance), STRANGER, index * 0.001) == ()
    assert calling.statistics.foreign == 2_000
    assert calling.last_heard == 0.0


def test_a_new_source_with_each_packet_does_not_make_a_new_decoder_with_each() -> None:
    calling = stream(codec="opus", payload_type=96)
    for index in range(1_000):
        calling.receive(sound(index, b"\x48\x00", kind=96, source=index), CALLER, index * 0.001)
    assert calling.statistics.unexpected >= 1_000 - 1.0 / STEADY - 1
