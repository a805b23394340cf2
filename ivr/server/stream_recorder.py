"""Records a caller whose sound comes as a stream: how long, how silent, which keys, as the phone's recorder does it.

The same line (`ivr.line`) and the same ear for silence (`ivr.media`) decide; what drives them here is the sound itself.
Its length is the time, so that the same sound is the same recording however the network delivers it. Only where sound
stays away, the clock counts: a line that sends nothing while nobody speaks is silent, not stopped.
"""

from msgspec.structs import replace

from ivr.audio.formats import WIDTH
from ivr.engine.commands import Record
from ivr.engine.events import PHONE_KEYS
from ivr.line import (
    CallerLeft,
    Finished,
    KeyDown,
    KeyUp,
    LineStep,
    Outcome,
    Signal,
    Tick,
    VoiceSignal,
    apply,
    begin,
)
from ivr.media.capture import CaptureFormat
from ivr.media.microphone import Microphone
from ivr.media.recorder import wav
from ivr.media.sound import FRAME
from ivr.media.voice_activity import loudness

PATIENCE = 1.0
"Seconds by which sound may come late before the time that is missing counts as silence."


def linear(rate: int) -> CaptureFormat:
    """Return the form of 16 bit little endian samples at this rate."""
    return CaptureFormat("linear", rate, WIDTH, b"\0\0", loudness, lambda data: data[: len(data) & ~1])


class StreamRecorder:
    """One recording. Nothing in here waits, and no time passes but that of the sound, and what `idle` is told."""

    def __init__(self, record: Record, form: CaptureFormat) -> None:
        """Begin to record as `record` says; its prompt and its beep were heard already."""
        self._form = form
        self._microphone = Microphone(form)
        self._microphone.record()
        self._samples = 0
        "Bytes of sound so far."
        self._rest = b""
        "Less than a frame."
        self.outcome: Outcome | None = None
        "How it ended; None: it has not."
        self._line = begin((replace(record, prompt=(), beep=False),), now=0.0).line

    @property
    def seconds(self) -> float:
        """How much sound has come."""
        return self._samples / self._form.bytes_a_second

    def hear(self, data: bytes) -> None:
        """Take sound in pieces of any length, frame by frame, until the recording has ended."""
        data = self._rest + data
        size = self._form.frame_bytes
        whole = len(data) - len(data) % size
        self._rest = data[whole:]
        for start in range(0, whole, size):
            if self.outcome is not None:
                return
            frame = data[start : start + size]
            self._samples += len(frame)
            for active in self._microphone.hear(frame):
                self._signal(VoiceSignal(active))
            self._signal(Tick())

    def press(self, key: str) -> None:
        """Take a key; anything else than a key is passed over."""
        if key in PHONE_KEYS:
            self._signal(KeyDown(key))
            self._signal(KeyUp())

    def idle(self, elapsed: float) -> None:
        """Count as silence what should have come within this time, in seconds from the beginning, and has not."""
        missing = elapsed - PATIENCE - self.seconds
        if missing > 0:
            frames = int(missing / FRAME) + 1
            self.hear(self._form.silence * (frames * self._form.frame_bytes // len(self._form.silence)))

    def left(self) -> None:
        """Note that the caller has gone: what was said so far is the recording."""
        self._signal(CallerLeft())

    async def file(self) -> bytes | None:
        """Return the recording as WAV; None: there is none."""
        if self.outcome is None or not self.outcome.ok or self.outcome.seconds <= 0:
            return None
        recorded = self._microphone.recorded()
        return wav(await recorded.samples(self._form.rate, self.outcome.seconds), self._form.rate).data

    def _signal(self, signal: Signal) -> None:
        if self.outcome is not None:
            return
        step: LineStep = apply(self._line, signal, now=self.seconds)
        self._line = step.line
        for effect in step.effects:
            if isinstance(effect, Finished):
                self._microphone.keep()
                self.outcome = effect.outcome
