"""Sound in its own time: what is missing becomes silence, so that a recording is as long as what it records.

Two clocks say what is missing. The sender's timestamps do so exactly, but only once it sends again, and a telephone may
be quiet for minutes (RFC 3389). So silence also comes by our own clock, a little later (`LAG`), and what came by it is
not filled in again by timestamps.

A timestamp is a stranger's. It fills in no more than the time that has passed by our clock, with `GAP_SLACK`; then our
clock counts. Sound that was only slow is kept, until it is ahead of our clock by `SLACK`: more is dropped.
"""

from collections.abc import Sequence
from typing import Final

from ivr.rtp.arithmetic import TIMESTAMPS, units_between
from ivr.rtp.sound_format import SoundFormat

LAG: Final = 0.2
"Seconds without sound after which silence comes by our own clock."
GAP_SLACK: Final = 0.5
"Seconds by which silence that fills a gap may be ahead of our clock."
SLACK: Final = 2.0
"Seconds by which sound may be ahead of our clock: slow packets come all at once, and clocks differ."
_MOST_FRAMES: Final = 50
"How many frames of silence come at once by our own clock, if nobody asked for a while."


class Timeline:
    """The sound of one direction of a call, cut into frames of 20 ms. `now` is in seconds, and never goes back."""

    def __init__(self, form: SoundFormat, now: float) -> None:
        self.excess = 0
        "Packets that were dropped because their sound is too far ahead of the clock."
        self._begun = now
        self._last = now
        "When sound came."
        self._expected: int | None = None
        "The timestamp of what comes next."
        self._take(form)

    def add(self, timestamp: int, sound: bytes, now: float) -> Sequence[bytes]:
        """Return the frames that the sound of one packet completes. Packets come in order."""
        size = len(sound)
        room = (now - self._begun) * self._rate - self._bytes - size
        "Bytes that our clock is ahead; below zero: that the sound is ahead."
        if room < -SLACK * self._rate:
            self.excess += 1
            return ()
        if timestamp != self._expected:
            sound = self._silence(self._gap(timestamp, int(room))) + sound
        self._expected = (timestamp + size * self._units // self._size) % TIMESTAMPS
        self._last = now
        self._filled = 0
        return self._cut(sound)

    def elapse(self, now: float) -> Sequence[bytes]:
        """Return the silence of the time in which nothing came."""
        if now - self._last <= LAG:
            return ()
        behind = int((now - self._begun - LAG) * self._rate) - self._bytes
        frames = min(behind // self._size, _MOST_FRAMES)
        if frames <= 0:
            return ()
        self._filled += frames * self._size
        return self._cut(self._form.silence * frames)

    def restart(self) -> None:
        """Forget the timestamps: another source follows, and only our own clock knows how much is missing."""
        self._expected = None

    def use(self, form: SoundFormat) -> Sequence[bytes]:
        """Go on with another format; return the last frame of the former one, made whole with silence."""
        frames = self._cut(self._form.silence[: -len(self._rest) % self._size])
        self._begun += self._bytes / self._rate
        self._take(form)
        return frames

    def _take(self, form: SoundFormat) -> None:
        self._form = form
        self._size, self._units, self._rate = form.frame_bytes, form.frame_units, form.bytes_a_second
        self._bytes = 0
        "How much there was of this format, with what is in `_rest`."
        self._rest = b""
        "Less than a frame."
        self._expected = None
        self._filled = 0
        "Bytes of silence that came by our own clock since there was sound."

    def _gap(self, timestamp: int, room: int) -> int:
        """Return how many bytes are missing before a packet, if our clock is `room` bytes ahead of its sound."""
        units = -1 if self._expected is None else units_between(self._expected, timestamp)
        if units >= 0:  # else it is another source, or the same one from its beginning
            missing = units * self._size // self._units - self._filled
            if missing <= room + GAP_SLACK * self._rate:
                return max(missing, 0)
        return max(room - room % self._size, 0)

    def _silence(self, size: int) -> bytes:
        size -= size % self._form.sample_bytes
        return (self._form.silence * (size // self._size + 1))[:size]

    def _cut(self, sound: bytes) -> Sequence[bytes]:
        size = self._size
        self._bytes += len(sound)
        if len(sound) == size and not self._rest:
            return (sound,)
        sound = self._rest + sound
        whole = len(sound) - len(sound) % size
        self._rest = sound[whole:]
        return [sound[start : start + size] for start in range(0, whole, size)]
