"""What is done while a speech service is away: it is not asked again for a while, and another voice speaks.

A caller who waits hears silence, so a service that has just failed is not waited for by the next prompt.
"""

import logging
import math
from collections.abc import AsyncIterator, Callable

from ivr.engine.commands import Text
from ivr.errors import SynthesisFailed, VoiceUnavailable
from ivr.ports import SampleRate, Voice

log = logging.getLogger(__name__)

REST = 15.0
"Seconds for which a service that failed is not asked."
QUIET = 60.0
"Seconds for which nothing more is logged about it."


class RestingVoice:
    """A `Voice` in front of another one: its failures are logged, and a service is left alone after one."""

    def __init__(self, voice: Voice, now: Callable[[], float]) -> None:
        """`now` gives the time in seconds, from any beginning."""
        self._voice = voice
        self._now = now
        self._rests_until = -math.inf
        self._reason = ""
        self._logged = -math.inf

    async def speak(self, text: Text, *, rate: SampleRate = 16_000) -> AsyncIterator[bytes]:
        """Return the samples; raise SynthesisFailed, at once while the service rests."""
        if self._now() < self._rests_until:
            raise VoiceUnavailable(self._reason)
        try:
            async for part in self._voice.speak(text, rate=rate):
                yield part
        except SynthesisFailed as error:
            if isinstance(error, VoiceUnavailable):
                self._rests_until, self._reason = self._now() + REST, str(error)
            self._log(error)
            raise

    def _log(self, error: SynthesisFailed) -> None:
        if self._now() >= self._logged + QUIET:
            self._logged = self._now()
            log.warning("voice failed", extra={"reason": str(error)})


class FallbackVoice:
    """A `Voice` that lets another one speak what it cannot."""

    def __init__(self, voice: Voice, fallback: Voice) -> None:
        self._voice = voice
        self._fallback = fallback

    async def speak(self, text: Text, *, rate: SampleRate = 16_000) -> AsyncIterator[bytes]:
        """Return the samples of one of the two; raise the SynthesisFailed of the first if neither can."""
        begun = False
        try:
            async for part in self._voice.speak(text, rate=rate):
                begun = True
                yield part
        except SynthesisFailed as failure:
            if begun:  # nobody is to hear the beginning twice
                raise
            try:
                async for part in self._fallback.speak(text, rate=rate):
                    yield part
            except SynthesisFailed:
                raise failure from None
