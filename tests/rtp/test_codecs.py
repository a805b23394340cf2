"""Codecs: what goes through one and back sounds the same, and a stranger's payload does no harm."""

import math
from array import array
from functools import cache
from itertools import product
from operator import mul

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ivr.audio import g711
from ivr.rtp.codecs import decoder, opus_units, payload_encoder, payloads, remembered, silent_payload
from ivr.rtp.packet import RtpPacket, encode, parse
from ivr.rtp.sound_format import SOUND_FORMATS
from ivr.rtp.stream import RtpStream
from ivr.sip.media_plan import CodecName
from tests.rtp.streams import CALLER, PLAN, receive_all, recording, stream

CODECS: tuple[CodecName, ...] = ("PCMA", "PCMU", "G722", "opus")
EACH = pytest.mark.parametrize("codec", CODECS)
WIDE: tuple[CodecName, ...] = ("G722", "opus")
TYPES = {"PCMA": 8, "PCMU": 0, "G722": 9, "opus": 96}


@cache
def voice(seconds: float, rate: int = 16_000) -> array:
    """Return a sound with a pitch that rises and words of 0.2 s, so that it is like itself at one place only."""
    return array(
        "h",
        (
            round(
                9_000
                * math.sin(2 * math.pi * (200 + 300 * at / rate) * at / rate)
                * (0.3 + abs(math.sin(at / rate * 15)))
            )
            for at in range(round(seconds * rate))
        ),
    )


def likeness(one: array, other: array) -> float:
    """Return the correlation of two sounds, at the delay (up to 16 ms) at which it is best: 1 is the same."""
    part = one[2_000:4_000]
    strength = sum(map(mul, part, part))

    def at(delay: int) -> float:
        piece = other[2_000 + delay : 4_000 + delay]
        power = math.sqrt(strength * sum(map(mul, piece, piece)))
        return sum(map(mul, part, piece)) / power if power else 0.0

    return max(at(delay) for delay in range(260))


def linear(codec: CodecName, sound: bytes) -> array:
    law = {"PCMA": g711.A_LAW, "PCMU": g711.MU_LAW}.get(codec)
    return array("h", law.linear(sound) if law else sound)


@EACH
def test_sound_goes_through_a_codec_and_back(codec: CodecName) -> None:
    sent = payloads(codec, voice(1.5).tobytes())
    back = decoder(codec)
    heard = linear(codec, b"".join(back.decode(payload) for payload in sent))
    original = voice(1.5, 8_000 if codec in ("PCMA", "PCMU") else 16_000)
    assert likeness(original, heard) > 0.99


@EACH
def test_each_payload_is_20_ms_and_the_last_is_filled_up(codec: CodecName) -> None:
    sent = payloads(codec, voice(0.25).tobytes())
    assert 13 <= len(sent) <= 14
    back = decoder(codec)
    assert {len(back.decode(payload)) for payload in sent} == {SOUND_FORMATS[codec].frame_bytes}
    assert payloads(codec, b"") == ()


@EACH
def test_live_sound_in_pieces_is_the_same_as_in_one(codec: CodecName) -> None:
    samples = voice(0.5).tobytes()
    encoder = payload_encoder(codec)
    pieces = [
        payload for start in range(0, len(samples), 700) for payload in encoder.encode(samples[start : start + 700])
    ]
    assert (*pieces, *encoder.finish()) == payloads(codec, samples)


def test_what_a_telephone_cannot_carry_is_filtered_out_before_it_is_resampled() -> None:
    """6 kHz would be heard as 2 kHz."""
    tone = array("h", (round(9_000 * math.sin(2 * math.pi * 6_000 * at / 16_000)) for at in range(16_000)))
    heard = linear("PCMU", b"".join(payloads("PCMU", tone.tobytes())[5:-5]))
    assert max(map(abs, heard)) < 9_000 / 100


@EACH
def test_silence_is_silent(codec: CodecName) -> None:
    back = decoder(codec)
    heard = linear(codec, b"".join(back.decode(silent_payload(codec)) for _ in range(50)))
    assert max(map(abs, heard)) < 64  # -54 dB of full scale, for a codec that has to make something of it


