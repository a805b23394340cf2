"""Keeps what was spoken: in memory, and in a folder if one is set. What many calls want at once is made once."""

import asyncio
import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

from msgspec import Struct
from msgspec.structs import astuple

from ivr.engine.commands import Text
from ivr.ports import SampleRate, Voice
from ivr.speech.voice_folder import VoiceFolder

MOST = 64 << 20
"Bytes of samples that are kept in memory: half an hour of speech."
MARKED_EVERY = 3600.0
"Seconds after which the folder is told again that a text is heard, while it is heard from memory."


class VoiceIdentity(Struct, frozen=True):
    """What the sound of a text depends on, besides the text itself and the rate: any difference is another sound."""

    engine: str
    version: str
    "Of a service: its address, where it is one's own, and the name of the model."
    name: str
    "Of the voice, or its gender where voices have no names."
    words: str
    "What it is given to say: a release may put a date into other words, while the flow is the same."


def key_of(identity: VoiceIdentity, text: Text, rate: SampleRate) -> str:
    """Return the key of a text's sound: 64 hexadecimal digits, which tell nothing of the text."""
    # JSON of ASCII alone: a text from a command line may have what no UTF-8 can hold.
    parts = json.dumps((*astuple(identity), text.language, rate, text.value, text.say_as, text.emphasize))
    return hashlib.sha256(parts.encode()).hexdigest()


class KeepableVoice(Voice, Protocol):
    """A `Voice` whose sound can be kept: it says by what it is told from others."""

    def identity(self, text: Text) -> VoiceIdentity:
        """Return which voice would speak a text, and what it would say."""


class _Kept(Struct):
    """A text that was spoken."""

    parts: tuple[bytes, ...]
    marked: float
    "When the folder was told last that it is heard."


class SpeechMemory:
    """Parts of samples by key; what was not heard for longest is dropped first."""

    def __init__(self, most: int = MOST) -> None:
        """Keep `most` bytes."""
        self._most = most
        self._size = 0
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def get(self, key: str) -> _Kept | None:
        """Return what is kept; None: nothing is."""
        if (kept := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
        return kept

    def put(self, key: str, parts: tuple[bytes, ...], now: float) -> None:
        """Keep parts under a key that has none, and that the folder has just been told of."""
        self._kept[key] = _Kept(parts, now)
        self._size += sum(map(len, parts))
        while self._size > self._most:
            _, oldest = self._kept.popitem(last=False)
            self._size -= sum(map(len, oldest.parts))


class CachedVoice:
    """A `Voice` in front of another one."""

    def __init__(
        self,
        voice: Voice,
        identity: Callable[[Text], VoiceIdentity],
        *,
        at_once: int,
        memory: SpeechMemory | None = None,
        folder: VoiceFolder | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep what `voice` speaks, so many texts at the same time.

        `identity` tells it from any other voice that the memory or the folder is used for; `now` gives the time in
        seconds, from any beginning.
        """
        self._voice = voice
        self._identity = identity
        self._places = asyncio.Semaphore(at_once)
        self._memory = memory or SpeechMemory()
        self._folder = folder
        self._now = now
        self._under_way: dict[str, _Speech] = {}

    async def speak(self, text: Text, *, rate: SampleRate = 16_000) -> AsyncIterator[bytes]:
        """Return the samples, at once if they are kept; raise SynthesisFailed."""
        key = self._key(text, rate)
        if (kept := self._memory.get(key)) is not None:
            for part in kept.parts:
                yield part
            await self._mark(key, kept)
            return
        speech = self._under_way.get(key)
        if speech is None:
            speech = self._under_way[key] = _Speech()
            speech.task = asyncio.create_task(self._make(key, text, rate, speech))
            speech.task.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may listen
        async for part in speech.listen():
            yield part

    async def is_kept(self, text: Text, *, rate: SampleRate = 16_000) -> bool:
        """Return whether the folder has the sound of a text, so that it outlives this process."""
        return await self._from_folder(self._key(text, rate)) is not None

    def _key(self, text: Text, rate: SampleRate) -> str:
        return key_of(self._identity(text), text, rate)

    async def _make(self, key: str, text: Text, rate: SampleRate, speech: "_Speech") -> None:
        """Speak to the end, also if who asked has left: the next caller will ask again."""
        try:
            kept = await self._from_folder(key)
            if kept is not None:
                speech.add(*kept)
            else:
                async with self._places:
                    async for part in self._voice.speak(text, rate=rate):
                        speech.add(part)
                if self._folder:
                    await asyncio.to_thread(self._folder.put, key, tuple(speech.parts))
            self._memory.put(key, tuple(speech.parts), self._now())
        finally:
            del self._under_way[key]
            speech.end()

    async def _mark(self, key: str, kept: _Kept) -> None:
        """Let the folder know now and then what is heard: else it would drop first what all callers hear."""
        if self._folder and (now := self._now()) >= kept.marked + MARKED_EVERY:
            kept.marked = now
            await asyncio.to_thread(self._folder.mark, key)

    async def _from_folder(self, key: str) -> Sequence[bytes] | None:
        return await asyncio.to_thread(self._folder.get, key) if self._folder else None


class _Speech:
    """A text that is being spoken to any number of listeners."""

    task: asyncio.Task[None]

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self._more = asyncio.Event()
        self._over = False

    def add(self, *parts: bytes) -> None:
        self.parts += parts
        self._tell()

    def end(self) -> None:
        self._over = True
        self._tell()

    async def listen(self) -> AsyncIterator[bytes]:
        """Return all parts, from the first; raise what the voice raised."""
        heard = 0
        while heard < len(self.parts) or not self._over:
            if heard < len(self.parts):
                heard += 1
                yield self.parts[heard - 1]
            else:
                await self._more.wait()
        await asyncio.shield(self.task)

    def _tell(self) -> None:
        self._more.set()
        self._more = asyncio.Event()
