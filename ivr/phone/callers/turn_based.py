"""A handset whose time stands still until the person has acted: for scripts, for typing, for many calls at once.

The person is asked at every moment at which something could be done, and answers with what the caller does, or lets
time pass until the next thing happens by itself: the end of a prompt, or of the line's patience. Nothing waits for
real.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

from msgspec import Struct

from ivr.engine.commands import Recognize, Record, Segment, Transfer, recorded_as
from ivr.line import (
    CallerLeft,
    Effect,
    Finished,
    KeyDown,
    KeyUp,
    Listening,
    PromptEnded,
    PromptFailed,
    PromptStarted,
    PromptStopped,
    RecordingStarted,
    Signal,
    Tick,
    TransferFailed,
    Transferred,
    TransferStarted,
    Trouble,
    VoiceSignal,
    WordsUnderstood,
)
from ivr.media.sound import BEEP, BYTES_A_SECOND, EncodedRecording, Sound, Unplayable, silence, spoken
from ivr.phone.handset import typed
from ivr.phone.phone_events import HangingUp, KeyHeard, OnTheLine, PhoneEvent, WordsHeard

REACTION = 0.3
"Seconds before a person does something."
KEY_TIME = 0.1
"Seconds for which a key is pressed, and until the next one."


class Press(Struct, frozen=True):
    """Press keys one after the other."""

    keys: str


class Hold(Struct, frozen=True):
    """Hold a key, and never let go of it."""

    key: str


class Speak(Struct, frozen=True):
    """Speak words: understood as they are written, recorded as the phone's voice speaks them."""

    words: str


class PlaySamples(Struct, frozen=True):
    """Let samples be heard: understood by the phone's ear, recorded as they are."""

    samples: bytes


class Wait(Struct, frozen=True):
    """Be silent for so many seconds, whatever happens by itself in the meantime."""

    seconds: float


class Leave(Struct, frozen=True):
    """Leave."""


class Fail(Struct, frozen=True):
    """Let the line break."""

    kind: Literal["system", "unknown"] = "system"


class Connect(Struct, frozen=True):
    """Let somebody answer a transfer, or not."""

    status: int
    "Of the other side, as in SIP; 2xx: the caller is connected."


CallerAction: TypeAlias = Press | Hold | Speak | PlaySamples | Wait | Leave | Fail | Connect


class Situation(Struct, frozen=True):
    """What a person knows who is asked."""

    prompt: bool
    "A prompt is heard."
    listening: Recognize | Record | None
    "What counts now; None: nothing."
    transfer: Transfer | None = None
    "It rings at somebody else's, with whom the caller is to be connected."


class Person(Protocol):
    """Somebody with a will."""

    async def act(self, situation: Situation) -> CallerAction | None:
        """Do something; None: let time pass."""

    def tell(self, event: PhoneEvent) -> None:
        """Notice what happens."""


