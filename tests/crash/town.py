"""A town full of callers on the phone, and the line from there to a server that dies now and then.

What the server acknowledged is noted, so that a test can hold the server's books against it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from random import Random

from ivr.channels.skype.wire import MESSAGE_ID
from ivr.engine.commands import Record, RecordingFormat
from ivr.media.sound import BYTES_A_SECOND, EncodedRecording, SilentRenderer, Sound
from ivr.media_storage import SMALL
from ivr.phone.callers.random_caller import RandomCaller
from ivr.phone.callers.turn_based import CallerAction, Leave, Situation, TurnBased
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.net.post import NoReply, Post, Reply
from ivr.phone.phone_events import Ended, PhoneEvent
from ivr.phone.platform import Platform
from tests.phone.calling import PUBLIC, Letter
from tests.phone.fake_bot import Told
from tests.phone.people import any_caller_action

JSON = {"Content-Type": "application/json"}
STUBBORN = PhoneLimits(retries=50, retry_after=0.0)
"A platform that does not give up: one message cannot meet so many kills and lost answers."


class LongRecordings:
    """An `Encoder` of recordings that are like no other, and too large for a row of the database."""

    def __init__(self) -> None:
        self._random = Random(2)

    async def encode(self, samples: bytes, form: RecordingFormat, rate: int = 16_000) -> EncodedRecording | None:
        noise = self._random.randbytes(SMALL + 1)
        return EncodedRecording(noise, form, len(samples) / BYTES_A_SECOND) if samples else None


class BadLine:
    """A `Post` that waits while the server is down, loses one answer in ten on the way back, and keeps books."""

    def __init__(self, way: Post, *, seed: int) -> None:
        self.up = asyncio.Event()
        self.up.set()
        self.sent: set[str] = set()
        "The ids of all messages."
        self.acknowledged: dict[str, Letter] = {}
        "Each with its first answer, by id."
        self.repeated = 0
        "How many came again after they had been acknowledged."
        self.overtaken = 0
        "How many recordings came after the end of their call."
        self.errors: list[str] = []
        self._way = way
        self._random = Random(seed)
        self._met: set[str] = set()
        "The recordings of callers who left."
        self._milestones: list[tuple[int, asyncio.Event]] = []

    def after(self, messages: int) -> asyncio.Event:
        """Return an event that is set once so many messages have been acknowledged."""
        reached = asyncio.Event()
        self._milestones.append((messages, reached))
        return reached

    async def send(self, url: str, data: bytes, headers: Mapping[str, str], *, answer_time: float, most: int) -> Reply:
        """Post once; it is the phone that tries again (protocol 14)."""
        await self.up.wait()
        await self._overtake(url, data, headers, answer_time=answer_time, most=most)
        reply = await self._way.send(url, data, headers, answer_time=answer_time, most=most)
        letter = Letter(url, data, headers, reply)
        self.sent.add(letter.id)
        if reply.status < 500 and self._note(letter) and self._random.random() < 0.1:
            raise NoReply("broken", "the answer was lost on its way")
        return reply

    async def _overtake(
        self, url: str, data: bytes, headers: Mapping[str, str], *, answer_time: float, most: int
    ) -> None:
        """Report the end of most calls apart, and before the recording that it cut off."""
        message = Told(url, headers, data)
        if message.audio is None or message.json["callState"] != "terminated" or headers[MESSAGE_ID] in self._met:
            return
        self._met.add(headers[MESSAGE_ID])
        if self._random.random() < 0.3:
            return
        end = {"id": message.json["id"], "type": "callStateChange", "currentState": "terminated"}
        letter = (url, json.dumps(end).encode(), {**headers, MESSAGE_ID: f"end-{headers[MESSAGE_ID]}", **JSON})
        self.sent.add(letter[2][MESSAGE_ID])
        while True:
            await self.up.wait()
            with contextlib.suppress(NoReply):
                reply = await self._way.send(*letter, answer_time=answer_time, most=most)
                if reply.status < 500:
                    self._note(Letter(*letter, reply))
                    self.overtaken += 1
                    return
                await asyncio.sleep(0.05)  # it is asked to wait

    def _note(self, letter: Letter) -> bool:
        """Enter an answer in the books; True: it is the first one to this message."""
        first = self.acknowledged.setdefault(letter.id, letter)
        if first is not letter:
            self.repeated += 1
            if (letter.reply.status, letter.reply.body) != (first.reply.status, first.reply.body):
                self.errors.append(f"{letter.json}: a repeat was answered otherwise")
            return False
        if letter.reply.status != 200:
            self.errors.append(f"{letter.json}: {letter.reply}")
        for count, reached in self._milestones:
            if len(self.acknowledged) >= count:
                reached.set()
        return True

    @property
    def events(self) -> Counter[str]:
        """How many events the acknowledged messages of each call hold: on an ended call a success and the end."""
        counted: Counter[str] = Counter()
        for message in (letter.json for letter in self.acknowledged.values()):
            ended = message.get("callState") == "terminated"
            ended_well = ended and message["operationOutcome"]["outcome"] == "success"
            counted[message["id"]] += 2 if ended_well else 1
        return counted

    @property
    def recordings(self) -> Mapping[str, Sequence[bytes]]:
        """The audio of the acknowledged recordings of each call, in order."""
        found: defaultdict[str, list[bytes]] = defaultdict(list)
        for letter in self.acknowledged.values():
            if letter.audio is not None:
                found[letter.json["id"]].append(letter.audio)
        return found


class Townsman:
    """Mostly does what callers do, and now and then anything at all (`ivr.phone.callers.turn_based.Person`).

    Some leave while they are recorded, as callers of a voicemail do.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._sober = RandomCaller(random)

    def tell(self, event: PhoneEvent) -> None:
        self._sober.tell(event)

    async def act(self, situation: Situation) -> CallerAction | None:
        chance = self._random.random()
        if isinstance(situation.listening, Record) and chance < 0.2:
            return Leave()
        return any_caller_action(self._random) if chance > 0.9 else await self._sober.act(situation)


class _Noise:
    """An `Encoder` of recordings that are like no other."""

    def __init__(self, random: Random) -> None:
        self._random = random

    async def encode(self, samples: bytes, form: RecordingFormat, rate: int = 16_000) -> EncodedRecording | None:
        noise = self._random.randbytes(self._random.randrange(100, 40_000))
        return EncodedRecording(noise, form, len(samples) / BYTES_A_SECOND) if samples else None


async def everybody_calls(
    phone: Platform, flows: Sequence[str], *, calls: int, at_once: int, seed: int
) -> Sequence[Ended]:
    """Let so many call, each as the seed says; give how their calls ended."""
    turnstile = asyncio.Semaphore(at_once)

    async def one(random: Random) -> Ended:
        async with turnstile:
            handset = TurnBased(Townsman(random), Sound(SilentRenderer(), _Noise(random)))
            return await phone.place(handset, bot=f"{PUBLIC}/call/{random.choice(flows)}")

    return await asyncio.gather(*(one(Random(seed * 100_003 + number)) for number in range(calls)))
