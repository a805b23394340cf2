"""Texts spoken before a call wants them, by the voices that a call would have, in their order.

What is spoken is kept by the cache in front of each voice. Here it is only asked for, and told of.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from ivr.audio.formats import WIDTH
from ivr.cli.line_texts import asked_of_a_voice
from ivr.engine.commands import Text
from ivr.errors import SynthesisFailed, VoiceUnavailable
from ivr.ports import SampleRate
from ivr.speech.voice_registry import NamedVoice, VoiceName

AT_ONCE = 8
"Texts under way at the same time; how many of them a voice is given, its cache says."
MOST_OUTAGES = 5
"Times that a voice may be away in one run: then the rest of the texts is not tried."


class MadePrompt(Struct, frozen=True):
    """What became of one text."""

    text: Text
    seconds: float = 0.0
    size: int = 0
    "Bytes of samples."
    voices: tuple[VoiceName, ...] = ()
    "Which voices speak it; several, if one cannot speak all of its sentences."
    was_kept: bool = False
    "Nothing had to be spoken: all of it was in the folder of the cache."
    reasons: tuple[str, ...] = ()
    "Why a voice that comes first does not speak it."
    failure: str = ""
    "Why nobody speaks it; empty: somebody does."


class _NotMade(Exception):
    """No voice speaks it; the text says why."""


class PromptMaker:
    """Has texts spoken at one rate."""

    def __init__(self, voices: Sequence[NamedVoice], rate: SampleRate) -> None:
        """Use voices in the order in which a call asks them."""
        self._voices = voices
        self._rate = rate
        self._outages: Counter[VoiceName] = Counter()
        self._spoken_by: dict[Text, NamedVoice] = {}

    async def make_all(self, texts: Sequence[Text], take: Callable[[MadePrompt, bytes], Awaitable[None]]) -> None:
        """Make some texts, several at the same time, and hand each over with its samples; raise what `take` raises."""
        places = asyncio.Semaphore(AT_ONCE)

        async def one(text: Text) -> None:
            async with places:
                await take(*await self._make(text))

        tasks = [asyncio.create_task(one(text)) for text in texts]
        try:
            await asyncio.gather(*tasks)
        finally:  # the first that `take` cannot take ends the rest
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def kept(self, text: Text) -> bool:
        """Return whether the sound of a text that was made is in the folder of the cache, all of it."""
        for part in asked_of_a_voice(text):
            if not await self._spoken_by[part].voice.is_kept(part, rate=self._rate):
                return False
        return True

    async def _make(self, text: Text) -> tuple[MadePrompt, bytes]:
        parts: list[bytes] = []
        reasons: dict[str, None] = {}
        was_kept = True
        asked = asked_of_a_voice(text)
        try:
            for part in asked:
                samples, was_there = await self._spoken(part, reasons)
                parts.append(samples)
                was_kept = was_kept and was_there
        except _NotMade as failure:
            return MadePrompt(text, failure=str(failure)), b""
        sound = b"".join(parts)
        voices = tuple(dict.fromkeys(self._spoken_by[part].name for part in asked))
        seconds = len(sound) / WIDTH / self._rate
        return MadePrompt(text, seconds, len(sound), voices, was_kept, tuple(reasons)), sound

    async def _spoken(self, part: Text, reasons: dict[str, None]) -> tuple[bytes, bool]:
        """Return the samples, and whether they were kept already; raise _NotMade. Adds why a voice did not speak."""
        for named in self._voices:
            was_there = await named.voice.is_kept(part, rate=self._rate)
            if self._outages[named.name] >= MOST_OUTAGES and not was_there:
                raise _NotMade(f"{named.name}: not tried, since it failed {MOST_OUTAGES} times")
            try:
                samples = b"".join([piece async for piece in named.voice.speak(part, rate=self._rate)])
            except VoiceUnavailable as error:
                # Another voice would speak it now; a call that finds this one working again would not ask for that.
                self._outages[named.name] += 1
                raise _NotMade(f"{named.name}: {error}") from error
            except SynthesisFailed as error:
                reasons[f"{named.name}: {error}"] = None
            else:
                self._spoken_by[part] = named
                return samples, was_there
        raise _NotMade("; ".join(reasons) or "there is no voice")
