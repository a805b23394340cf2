"""G.711 against the standard's own numbers, FFmpeg's tables, and the loudness of linear samples."""

import math
from array import array
from typing import Any

import av
import pytest

from ivr.audio.g711 import A_LAW, A_LAW_OF_MU_LAW, MU_LAW, MU_LAW_OF_A_LAW, CompandingLaw
from ivr.media.voice_activity import loudness

BOTH = pytest.mark.parametrize("law", [A_LAW, MU_LAW], ids=lambda law: law.name)
EVERY = bytes(range(256))


def ffmpeg_decodes(codec: str, data: bytes) -> bytes:
    context: Any = av.CodecContext.create(codec, "r")
    context.sample_rate, context.layout = 8000, "mono"
    return b"".join(bytes(frame.planes[0])[: 2 * frame.samples] for frame in context.decode(av.Packet(data)))


@pytest.mark.parametrize(("law", "codec"), [(A_LAW, "pcm_alaw"), (MU_LAW, "pcm_mulaw")])
def test_every_code_is_the_sample_that_ffmpeg_says(law: CompandingLaw, codec: str) -> None:
    assert law.linear(EVERY) == ffmpeg_decodes(codec, EVERY)


def test_silence_is_the_byte_that_telephones_send() -> None:
    assert (A_LAW.silence, MU_LAW.silence) == (b"\xd5", b"\xff")


@pytest.mark.parametrize(
    ("law", "sample", "code"),
    [  # the ends, both sides of zero, and both sides of a segment's border: 31 of 14 bits begins mu-law's second one
        (MU_LAW, 0, 0xFF), (MU_LAW, -1, 0x7F), (MU_LAW, 32767, 0x80), (MU_LAW, -32768, 0x00),
        (MU_LAW, 123, 0xF0), (MU_LAW, 124, 0xEF), (MU_LAW, 1000, 0xCE),
        (A_LAW, 0, 0xD5), (A_LAW, -1, 0x55), (A_LAW, 32767, 0xAA), (A_LAW, -32768, 0x2A),
        (A_LAW, 511, 0xCA), (A_LAW, 512, 0xF5), (A_LAW, 1000, 0xFA),
    ],
)  # fmt: skip
def test_samples_at_the_borders_have_the_codes_of_the_standard(law: CompandingLaw, sample: int, code: int) -> None:
    assert law.compressed(array("h", [sample]).tobytes()) == bytes([code])


@BOTH
def test_a_code_survives_the_way_through_linear_samples(law: CompandingLaw) -> None:
    there_and_back = law.compressed(law.linear(EVERY))
    different = [code for code in EVERY if there_and_back[code] != code]
    assert different in ([], [0x7F])  # mu-law has two zeros


@BOTH
def test_a_sample_is_changed_by_half_a_step_at_most(law: CompandingLaw) -> None:
    samples = array("h", range(-32768, 32768))
    heard = array("h", law.linear(law.compressed(samples.tobytes())))
    assert all(abs(a - b) <= 8 + abs(a) // 32 for a, b in zip(samples, heard, strict=True) if abs(a) < 32_125)


def test_one_law_becomes_the_other_within_a_step() -> None:
    for source, target, table in ((A_LAW, MU_LAW, MU_LAW_OF_A_LAW), (MU_LAW, A_LAW, A_LAW_OF_MU_LAW)):
        samples, heard = array("h", source.linear(EVERY)), array("h", target.linear(EVERY.translate(table)))
        assert all(abs(a - b) <= max(12, abs(a) // 24) for a, b in zip(samples, heard, strict=True))


@BOTH
def test_loudness_is_that_of_the_linear_samples(law: CompandingLaw) -> None:
    wave = array("h", (round(9_000 * math.sin(index / 3)) for index in range(160))).tobytes()
    frame = law.compressed(wave)
    assert law.loudness(frame) == pytest.approx(loudness(law.linear(frame)))
    assert law.loudness(frame) == pytest.approx(loudness(wave), rel=0.02)
    assert law.loudness(law.silence * 160) < 10
    assert law.loudness(b"") == 0.0


@BOTH
def test_an_odd_byte_at_the_end_is_no_sample(law: CompandingLaw) -> None:
    assert law.compressed(b"\0\0\0") == law.silence
