"""Files that look like audio: which of them have a sound, and all of it."""

import struct

import pytest

from ivr.audio.encode import encoded
from ivr.audio.soundness import SILENT, Soundness, soundness_of_wav, soundness_of_wma

WHOLE, CUT = Soundness(has_sound=True), Soundness(has_sound=True, is_whole=False)
SAMPLES = bytes(16000)
WMA = encoded(SAMPLES, "wma")


def wav(samples: bytes, *, told: int | None = None, channels: int = 1, rate: int = 16000, before: bytes = b"") -> bytes:
    """Make a file; `told` is how many bytes of samples it says it has, `before` stands before its chunks."""
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * 2 * channels, 2 * channels, 16)
    length = len(samples) if told is None else told
    body = b"WAVE" + before + b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", length)
    return b"RIFF" + struct.pack("<I", len(body) + len(samples)) + body + samples


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (wav(SAMPLES), WHOLE),
        (encoded(SAMPLES, "wav"), WHOLE),
        (wav(SAMPLES, before=b"LIST\x05\0\0\0INFO!\0"), WHOLE),
        (wav(SAMPLES) + b"LIST\x04\0\0\0INFO", WHOLE),
        (wav(SAMPLES, told=0xFFFFFFFF), WHOLE),  # by a program that wrote to a pipe
        (wav(SAMPLES)[:1000], CUT),
        (wav(SAMPLES, told=len(SAMPLES) + 1), CUT),
        (wav(b""), SILENT),
        (wav(b"", told=0xFFFFFFFF), SILENT),
        (wav(b"x"), SILENT),
        (wav(SAMPLES, told=0), SILENT),
        (wav(SAMPLES, channels=0), SILENT),
        (wav(SAMPLES, rate=0), SILENT),
        *((wav(SAMPLES)[:length], SILENT) for length in (12, 16, 20, 30, 36, 40, 44)),
        (b"RIFF\x24\0\0\0WAVEdata\x04\0\0\0abcd", SILENT),
    ],
)
def test_a_wav_has_a_sound_if_it_has_a_format_and_samples(data: bytes, expected: Soundness) -> None:
    assert soundness_of_wav(data) == expected


def test_a_wma_has_a_sound_if_packets_follow_its_head() -> None:
    (head,) = struct.unpack_from("<Q", WMA, 16)
    assert soundness_of_wma(WMA) == WHOLE
    assert soundness_of_wma(WMA[:-1]) == CUT
    live = WMA[: head + 16] + bytes(8) + WMA[head + 24 :]
    assert soundness_of_wma(live[:-1]) == WHOLE
    for length in (16, 20, 24, head, head + 15, head + 16, head + 50):
        assert soundness_of_wma(WMA[:length]) == SILENT


def test_no_cut_makes_anything_but_an_answer() -> None:
    for length in range(200):
        assert soundness_of_wav(wav(SAMPLES)[:length]).has_sound is (length > 45)
        assert not soundness_of_wma(WMA[:length]).has_sound
