"""Whether there is any sound in a recording at all. Engines make words up where there is no sound.

A frame has sound if its wave swings over more than a ten-thousandth of full power, whatever it swings around: the zero
of a line that is off, a constant that a cheap converter adds, the last bit as dither, the least step of A-law and the
hiss of a quiet amplifier stay below. Speech lies far above, even where its loudest sound is a hundredth of full scale.
"""

from array import array

from ivr.audio.formats import RATE

SWING = 64
"From the lowest to the highest sample, of 65,536: a peak of -60 dB under full scale."
_FRAME = RATE // 50
"Samples: 20 ms, in which the deepest voice swings once at least."
_ENOUGH = 5
"Frames: a tenth of a second, wherever they are. The shortest word is longer; a click or a constant's edge is shorter."


class Level:
    """Listens to samples until it has heard a sound; then it costs nothing."""

    def __init__(self) -> None:
        self._loud = 0
        self._rest = b""

    @property
    def is_silent(self) -> bool:
        """Whether no sound has come yet."""
        return self._loud < _ENOUGH

    def add(self, samples: bytes) -> None:
        """Take the next samples: `RATE`, mono, 16 bit."""
        if not self.is_silent:
            return
        sound = array("h", self._rest + samples)
        whole = len(sound) - len(sound) % _FRAME
        for start in range(0, whole, _FRAME):
            frame = sound[start : start + _FRAME]
            self._loud += max(frame) - min(frame) > SWING
        self._rest = sound[whole:].tobytes()
