"""What is done when a voice fails: the next one speaks, and a service that is away is not asked again for a while.

A caller who waits hears silence, so a service that has just failed is not waited for by the next prompt.
"""

import logging
import math
from collections.abc import AsyncIterator, Callable, Sequence

from ivr.engine.commands import Text
from ivr.errors import SynthesisFailed, VoiceUnavailable
from ivr.ports import SampleRate, Voice

log = logging.getLogger(__name__)

REST = 15.0
"Seconds for which a service that failed is not asked."
QUIET = 60.0
"Seconds for which the same reason is not logged again."


class RestingVoice:
    """A `Voice` in front of another one: its failures are logged, and a service is left alone after one."""

    def __init__(self, voice: Voice, name: str, now: Callable[[], float]) -> None:
        """`name` is for the log; `now` gives the time in seconds, from any beginning."""
        self._voice = voice
        self._name = name
        self._now = now
        self._rests_until = -math.inf
        self._reason = ""
        self._logged: dict[str, float] = {}
        "When each reason of the last minute was logged."

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
            self._log(str(error))
            raise

    def _log(self, reason: str) -> None:
        now = self._now()
        self._logged = {told: when for told, when in self._logged.items() if now < when + QUIET}
        if reason not in self._logged:
            self._logged[reason] = now
            log.warning("voice failed", extra={"service": self._name, "reason": reason})


class FallbackVoice:
    """A `Voice` of several, each of which speaks what those before it cannot."""

    def __init__(self, voices: Sequence[Voice]) -> None:
        """`voices` is not empty."""
        self._voices = voices

    async def speak(self, text: Text, *, rate: SampleRate = 16_000) -> AsyncIterator[bytes]:
        """Return the samples of one of them; raise the SynthesisFailed of the first if none can."""
        failures: list[SynthesisFailed] = []
        for voice in self._voices:
            begun = False
            try:
                async for part in voice.speak(text, rate=rate):
                    begun = True
                    yield part
            except SynthesisFailed as failure:
                if begun:  # nobody is to hear the beginning twice
                    raise
                failures.append(failure)
            else:
                return
        raise failures[0]
