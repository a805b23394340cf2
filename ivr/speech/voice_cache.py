"""Keeps what was spoken: in memory, and in a folder if one is set. What many calls want at once is made once."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator

import msgspec

from ivr.engine.commands import Text
from ivr.ports import SampleRate, Voice
from ivr.speech.voice_folder import VoiceFolder

MOST = 64 << 20
"Bytes of samples that are kept in memory: half an hour of speech."


class CachedVoice:
    """A `Voice` in front of another one."""

    def __init__(
        self, voice: Voice, name: str, *, at_once: int, folder: VoiceFolder | None = None, most: int = MOST
    ) -> None:
        """Keep what `voice` speaks, so many texts at the same time.

        `name` tells it from any other voice that the folder was ever used for; `most` is in bytes, of memory.
        """
        self._voice = voice
        self._places = asyncio.Semaphore(at_once)
        self._name = name
        self._folder = folder
        self._most = most
        self._kept: OrderedDict[str, tuple[bytes, ...]] = OrderedDict()
        self._size = 0
        self._under_way: dict[str, _Speech] = {}

    async def speak(self, text: Text, *, rate: SampleRate = 16_000) -> AsyncIterator[bytes]:
        """Return the samples, at once if they are kept; raise SynthesisFailed."""
        key = self._key(text, rate)
        if (kept := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            for part in kept:
                yield part
            return
        speech = self._under_way.get(key)
        if speech is None:
            speech = self._under_way[key] = _Speech()
            speech.task = asyncio.create_task(self._make(key, text, rate, speech))
            speech.task.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may listen
        async for part in speech.listen():
            yield part

    def _key(self, text: Text, rate: SampleRate) -> str:
        return hashlib.sha256(msgspec.json.encode((self._name, rate, text))).hexdigest()

    async def _make(self, key: str, text: Text, rate: SampleRate, speech: "_Speech") -> None:
        """Speak to the end, also if who asked has left: the next caller will ask again."""
        try:
            kept = await asyncio.to_thread(self._folder.get, key) if self._folder else None
            if kept is not None:
                speech.add(*kept)
            else:
                async with self._places:
                    async for part in self._voice.speak(text, rate=rate):
                        speech.add(part)
                if self._folder:
                    await asyncio.to_thread(self._folder.put, key, tuple(speech.parts))
            self._keep(key, tuple(speech.parts))
        finally:
            del self._under_way[key]
            speech.end()

    def _keep(self, key: str, parts: tuple[bytes, ...]) -> None:
        self._kept[key] = parts
        self._size += sum(map(len, parts))
        while self._size > self._most:
            _, oldest = self._kept.popitem(last=False)
            self._size -= sum(map(len, oldest))


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
