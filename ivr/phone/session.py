"""A live call: what a person does goes in as commands, what happens comes out as events, time is real.

This is the interface for every face of the phone that a person uses (a page, a terminal with sound):

    async with platform(Target(bot="http://127.0.0.1:8080/call")) as phone:
        session = Session(phone, sound)
        session.dial()
        async for event in session.events():            # ivr.phone.phone_events, the last one is Ended
            ...

Commands, at any time and from the event loop's thread; none of them waits, and after the end none does anything:

    press("12#")            keys, one after the other          key_down("1"), key_up()   a key that is held
    say("technical issues") typed words, in place of a voice   audio(samples)            a microphone's samples
    trouble()               the line breaks                    hang_up()                 the caller leaves

`audio` takes 16 kHz, mono, 16 bit little endian, in pieces of any length, all the time: voice and silence are told
apart here. A line with another codec hands in the `Microphone` that takes its frames, and tells it of a change
(`Microphone.use`). Prompts come as `PromptBegan`, then `PromptAudio` (each piece as soon as it is spoken, or in frames
of 20 ms at their time if `paced`), then `PromptOver`, upon which a player stops at once. Without a voice there is no
`PromptAudio`.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import aclosing
from typing import Any, TypeAlias, TypeVar

from ivr.audio.formats import RATE
from ivr.engine.commands import Recognize, Record, Segment, Transfer, recorded_as
from ivr.engine.events import PHONE_KEYS
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
    RecordingEnded,
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
from ivr.line.listening import by_voice
from ivr.media.capture import CapturedSound
from ivr.media.microphone import Microphone
from ivr.media.pacing import Clock, LoopClock
from ivr.media.player import Player
from ivr.media.sound import EncodedRecording, Sound, Unplayable
from ivr.phone.handset import typed
from ivr.phone.phone_events import (
    Ended,
    HangingUp,
    KeyHeard,
    OnTheLine,
    PhoneEvent,
    PromptAudio,
    VoiceHeard,
    WordsHeard,
)
from ivr.phone.placed_call import Caller
from ivr.phone.platform import PlacesCalls
from ivr.phone.wire.line_news import LookAtLine

T = TypeVar("T")

ConnectCaller: TypeAlias = Callable[[Transfer], Awaitable[int]]
"""Connect the caller with somebody else, and return the answer as a SIP status, 2xx if it is done.