@EACH
def test_an_empty_payload_and_one_too_long_are_lost_and_the_next_is_heard(codec: CodecName) -> None:
    back = decoder(codec)
    assert back.decode(b"") is None
    assert back.decode(b"\xff" * 9_000) is None
    assert back.decode(silent_payload(codec)) is not None


@pytest.mark.parametrize(
    ("payload", "units"),
    [
        ("", 0), ("48", 960), ("49", 1_920), ("4a", 1_920), ("4b", 0), ("4b03", 2_880), ("4b00", 0), ("4bff", 60_480),
        ("18", 2_880), ("60", 480), ("80", 120), ("f8", 960),
    ],
)  # fmt: skip
def test_the_length_of_opus_is_known_by_its_first_bytes(payload: str, units: int) -> None:
    """RFC 6716 3.1 and 3.2."""
    assert opus_units(bytes.fromhex(payload)) == units


@settings(max_examples=40)
@given(st.lists(st.binary(min_size=1, max_size=200), max_size=8), st.sampled_from(CODECS))
def test_any_payload_is_bounded_sound_or_lost(damaged: list[bytes], codec: CodecName) -> None:
    back = decoder(codec)
    for payload in damaged:
        sound = back.decode(payload)
        assert sound is None or 0 < len(sound) <= 0.2 * SOUND_FORMATS[codec].bytes_a_second
    assert back.decode(silent_payload(codec)) is not None


