"""What is done to the samples of a recording before they are recognised."""

import math
import random
from array import array
from collections.abc import Iterator

from pocketsphinx import Vad

from ivr.audio.formats import RATE, WIDTH

_FRAME = 160
"Samples: 10 ms."
_DIGITAL_SILENCE = 1
"Samples of a line that is off are 0, or 1 by rounding; no microphone is that quiet."
_SILENT_SHARE = 0.02
"Share of silent frames that no real line has."
_FLOOR = 30.0
"Decibels under the speech. 25 to 35 do equally well; 20 disturbs the words, 40 is too little on a phone line."
_PERIOD = 16_001
"Samples of noise, repeated; not a whole number of frames, so that no two frames get the same."
_MARGIN = 0.3
"Seconds of rest that are kept around the speech."


def speech_in(samples: bytes, *, pause: float = math.inf) -> list[slice]:
    """Find what is spoken, as slices of the samples, each with a little rest around it; empty: there is no speech.

    A slice ends at a pause of so many seconds: by default there is one, from the first word to the last.
    """
    detector = Vad(sample_rate=RATE)
    size = detector.frame_bytes
    margin = int(_MARGIN * RATE) * WIDTH
    found: list[slice] = []
    for place in range(0, len(samples) - size + 1, size):
        if not detector.is_speech(samples[place : place + size]):
            continue
        start, stop = max(0, place - margin), min(place + size + margin, len(samples))
        if found and start - found[-1].stop < (pause - 2 * _MARGIN) * RATE * WIDTH:
            found[-1] = slice(found[-1].start, stop)
        else:
            found.append(slice(start, stop))
    return found


def with_floor(samples: bytes) -> bytes:
    """Lay faint noise under a recording, which is the same each time: so is the transcript.

    The model was made from real rooms. Exact zeros make it mishear one phrase in five, and it judges sounds against
    the rest of the recording.
    """
    sound = array("h", samples)
    level = _level(sound) * 10 ** (-_FLOOR / 20)
    chance = random.Random(1)  # noqa: S311  # noise, no secret
    noise = [round(chance.gauss(0, level)) for _ in range(_PERIOD)]
    noisy = (sample + noise[place % _PERIOD] for place, sample in enumerate(sound))
    return array("h", [min(max(sample, -32768), 32767) for sample in noisy]).tobytes()


def has_digital_silence(samples: bytes) -> bool:
    """Return whether a good part of a recording is no sound at all."""
    frames = list(_frames(array("h", samples)))
    silent = sum(max(frame) <= _DIGITAL_SILENCE and min(frame) >= -_DIGITAL_SILENCE for frame in frames)
    return silent > _SILENT_SHARE * len(frames)


def with_rest(samples: bytes) -> bytes:
    """Put a moment of rest before and after, which a recording that was cut to its words has not."""
    rest = bytes(int(_MARGIN * RATE) * WIDTH)
    return rest + samples + rest


def _frames(sound: "array[int]") -> Iterator["array[int]"]:
    return (sound[place : place + _FRAME] for place in range(0, len(sound) - _FRAME + 1, _FRAME))


def _level(sound: "array[int]") -> float:
    """Return the loudness (root mean square) of the loudest third."""
    powers = sorted(sum(sample * sample for sample in frame) / _FRAME for frame in _frames(sound))
    loudest = powers[-max(1, len(powers) // 3) :]
    return math.sqrt(sum(loudest) / max(1, len(loudest)))
