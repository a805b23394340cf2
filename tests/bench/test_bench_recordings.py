"""What engines are given is what the benchmark says: bands, noise, and sounds in which nobody speaks."""

import math
import wave
from array import array
from pathlib import Path

import pytest

from bench import speech_sounds
from bench.speech_sounds import sounds
from bench.voices import BANDS, in_band
from ivr.audio.g711 import MU_LAW

RATE = 16_000


def tone(file: Path, *pitches: int) -> Path:
    """Write a second of tones."""
    heights = (sum(math.sin(math.tau * pitch * at / RATE) for pitch in pitches) for at in range(RATE))
    with wave.open(str(file), "wb") as sound:
        sound.setparams((1, 2, RATE, 0, "NONE", ""))
        sound.writeframes(array("h", (round(6000 * height) for height in heights)).tobytes())
    return file


def loudness(samples: "array[int]") -> float:
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples))


def telephone(file: Path) -> "array[int]":
    """Return the samples of a mu-law WAV file."""
    head, _, data = file.read_bytes().partition(b"data")
    assert (head[20], int.from_bytes(head[24:28], "little")) == (7, 8_000)
    return array("h", MU_LAW.linear(data[4:]))


def test_wide_is_sixteen_kilohertz(tmp_path: Path) -> None:
    with wave.open(str(in_band(tone(tmp_path / "tone.wav", 1000), tmp_path, "wide"))) as sound:
        assert (sound.getframerate(), sound.getsampwidth(), sound.getnframes()) == (16_000, 2, 16_000)


def test_a_phone_line_carries_what_lies_between_300_and_3400_hertz(tmp_path: Path) -> None:
    inside = telephone(in_band(tone(tmp_path / "inside.wav", 1000), tmp_path, "phone"))
    outside = telephone(in_band(tone(tmp_path / "outside.wav", 60, 6000), tmp_path, "phone"))
    assert loudness(outside) < loudness(inside) / 20


def test_noise_is_so_much_below_the_voice(tmp_path: Path) -> None:
    source = tone(tmp_path / "tone.wav", 1000)
    clean, noisy = (telephone(in_band(source, tmp_path, band)) for band in ("phone", "phone, noise"))
    noise = array("h", (one - other for one, other in zip(noisy, clean, strict=True)))
    below = 20 * math.log10(loudness(clean) / loudness(noise))
    assert below == pytest.approx(BANDS["phone, noise"].noise, abs=1)


def test_sounds_without_speech_differ_and_have_their_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_sounds, "SECONDS", 0.3)
    files = sounds(tmp_path)
    assert len({file.read_bytes() for file in files.values()}) == len(files)
    for file in files.values():
        with wave.open(str(file)) as sound:
            assert sound.getnframes() == 0.3 * RATE
