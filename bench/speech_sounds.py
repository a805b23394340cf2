"""Sounds in which nobody speaks: whatever an engine writes down for one of them is made up."""

import math
import random
import wave
from array import array
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

RATE = 16_000
SECONDS = 4.0

Wave = Callable[[float], float]
"""The height at a time in seconds, between -1 and 1."""


def sounds(folder: Path) -> Mapping[str, Path]:
    """Write each sound as a WAV file of 16 kHz, by its name."""
    return {name: _write(folder / f"{name.replace(' ', '-')}.wav", wave_) for name, wave_ in _waves().items()}


def _waves() -> Mapping[str, Wave]:
    chance = random.Random(1)
    noise, brown = [chance.gauss(0, 1) for _ in range(int(RATE * SECONDS))], [0.0]
    for step in noise:
        brown.append(0.98 * brown[-1] + 0.2 * step)
    return {
        "silence": lambda _: 0.0,
        "faint noise": lambda time: 0.003 * noise[_at(time)],
        "noise": lambda time: 0.05 * noise[_at(time)],
        "loud noise": lambda time: 0.25 * noise[_at(time)],
        "rumble": lambda time: 0.2 * brown[_at(time)],
        "gusts": lambda time: 0.2 * noise[_at(time)] * max(0.0, math.sin(math.tau * 0.7 * time)),
        "hum": _tones(0.3, 50, 100, 150),
        "dial tone": _tones(0.3, 350, 440),
        "ringing": _switched(_tones(0.3, 440, 480), on=2.0, off=4.0),
        "busy": _switched(_tones(0.3, 480, 620), on=0.5, off=0.5),
        "keys": _switched(_tones(0.5, 770, 1336), on=0.1, off=0.3),
        "clicks": lambda time: 0.8 if _at(time) % 4000 < 8 else 0.0,
        "chords": lambda time: _tones(0.3, *((262, 330, 392) if time % 2 < 1 else (294, 370, 440)))(time),
    }


def _at(time: float) -> int:
    return round(time * RATE)


def _tones(height: float, *pitches: float) -> Wave:
    return lambda time: height * sum(math.sin(math.tau * pitch * time) for pitch in pitches) / len(pitches)


def _switched(wave_: Wave, *, on: float, off: float) -> Wave:
    return lambda time: wave_(time) if time % (on + off) < on else 0.0


def _write(file: Path, wave_: Wave) -> Path:
    heights: Iterable[float] = (wave_(number / RATE) for number in range(int(RATE * SECONDS)))
    samples = array("h", (round(32767 * max(-1.0, min(1.0, height))) for height in heights))
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(samples.tobytes())
    return file