class TurnBased:
    """The handset of one call."""

    def __init__(self, person: Person, sound: Sound | None) -> None:
        """Without `sound` prompts take no time, and recordings have nothing in them."""
        self._person = person
        self._sound = sound
        self._now = 0.0
        self._plan: deque[tuple[float, Signal]] = deque()
        "What the person is doing, and when."
        self._prompt: PromptStarted | None = None
        self._prompt_ends: float | None = None
        self._listening: Recognize | Record | None = None
        self._recording = bytearray()
        self._recording_began: float | None = None
        self._left = False
        self._transfer: Transfer | None = None
        self._waiting: asyncio.Task[object] | None = None
        "Who waits for the person, or for a prompt's sound."

    def now(self) -> float:
        """Return the time that has passed for the person, in seconds."""
        return self._now

    def tell(self, event: PhoneEvent) -> None:
        """Let the person notice."""
        if not (self._left and isinstance(event, OnTheLine)):
            self._person.tell(event)

    def expect(self, prompts: Sequence[Sequence[Segment]]) -> None:
        """Do nothing: time waits for whatever takes some."""

    def perform(self, effect: Effect) -> None:
        """Begin, or end, what takes time."""
        match effect:
            case PromptStarted():
                self._prompt, self._prompt_ends = effect, None
            case PromptStopped():
                self._prompt = None
            case Listening(command=command):
                self._listening = command
                if not (isinstance(command, Recognize) and command.type_ahead):
                    self._plan = deque(one for one in self._plan if not isinstance(one[1], KeyDown | KeyUp))
            case RecordingStarted():
                self._recording, self._recording_began = bytearray(), self._now
            case TransferStarted(command=command):
                self._transfer = command
            case Finished():
                self._listening, self._recording_began, self._transfer = None, None, None
                # Keys that nobody has listened to may be for the next question; what was said is over.
                self._plan = deque(one for one in self._plan if isinstance(one[1], CallerLeft | KeyDown | KeyUp))

    def hang_up(self) -> None:
        """Leave, although the person has not said so."""
        self.tell(HangingUp())
        self._left = True
        if self._waiting is not None:
            self._waiting.cancel()

    async def next(self, deadline: float | None) -> Signal:
        """Return what happens next, and let time jump there."""
        task = self._waiting = asyncio.current_task()
        try:
            return await self._next(deadline)
        except asyncio.CancelledError:
            if not self._left or task is None or task.uncancel():
                raise
            return CallerLeft()  # it was `hang_up` that cancelled
        finally:
            self._waiting = None

    async def recording(self, command: Record, seconds: float) -> EncodedRecording | None:
        """Encode what was said, with the silence around it."""
        if self._sound is None:
            return None
        missing = seconds - len(self._recording) / BYTES_A_SECOND
        samples = bytes(self._recording) + (silence(missing) if missing > 0 else b"")
        return await self._sound.encoder.encode(
            samples[: round(seconds * BYTES_A_SECOND / 2) * 2], recorded_as(command)
        )

    def caller_sound(self, begin: float, end: float) -> bytes:
        """Return what is said between these seconds of the recording that is made; silence where nothing is."""
        first, last = (2 * round(seconds * BYTES_A_SECOND / 2) for seconds in (begin, end))
        return bytes(self._recording[first:last]).ljust(last - first, b"\0")

    # ---------------------------------------------------------------------------------------------------------------

    async def _next(self, deadline: float | None) -> Signal:
        if self._left:
            return CallerLeft()
        if self._transfer is not None:
            return await self._rings(self._transfer)
        if self._prompt is not None and self._prompt_ends is None:
            try:
                self._prompt_ends = self._now + await self._length(self._prompt)
            except Unplayable as error:
                self._prompt = None
                return PromptFailed(str(error))
        if not self._plan:
            await self._ask()
        by_itself = [when for when in (self._prompt_ends if self._prompt else None, deadline) if when is not None]
        if self._plan and all(self._plan[0][0] <= when for when in by_itself):
            when, signal = self._plan.popleft()
            self._now = max(self._now, when)
            return signal
        self._now = max(self._now, min(by_itself))
        if self._prompt and self._now == self._prompt_ends:
            self._prompt = None
            return PromptEnded()
        return Tick()

    async def _rings(self, command: Transfer) -> Signal:
        """Let the person say how it goes: there is nobody else to connect the caller with."""
        caller_action = await self._person.act(Situation(prompt=False, listening=None, transfer=command))
        self._now += REACTION
        match caller_action:
            case Connect(status=status) if not 200 <= status < 300:
                return TransferFailed(status, f"the other side answered {status}")
            case Leave():
                return CallerLeft()
            case Fail(kind=kind):
                return Trouble(kind)
        return Transferred()

    async def _ask(self) -> None:
        caller_action = await self._person.act(Situation(self._prompt is not None, self._listening))
        at = self._now + REACTION
        match caller_action:
            case Press(keys=keys):
                for number, key in enumerate(keys):
                    self.tell(KeyHeard(key))
                    down = at + 2 * KEY_TIME * number
                    self._plan += [(down, KeyDown(key)), (down + KEY_TIME, KeyUp())]
            case Hold(key=key):
                self.tell(KeyHeard(key))
                self._plan.append((at, KeyDown(key)))
            case Speak(words=words):
                await self._say(words, at)
            case PlaySamples(samples=samples):
                await self._play(samples, at)
            case Wait(seconds=seconds):
                self._plan.append((self._now + seconds, Tick()))
            case Leave():
                self._plan.append((self._now, CallerLeft()))
            case Fail(kind=kind):
                self._plan.append((self._now, Trouble(kind)))

    async def _say(self, words: str, at: float) -> None:
        self.tell(WordsHeard(words, typed=True))
        if isinstance(self._listening, Record):
            self._sounds(await self._spoken(words), at)
        else:
            self._plan.append((at, WordsUnderstood(words)))

    async def _play(self, samples: bytes, at: float) -> None:
        ends = self._sounds(samples, at)
        command = self._listening
        ear = self._sound.ear if self._sound else None
        if isinstance(command, Recognize) and ear is not None:
            phrases = [phrase for choice in command.choices for phrase in choice.speech]
            words = await ear.understand(samples, phrases, language=command.language)
            self.tell(WordsHeard(words))
            if words is not None:
                self._plan.append((ends, WordsUnderstood(words)))

    def _sounds(self, samples: bytes, at: float) -> float:
        """Let samples be heard from then on; give the time of their end."""
        if self._recording_began is not None:
            gap = at - self._recording_began - len(self._recording) / BYTES_A_SECOND
            self._recording += silence(max(0.0, gap)) + samples
        ends = at + len(samples) / BYTES_A_SECOND
        self._plan += [(at, VoiceSignal(active=True)), (ends, VoiceSignal(active=False))]
        return ends

    async def _spoken(self, words: str) -> bytes:
        if self._sound is None:
            return b""
        return b"".join([piece.samples async for piece in spoken(typed(words), self._sound.renderer)])

    async def _length(self, prompt: PromptStarted) -> float:
        if self._sound is None:
            return 0.0
        seconds = 0.0
        async for piece in self._sound.renderer.render(prompt.segments):
            seconds += piece.seconds
        return seconds + (BEEP.seconds if prompt.beep else 0.0)
