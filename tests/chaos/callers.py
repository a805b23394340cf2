"""Callers who keep a number of calls up until they are told to stop; their line doubles some of what they send."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from random import Random

from ivr.audio.formats import RATE
from ivr.channels.skype.wire import MESSAGE_ID
from ivr.engine.commands import RecordingFormat
from ivr.media.recorder import wav
from ivr.media.sound import EncodedRecording, SilentRenderer, Sound
from ivr.media_storage import SMALL
from ivr.phone.callers.turn_based import CallerAction, Leave, Situation, TurnBased
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.net.post import Post, Reply
from ivr.phone.phone_events import Ended
from ivr.phone.platform import Platform
from tests.crash.town import Townsman
from tests.phone.calling import PUBLIC

PATIENT = PhoneLimits(retries=1000, retry_after=0.25, retry_most=0.5, answer_time=6.0)
"A platform that does not give up while something is repaired, and soon sees that nobody answers."
TWICE = 0.1
"How many messages are sent two times at the same moment."
THINKING = 1.0
"Seconds between two messages of a call, on average."


class DoublingLine:
    """A `Post` to which callers speak as slowly as people do, and which sends some messages twice at once."""

    def __init__(self, way: Post, *, seed: int, thinking: float = THINKING) -> None:
        self.hurry = asyncio.Event()
        "Once it is set nobody thinks any more."
        self.doubled = 0
        "How many messages had two answers."
        self.errors: list[str] = []
        self._longest = 0.0
        self._way = way
        self._random = Random(seed)
        self._thinking = thinking
        self._begun: dict[str, float] = {}
        "When each message was sent first."
        self._refused = 0
        self._milestones: list[tuple[int, asyncio.Event]] = []

    def refusals(self, more: int) -> asyncio.Event:
        """Return an event that is set once so many more messages were not taken: callers have met what is broken."""
        reached = asyncio.Event()
        self._milestones.append((self._refused + more, reached))
        return reached

    async def send(self, url: str, data: bytes, headers: Mapping[str, str], *, answer_time: float, most: int) -> Reply:
        """Post, the first time after a moment."""
        name = headers[MESSAGE_ID]
        if name not in self._begun:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._random.expovariate(1.0 / self._thinking)):
                    await self.hurry.wait()
            self._begun[name] = time.monotonic()
        times = 2 if self._random.random() < TWICE else 1
        sent = (self._way.send(url, data, headers, answer_time=answer_time, most=most) for _ in range(times))
        results = await asyncio.gather(*sent, return_exceptions=True)
        replies = [one for one in results if isinstance(one, Reply) and one.status < 500]
        self.doubled += len(replies) == 2
        if len({(one.status, one.body) for one in replies}) > 1:
            self.errors.append(f"{data!r}: two answers, {replies}")
        if replies:
            self._longest = max(self._longest, time.monotonic() - self._begun[name])
            return replies[0]
        self._refuse()
        if isinstance(results[0], BaseException):
            raise results[0]
        return results[0]

    def longest(self) -> float:
        """Return for how many seconds somebody has waited for an answer at most, repeats included, since asked last."""
        longest, self._longest = self._longest, 0.0
        return longest

    def _refuse(self) -> None:
        self._refused += 1
        for count, reached in self._milestones:
            if self._refused >= count:
                reached.set()


class UniqueSounds:
    """An `Encoder` of recordings that are like no other, and of which one in six does not fit into its turn's row."""

    def __init__(self, random: Random) -> None:
        self._random = random

    async def encode(self, samples: bytes, form: RecordingFormat, rate: int = RATE) -> EncodedRecording | None:
        if not samples:
            return None
        large = self._random.random() < 1 / 6
        size = self._random.randrange(SMALL, 6 * SMALL) if large else self._random.randrange(SMALL // 8, SMALL // 2)
        made = wav(self._random.randbytes(2 * (size // 2)))
        return EncodedRecording(made.data, form, made.seconds)


class _Guest(Townsman):
    """Hangs up when it is time to go home."""

    def __init__(self, random: Random, home: asyncio.Event) -> None:
        super().__init__(random)
        self._home = home

    async def act(self, situation: Situation) -> CallerAction | None:
        return Leave() if self._home.is_set() else await super().act(situation)


class Crowd:
    """So many calls at once: whoever has ended is followed by another, until it is told to go home."""

    def __init__(self, phone: Platform, *, at_once: int, seed: int) -> None:
        self.ended: list[Ended] = []
        self.at_once = at_once
        self._phone = phone
        self._seed = seed
        self._home = asyncio.Event()

    async def call(self) -> Sequence[Ended]:
        """Call until it is told to stop, and return how the calls ended."""
        async with asyncio.TaskGroup() as group:
            for number in range(self.at_once):
                group.create_task(self._one_after_the_other(Random(self._seed * 100_003 + number)))
        return self.ended

    def go_home(self) -> None:
        """Let everybody who is on the phone hang up, and begin no other call."""
        self._home.set()

    async def _one_after_the_other(self, random: Random) -> None:
        while not self._home.is_set():
            handset = TurnBased(_Guest(random, self._home), Sound(SilentRenderer(), UniqueSounds(random)))
            self.ended.append(await self._phone.place(handset, bot=f"{PUBLIC}/call/desk"))