Cancelled if the caller leaves meanwhile, or nobody answers for too long; raises nothing."""


async def nobody_else(_: Transfer) -> int:
    """Connect the caller with nobody, and say that it was done: for a phone on which a bot is tried."""
    return 200


class Session:
    """One live call; its own handset."""

    def __init__(
        self,
        phone: PlacesCalls,
        sound: Sound,
        *,
        clock: Clock | None = None,
        paced: bool = False,
        microphone: Microphone | None = None,
        connect: ConnectCaller = nobody_else,
    ) -> None:
        """Prepare a call; nothing happens before `dial`. `connect` is asked for allowed addresses alone."""
        self._connect = connect
        self._connecting: asyncio.Task[None] | None = None
        self._phone = phone
        self._sound = sound
        self._clock = clock or LoopClock()
        self._events: asyncio.Queue[PhoneEvent | None] = asyncio.Queue()
        self._signals: deque[Signal] = deque()
        self._arrived = asyncio.Event()
        self._left = False
        self._streamed = 0
        "Bytes of the recording that a line has streamed."
        self._listening: Recognize | Record | None = None
        self.player = Player(sound.renderer, self._clock, paced=paced)
        "Counts late frames, for measurements."
        self._playing: asyncio.Task[None] | None = None
        self._expecting: asyncio.Task[None] | None = None
        "The prompts that come next, on their way to be made."
        self._microphone = microphone or Microphone()
        self._speaking: set[asyncio.Task[None]] = set()
        "Typed words that are being recorded."
        self._understanding: tuple[Recognize, asyncio.Task[str | None]] | None = None
        "What was said before the last pause, for the question that was asked then; None: the engine was still busy."
        self._early: asyncio.Task[str | None] | None = None
        "The last one that was begun in a pause."
        self._tasks: set[asyncio.Task[Any]] = set()
        self._call: asyncio.Task[Ended] | None = None

    # --- the call, and its events -----------------------------------------------------------------------------------

    def dial(self, who: Caller | None = None, *, bot: str | None = None, line: LookAtLine | None = None) -> None:
        """Place the call; `bot` is another address than the phone's, `line` what it is told of the line."""
        self._call = asyncio.create_task(self._phone.place(self, who=who, bot=bot, line=line))
        self._call.add_done_callback(self._over)

    async def events(self) -> AsyncIterator[PhoneEvent]:
        """Return what happens, to one reader, until the call is over."""
        while (event := await self._events.get()) is not None:
            yield event
        await self.ended()

    async def ended(self) -> Ended:
        """Wait for the end of the call."""
        if self._call is None:
            raise RuntimeError("dial first")
        return await self._call

    async def close(self) -> None:
        """Leave nothing running; for a face that is closed in the middle of a call, which is hung up (`Platform`)."""
        for task in (self._call, *self._tasks):
            if task is not None:
                task.cancel()
        await asyncio.gather(*(task for task in (self._call, *self._tasks) if task), return_exceptions=True)

    # --- commands -------------------------------------------------------------------------------------------------

    def press(self, keys: str) -> None:
        """Press keys one after the other; raise ValueError for anything that is not a key."""
        for key in keys:
            self.key_down(key)
            self.key_up()

    def key_down(self, key: str) -> None:
        """Hold a key; raise ValueError for anything that is not a key."""
        if key not in PHONE_KEYS:
            raise ValueError("a key is one of 0-9, *, #, A-D")
        self.tell(KeyHeard(key))
        self._put(KeyDown(key))

    def key_up(self) -> None:
        """Let go of the key."""
        self._put(KeyUp())

    def say(self, words: str) -> None:
        """Speak words without a microphone: they are understood as typed, and recorded in the phone's voice."""
        if isinstance(self._listening, Record):
            self._speaking.add(self._begin(self._speak(words)))
            return
        self.tell(WordsHeard(words, typed=True))
        self._put(WordsUnderstood(words))

    def audio(self, data: bytes) -> None:
        """Take what a microphone heard, in the form that it captures."""
        ended = False
        for active in self._microphone.hear(data):
            self.tell(VoiceHeard(active))
            ended = not active
            if active:
                self._put(VoiceSignal(active=True))
        paused, utterance = self._microphone.paused(), self._microphone.utterance()
        command = self._listening if self._sound.ear else None
        if paused and isinstance(command, Recognize):
            # An engine takes its time, so it begins in a pause. If the voice goes on, that was for nothing; so there is
            # one at a time, or other callers would wait for all the pauses of one who talks on.
            self._understanding = None
            if self._early is None or self._early.done():
                self._early = self._begin(self._words(paused, command))
                self._understanding = command, self._early
        if utterance and isinstance(command, Recognize):
            # The line waits for a sound that may still become a choice: it ends, for the line, when it is understood.
            asked, words = self._understanding or (None, None)
            self._begin(self._understand(command, words if asked is command else None, utterance))
        elif ended:
            self._put(VoiceSignal(active=False))

    def trouble(self) -> None:
        """Let the line break in what it does."""
        self._put(Trouble())

    def hang_up(self) -> None:
        """Leave; also while the bot has not answered yet."""
        if not self._left and self._call is not None and not self._call.done():
            self.tell(HangingUp())
        self._left = True
        self._arrived.set()

    # --- the handset (ivr.phone.handset) --------------------------------------------------------------------------

    def now(self) -> float:
        """Return the clock's time."""
        return self._clock.now()

    def tell(self, event: PhoneEvent) -> None:
        """Hand an event on."""
        if not (self._left and isinstance(event, OnTheLine)):
            self._events.put_nowait(event)

    def expect(self, prompts: Sequence[Sequence[Segment]]) -> None:
        """Let the voice speak what comes next, one text after the other, while what comes first is heard.

        One at a time, since what is heard now is not to wait for what is heard later. What a list before this one would
        have come to is not made any more: it was interrupted.
        """
        if self._expecting is not None:
            self._expecting.cancel()
        segments = [segment for prompt in prompts for segment in prompt]
        self._expecting = self._begin(self._sound.renderer.prepare(segments)) if segments else None

    def perform(self, effect: Effect) -> None:
        """Make sound, or stop."""
        match effect:
            case PromptStarted():
                self._playing = self._begin(self._play(effect))
            case PromptStopped() if self._playing:
                self._playing.cancel()
                # An end that was on its way would end the next prompt.
                self._drop(PromptEnded, PromptFailed)
            case Listening(command=command):
                self._listen(command)
            case RecordingStarted():
                self._streamed = 0
                self._microphone.record()
                if self._microphone.active:  # since before this list of commands, which has not heard of it
                    self._put(VoiceSignal(active=True))
            case TransferStarted(command=command):
                self._connecting = self._begin(self._transfer(command))
            case RecordingEnded() | Finished():
                if self._connecting is not None:
                    self._connecting.cancel()
                self._microphone.keep()
                self._listening = None
                while self._speaking:  # words after the recording are not spoken
                    self._speaking.pop().cancel()

    def _listen(self, command: Recognize | Record) -> None:
        self._listening = command
        # What was said or pressed before the question does not answer it, unless it keeps keys.
        self._microphone.forget()
        self._drop(WordsUnderstood)
        if not (isinstance(command, Recognize) and command.type_ahead):
            self._drop(KeyDown, KeyUp)

    async def next(self, deadline: float | None) -> Signal:
        """Return what happens next."""
        if not self._signals and not self._left:
            timer = None if deadline is None else self._clock.call_at(deadline, self._arrived.set)
            self._arrived.clear()
            await self._arrived.wait()
            if timer is not None:
                timer.cancel()
        return self._next()

    async def recording(self, command: Record, seconds: float) -> EncodedRecording | None:
        """Encode what was recorded."""
        recorded = self._microphone.recorded()
        samples = await recorded.samples(recorded.rate, seconds)
        return await self._sound.encoder.encode(samples, recorded_as(command), recorded.rate)

    def caller_sound(self, begin: float, end: float) -> bytes:
        """Return the next stretch of the recording, as long as that between `begin` and `end`.

        What has come is taken in order; where nothing has come in time, silence takes its place, and it comes later.
        """
        wanted = 2 * round((end - begin) * RATE)
        samples = self._microphone.recorded_from(self._streamed, wanted)
        self._streamed += len(samples)
        return samples.ljust(wanted, b"\0")

    # ---------------------------------------------------------------------------------------------------------------

    def _next(self) -> Signal:
        if self._left:
            return CallerLeft()
        return self._signals.popleft() if self._signals else Tick()

    def _put(self, signal: Signal) -> None:
        self._signals.append(signal)
        self._arrived.set()

    def _drop(self, *kinds: type[Signal]) -> None:
        self._signals = deque(one for one in self._signals if not isinstance(one, kinds))

    async def _play(self, prompt: PromptStarted) -> None:
        try:
            await self.player.play(
                prompt.segments, lambda samples: self.tell(PromptAudio(prompt.op, samples)), beep=prompt.beep
            )
        except Unplayable as error:
            self._put(PromptFailed(str(error)))
        else:
            self._put(PromptEnded())

    async def _transfer(self, command: Transfer) -> None:
        status = await self._connect(command)
        self._put(Transferred() if 200 <= status < 300 else TransferFailed(status, f"the other side answered {status}"))

    async def _speak(self, words: str) -> None:
        self.tell(WordsHeard(words, typed=True))
        async with aclosing(self._microphone.speak(typed(words), self._sound.renderer, self._clock)) as changes:
            async for active in changes:
                self._put(VoiceSignal(active))

    async def _understand(
        self, command: Recognize, begun: asyncio.Task[str | None] | None, utterance: CapturedSound
    ) -> None:
        """Answer with what was begun in the pause; if the question came later than that, with the utterance."""
        words = await (begun or self._words(utterance, command))
        if by_voice(command):
            self.tell(WordsHeard(words))
        if words is not None and self._listening is command:
            self._put(WordsUnderstood(words))
        if not self._microphone.active:
            self._put(VoiceSignal(active=False))

    async def _words(self, said: CapturedSound, command: Recognize) -> str | None:
        phrases = [phrase for choice in command.choices for phrase in choice.speech]
        if self._sound.ear is None or not (phrases or command.free):
            return None
        return await self._sound.ear.understand(await said.samples(RATE), phrases, language=command.language)

    def _begin(self, work: Coroutine[None, None, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _over(self, _: object) -> None:
        for task in self._tasks:
            task.cancel()
        # What was cancelled remembers where, and `connect` may belong to who has this session: nothing of it is left to
        # the collector of cycles.
        self._playing, self._expecting, self._connecting, self._connect = None, None, None, nobody_else
        self._understanding = self._early = None
        self._events.put_nowait(None)
