"""What counts as no sound: everything that machines make of a silent line, and nothing that a person says."""

import math
import os
import random
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.audio.decode import RecordingSamples
from ivr.audio.encode import encoded
from ivr.audio.formats import RATE
from ivr.audio.level import Level
from ivr.engine.commands import RecordingFormat
from tests.audio.test_decode import made

RECORDINGS = Path(__file__).parents[1] / "speech_engines" / "recordings"
SPOKEN = sorted(file for file in RECORDINGS.iterdir() if file.suffix not in {".md", ".txt"})
LENGTH = 2 * RATE
CHANCE = random.Random(5)


def is_silent(samples: "array[int]", pieces: int = 1000) -> bool:
    level = Level()
    for start in range(0, len(samples), pieces):
        level.add(samples[start : start + pieces].tobytes())
    return level.is_silent


def sound(values: Iterator[float]) -> "array[int]":
    return array("h", [round(value) for value in values])


SILENT = {
    "zeros": lambda: array("h", bytes(2 * LENGTH)),
    "nothing": lambda: array("h"),
    "dither": lambda: sound(CHANCE.choice((-1, 0, 1)) for _ in range(LENGTH)),
    "a constant": lambda: sound(1000 for _ in range(LENGTH)),
    "a constant that begins": lambda: sound(0 if at < RATE else 2000 for at in range(LENGTH)),
    "a slow drift": lambda: sound(500 * math.sin(at / RATE) for at in range(LENGTH)),
    "the idle noise of A-law": lambda: sound(CHANCE.choice((-8, 8)) for _ in range(LENGTH)),
    "a faint hiss": lambda: sound(CHANCE.gauss(0, 6) for _ in range(LENGTH)),
    "a faint hum": lambda: sound(25 * math.sin(2 * math.pi * 50 * at / RATE) for at in range(LENGTH)),
    "a click": lambda: sound(20_000 if 8000 <= at < 8020 else 0 for at in range(LENGTH)),
}


@pytest.mark.parametrize("what", SILENT)
@pytest.mark.parametrize("pieces", [1, 160, 1024, LENGTH])
def test_what_machines_make_of_a_silent_line_is_no_sound(what: str, pieces: int) -> None:
    assert is_silent(SILENT[what](), pieces)


@pytest.mark.parametrize("file", SPOKEN, ids=lambda file: file.name)
@pytest.mark.parametrize("decibels", [0, 20, 40])
def test_speech_is_a_sound_however_quiet(file: Path, decibels: int) -> None:
    with file.open("rb") as opened:
        samples = array("h", b"".join(RecordingSamples(os.dup(opened.fileno()), longest=60)))
    quiet = sound(value * 10 ** (-decibels / 20) for value in samples)
    assert not is_silent(quiet)
    assert not is_silent(array("h", bytes(60 * 2 * RATE)) + quiet)  # after a minute of silence


@pytest.mark.parametrize("form", ["wma", "wav", "mp3"])
def test_silence_is_none_the_louder_for_its_codec(form: RecordingFormat, tmp_path: Path) -> None:
    for what in ("zeros", "dither", "a constant", "the idle noise of A-law"):
        file = tmp_path / "silence"
        file.write_bytes(encoded(SILENT[what]().tobytes(), form))
        with file.open("rb") as opened:
            recording = RecordingSamples(os.dup(opened.fileno()), longest=60)
            assert sum(len(piece) for piece in recording)
        assert recording.level.is_silent, what


@pytest.mark.parametrize("codec", ["pcm_mulaw", "pcm_alaw"])
@pytest.mark.parametrize("what", ["zeros", "dither", "a constant"])
def test_nor_for_the_codec_of_its_telephone_line(codec: str, what: str, tmp_path: Path) -> None:
    file = tmp_path / "silence"
    file.write_bytes(made("wav", codec, SILENT[what](), 8000))
    with file.open("rb") as opened:
        recording = RecordingSamples(os.dup(opened.fileno()), longest=60)
        assert sum(len(piece) for piece in recording)
    assert recording.level.is_silent
