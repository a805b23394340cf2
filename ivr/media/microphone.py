"""The caller's voice: told apart from silence, cut into utterances, kept while it is recorded."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress

from ivr.engine.commands import Text
from ivr.media.capture import LINEAR, CaptureBuffer, CapturedSound, CaptureFormat
from ivr.media.pacing import Clock, until
from ivr.media.sound import PromptRenderer, Unplayable, spoken
from ivr.media.voice_activity import Activity, detect, pauses

BEFORE = 0.4
"Seconds kept from before a sound counts as one: its beginning."
LONGEST_UTTERANCE = 20.0
"Seconds."
_NOTHING = CapturedSound()


class Microphone:
    """Takes sound in pieces of any length; nothing in here waits, but for typed words that are being spoken."""

    def __init__(self, capture: CaptureFormat = LINEAR) -> None:
        """Take sound of the form `capture`."""
        self._activity = Activity()
        self._rest = b""
        self._utterance = CaptureBuffer()
        self._whole = self._so_far = _NOTHING
        self._recording = CaptureBuffer()
        self._records = False
        self._mouth = asyncio.Lock()
        "Typed words are spoken one after the other, and in place of what is heard in the meantime."
        self._take(capture)

    def use(self, capture: CaptureFormat) -> None:
        """Take sound of another form from now on: the line has another codec. Recordings and utterances go on."""
        if capture is not self._capture:
            self._utterance.add(self._capture, self._rest)
            self._rest = b""
            self._take(capture)

    def hear(self, data: bytes) -> Iterator[bool]:
        """Take sound; yield True where a voice begins, False where it ends."""
        typed = self._mouth.locked()
        if self._records and not typed:
            self._recording.add(self._capture, data)
        if self._rest:
            data = self._rest + data
        size = self._frame_bytes
        whole = len(data) - len(data) % size
        self._rest = data[whole:]
        for start in range(0, whole, size):
            frame = data[start : start + size]
            before, active = self._activity, self._activity.active
            self._activity = detect(before, self._level(frame))
            self._keep_utterance(frame, silent=not (active or self._activity.active))
            if active and pauses(before, self._activity):
                self._so_far = self._utterance.sound(self._capture.rate)
            if active != self._activity.active:
                if active:
                    self._whole = self._utterance.sound(self._capture.rate)
                    self._utterance.clear()
                if not typed:
                    yield self._activity.active

    @property
    def active(self) -> bool:
        """Whether a sound is heard now."""
        return self._activity.active

    def utterance(self) -> CapturedSound:
        """Return the utterance that has just ended, once; false: none has."""
        whole, self._whole = self._whole, _NOTHING
        return whole

    def paused(self) -> CapturedSound:
        """Return the utterance so far, once after each pause in it; false: there was none.

        Each end of an utterance has one before it, and between the two nothing was said: the last one is the utterance.
        """
        so_far, self._so_far = self._so_far, _NOTHING
        return so_far

    def forget(self) -> None:
        """Drop what was said so far; a sound that goes on goes on."""
        self._whole = self._so_far = _NOTHING
        if not self._activity.active:
            self._utterance.clear()

    def record(self) -> None:
        """Keep everything from now on."""
        self._recording.clear()
        self._records = True

    def keep(self) -> None:
        """Record no more; what is recorded stays until the next recording."""
        self._records = False

    def recorded(self) -> CapturedSound:
        """Return what was recorded; where no microphone sent anything, nothing at the line's rate."""
        return self._recording.sound(self._capture.rate)

    def recorded_from(self, start: int, most: int) -> bytes:
        """Return at most so many bytes of the recording, from one of them on; nothing but 16 kHz samples."""
        return self._recording.linear_from(start, most)

    async def speak(self, words: Text, renderer: PromptRenderer, clock: Clock) -> AsyncGenerator[bool, None]:
        """Let typed words be heard, for as long as they take; yields as `hear` does."""
        async with self._mouth:
            yield True
            begun, seconds = clock.now(), 0.0
            with suppress(Unplayable):  # then nothing was said
                async for piece in spoken(words, renderer):
                    seconds += piece.seconds
                    if self._records:
                        self._recording.add(LINEAR, piece.samples)
            await until(clock, begun + seconds)
        yield self.active

    def _take(self, capture: CaptureFormat) -> None:
        self._capture = capture
        # Looked up once, not fifty times a second for each call.
        self._level, self._frame_bytes = capture.level, capture.frame_bytes

    def _keep_utterance(self, frame: bytes, *, silent: bool) -> None:
        self._utterance.add(self._capture, frame)
        self._utterance.keep_last(BEFORE if silent else LONGEST_UTTERANCE)