@settings(max_examples=40)
@given(st.data())
def test_opus_that_was_damaged_on_its_way_does_no_harm(data: st.DataObject) -> None:
    back = decoder("opus")
    for payload in VOICE:
        bits = bytearray(payload)
        for _ in range(data.draw(st.integers(0, 4))):
            bits[data.draw(st.integers(0, len(bits) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        sound = back.decode(bytes(bits[: data.draw(st.integers(0, len(bits)))]))
        assert sound is None or len(sound) % 2 == 0


VOICE = payloads("opus", voice(0.1).tobytes())


@pytest.mark.parametrize("codec", WIDE)
def test_a_whole_call_of_a_wide_codec_is_heard_in_frames_and_in_its_time(codec: CodecName) -> None:
    calling = stream(codec=codec, payload_type=TYPES[codec])
    units = SOUND_FORMATS[codec].frame_units
    sent = payloads(codec, voice(1.5).tobytes())
    datagrams = [
        encode(RtpPacket(TYPES[codec], number, number * units, 7, payload))
        for number, payload in enumerate(sent)
        if number not in (60, 61)
    ]
    heard = receive_all(calling, datagrams)
    assert {len(each.frame) for each in heard} == {640}
    assert len(recording(heard)) == len(sent) * 640
    assert likeness(voice(1.5), array("h", recording(heard))) > 0.98
    assert calling.statistics.lost == 2


@pytest.mark.parametrize("codec", WIDE)
def test_a_damaged_payload_counts_and_is_silence(codec: CodecName) -> None:
    calling = stream(codec=codec, payload_type=TYPES[codec])
    units = SOUND_FORMATS[codec].frame_units
    sent = [*payloads(codec, voice(0.06).tobytes())[:3]]
    sent[1] = b""
    datagrams = [encode(RtpPacket(TYPES[codec], number, number * units, 7, each)) for number, each in enumerate(sent)]
    heard = receive_all(calling, datagrams)
    assert len(recording(heard)) == 3 * 640
    assert recording(heard)[640:1_280] == bytes(640)
    assert calling.statistics.undecodable == 1


@EACH
def test_what_one_stream_sends_another_hears(codec: CodecName) -> None:
    caller = stream(codec=codec, payload_type=TYPES[codec])
    called = stream(codec=codec, payload_type=TYPES[codec])
    caller.queue(payloads(codec, voice(1.5).tobytes()))
    heard = []
    for number in range(75):
        for datagram, _ in caller.tick():
            heard += called.receive(datagram, CALLER, number * 0.02)
    original = voice(1.5, 8_000 if codec in ("PCMA", "PCMU") else 16_000)
    assert likeness(original, linear(codec, recording(heard))) > 0.99


# --- seams: an encoder and the other side's decoder have a state ------------------------------------------------------


def loudest(codec: CodecName, sound: bytes) -> int:
    return max(map(abs, linear(codec, sound)))


@EACH
def test_pieces_of_one_sound_have_no_crack_where_they_meet(codec: CodecName) -> None:
    samples = voice(1.0).tobytes()
    pieces = [samples[start : start + 6_400] for start in range(0, len(samples), 6_400)]  # 0.2 s each
    back, before = decoder(codec), b""
    sound = b""
    for piece in pieces:
        sound += b"".join(back.decode(payload) for payload in payloads(codec, piece, before))
        before = remembered(codec, piece)
    original = voice(1.0, 8_000 if codec in ("PCMA", "PCMU") else 16_000)
    assert likeness(original, linear(codec, sound)) > 0.98
    assert loudest(codec, sound) < 1.15 * max(map(abs, original))


def test_what_is_encoded_by_tables_does_not_depend_on_what_was_before() -> None:
    assert remembered("PCMA", b"\1\2" * 9_000) == b""
    assert len(remembered("G722", b"\1\2" * 9_000)) == 6_400


@pytest.mark.parametrize("codec", WIDE)
def test_a_prompt_that_interrupts_another_has_no_crack_at_its_beginning(codec: CodecName) -> None:
    caller = stream(codec=codec, payload_type=TYPES[codec])
    back = decoder(codec)
    loud = payloads(codec, voice(0.5).tobytes())
    quiet = payloads(codec, array("h", (each // 20 for each in voice(0.5))).tobytes())
    caller.queue(loud)
    for _ in range(12):
        back.decode(packet_of(caller).payload)
    caller.flush()
    caller.queue(quiet)
    after = [back.decode(packet_of(caller).payload) for _ in range(35)]
    assert loudest(codec, b"".join(after[1:])) < 2_500  # the very first still has the end of the loud one
    assert caller.queued == 0


def test_only_g722_needs_silence_between_two_sounds() -> None:
    for codec, silent in (("PCMU", 0), ("opus", 0), ("G722", 5)):
        caller = stream(codec=codec, payload_type=TYPES[codec])
        caller.queue([b"\1" * 160, b"\2" * 160])
        assert packet_of(caller).payload == b"\1" * 160  # at the beginning of a call nothing was before
        caller.flush()
        caller.queue([b"\3" * 160])
        sent = [packet_of(caller).payload for _ in range(8)]
        assert sent.index(b"\3" * 160) == silent


@pytest.mark.parametrize(("before", "after"), [pair for pair in product(CODECS, CODECS) if pair[0] != pair[1]])
def test_another_codec_in_the_middle_of_a_prompt_lets_the_rest_be_heard(before: CodecName, after: CodecName) -> None:
    caller = stream(codec=before, payload_type=TYPES[before])
    caller.queue(payloads(before, voice(1.5).tobytes()))
    for _ in range(20):
        packet_of(caller)
    caller.use(replace(PLAN, codec=after, payload_type=TYPES[after]), 0.4)
    back = decoder(after)
    packets = [packet_of(caller) for _ in range(65)]
    assert caller.queued == 0
    assert {packet.payload_type for packet in packets} == {TYPES[after]}
    settling = 5 if after == "G722" else 0
    heard = linear(after, b"".join(back.decode(packet.payload) for packet in packets)[settling * 640 :])
    narrow = "P" in after
    original = voice(1.5, 8_000 if narrow else 16_000)[3_200 if narrow else 6_400 :]
    assert likeness(original, heard) > 0.9


def packet_of(caller: RtpStream) -> RtpPacket:
    ((datagram, _),) = caller.tick()
    packet = parse(datagram)
    assert packet is not None
    return packet
