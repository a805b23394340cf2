"""Keys as tones in the sound (ITU-T Q.23), for a line without telephone events."""

import math
import sys
from array import array
from typing import Final

from ivr.rtp.telephone_events import KEYS

LOW: Final = (697, 770, 852, 941)
"Hertz of the rows of the keypad."
HIGH: Final = (1209, 1336, 1477, 1633)
"Hertz of its columns."
_PAD: Final = "123A456B789C*0#D"
TONES: Final = {key: (LOW[_PAD.index(key) // 4], HIGH[_PAD.index(key) % 4]) for key in KEYS}
"The two tones of each key."
_RATE: Final = 16_000
_LEVEL: Final = 0.2
"Of full scale, each tone: together some -11 dBm0, within what Q.24 asks receivers to take."
_SHORTEST: Final = 0.06
_LONGEST: Final = 8.0
"Seconds."
_PAUSE: Final = 0.06
"Seconds of silence after a key."


def tone(key: str, seconds: float, *, level: float = _LEVEL) -> bytes:
    """Return the tones of a key and the pause after it: 16 kHz, 16 bit little endian."""
    low, high = (2 * math.pi * frequency / _RATE for frequency in TONES[key])
    times = range(round(min(max(seconds, _SHORTEST), _LONGEST) * _RATE))
    wave = array("h", (round(32767 * level * (math.sin(low * at) + math.sin(high * at))) for at in times))
    if sys.byteorder == "big":
        wave.byteswap()
    return wave.tobytes() + bytes(2 * round(_PAUSE * _RATE))
