"""The caller's voice: told apart from silence, cut into utterances, kept while it is recorded."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress

from ivr.engine.commands import Text
from ivr.media.pacing import Clock, until
from ivr.media.sound import BYTES_A_SECOND, FRAME_BYTES, PromptRenderer, Unplayable, spoken
from ivr.media.voice_activity import Activity, detect

BEFORE = round(0.4 * BYTES_A_SECOND)
"Bytes kept from before a sound counts as one: its beginning."
LONGEST_UTTERANCE = 20 * BYTES_A_SECOND


class Microphone:
    """Takes samples of any length; nothing in here waits, but for typed words that are being spoken."""

    def __init__(self) -> None:
        self._activity = Activity()
        self._rest = b""
        self._utterance = bytearray()
        self._whole = b""
        self._recording = bytearray()
        self._records = False
        self._mouth = asyncio.Lock()
        "Typed words are spoken one after the other, and in place of what is heard in the meantime."

    def hear(self, samples: bytes) -> Iterator[bool]:
        """Take samples; yield True where a voice begins, False where it ends."""
        typed = self._mouth.locked()
        if self._records and not typed:
            self._recording += samples
        samples = self._rest + samples
        whole = len(samples) - len(samples) % FRAME_BYTES
        self._rest = samples[whole:]
        for start in range(0, whole, FRAME_BYTES):
            frame = samples[start : start + FRAME_BYTES]
            before, self._activity = self._activity, detect(self._activity, frame)
            self._keep_utterance(frame, silent=not (before.active or self._activity.active))
            if before.active != self._activity.active:
                if before.active:
                    self._whole, self._utterance = bytes(self._utterance), bytearray()
                if not typed:
                    yield self._activity.active

    @property
    def active(self) -> bool:
        """Whether a sound is heard now."""
        return self._activity.active

    def utterance(self) -> bytes:
        """Return the utterance that has just ended, once; empty: none has."""
        whole, self._whole = self._whole, b""
        return whole

    def forget(self) -> None:
        """Drop what was said so far; a sound that goes on goes on."""
        self._whole = b""
        if not self._activity.active:
            self._utterance.clear()

    def record(self) -> None:
        """Keep everything from now on."""
        self._recording.clear()
        self._records = True

    def keep(self) -> None:
        """Record no more; what is recorded stays until the next recording."""
        self._records = False

    def recorded(self, seconds: float) -> bytes:
        """Return the recording, as long as it was; where no microphone sent anything, its silence."""
        wanted = 2 * round(seconds * BYTES_A_SECOND / 2)
        return bytes(self._recording[:wanted]).ljust(wanted, b"\0")

    async def speak(self, words: Text, renderer: PromptRenderer, clock: Clock) -> AsyncGenerator[bool, None]:
        """Let typed words be heard, for as long as they take; yields as `hear` does."""
        async with self._mouth:
            yield True
            begun, seconds = clock.now(), 0.0
            with suppress(Unplayable):  # then nothing was said
                async for piece in spoken(words, renderer):
                    seconds += piece.seconds
                    if self._records:
                        self._recording += piece.samples
            await until(clock, begun + seconds)
        yield self.active

    def _keep_utterance(self, frame: bytes, *, silent: bool) -> None:
        self._utterance += frame
        if silent and len(self._utterance) > BEFORE:
            del self._utterance[: len(self._utterance) - BEFORE]
        elif len(self._utterance) > LONGEST_UTTERANCE:
            del self._utterance[: len(self._utterance) - LONGEST_UTTERANCE]
