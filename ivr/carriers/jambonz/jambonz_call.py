"""One call with a handset at its end and a bot at the other: what `CallMachine` wants is done, in order.

Time is the handset's: it stands still while a bot is asked where the caller's does, and passes where it is real.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from ivr.carriers.jambonz.call_effects import Post, StreamEnded, StreamOpened, StreamText, Wanted
from ivr.carriers.jambonz.call_info import CallFacts
from ivr.carriers.jambonz.call_machine import Application, CallMachine
from ivr.carriers.jambonz.caller_stream import (
    FRAME,
    NoStreams,
    Stream,
    StreamRefused,
    Streams,
    asked_for,
    at_rate,
    is_end,
)
from ivr.carriers.jambonz.hook_delivery import HookDelivery
from ivr.carriers.jambonz.verbs import Gather, Hook, Listen
from ivr.carriers.misbehaviour import Misbehaviour
from ivr.line import CallerLeft, Effect, Listening, PromptEnded, PromptFailed
from ivr.phone.handset import Handset
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.phone_events import Dialled, Ended, ListensFor, PromptOver, StateChanged, events_of_effect

LIMITS = PhoneLimits()
NO_MISDEEDS = Misbehaviour()
AHEAD = 0.1
"Seconds of sound that are sent before the caller is asked again."


class Detection(Struct, frozen=True):
    """What is found out of who has answered a call."""

    at: float
    "By the handset's time."
    hook: Hook
    payload: Mapping[str, Any]


class JambonzCall:
    """One call. `run` it once."""

    def __init__(
        self,
        facts: CallFacts,
        application: Application,
        *,
        handset: Handset,
        delivery: HookDelivery,
        streams: Streams | None = None,
        misbehaviour: Misbehaviour = NO_MISDEEDS,
        detections: Sequence[Detection] = (),
        limits: PhoneLimits = LIMITS,
    ) -> None:
        """Prepare a call; `detections` are told beside it, in order, if it lasts that long."""
        self.machine = CallMachine(facts, application, limits)
        self._handset = handset
        self._delivery = delivery
        self._streams = streams or NoStreams()
        self._misbehaviour = misbehaviour
        self._hook = application.call_hook if isinstance(application.call_hook, str) else application.call_hook.url
        self._stream: _OpenStream | None = None
        self._asked = 0
        self._detections = deque(detections)

    async def run(self) -> Ended:
        """Hold a call that comes in to its end. Never raises for anything that the bot does."""
        self._handset.tell(Dialled(self.machine.info.facts.call_sid, self._hook))
        self._handset.tell(StateChanged("incoming"))
        self.machine.begin(self._handset.now())
        return await self.hold()

    async def hold(self) -> Ended:
        """Hold a call that has begun to its end."""
        try:
            await self.settle()
            while self.machine.ended is None:
                await (self._send_sound(stream) if (stream := self._stream) else self._wait())
                await self.settle()
        finally:
            if self._stream is not None:
                await self._stream.stream.drop()
        self._handset.tell(StateChanged("terminated"))
        self._handset.tell(self.machine.ended)
        return self.machine.ended

    async def _wait(self) -> None:
        """Let happen what happens next."""
        machine = self.machine
        until = machine.deadline
        if self._detections:
            until = min(until, self._detections[0].at)
        signal = await self._handset.next(until)
        self._detect()
        if isinstance(signal, PromptEnded | PromptFailed) and machine.running is not None:
            self._handset.tell(PromptOver(machine.running.op, interrupted=False))
        machine.take(signal, self._handset.now())

    def _detect(self) -> None:
        while self._detections and self._detections[0].at <= self._handset.now():
            found = self._detections.popleft()
            self.machine.detected(found.hook, found.payload)

    # --- what is wanted ----------------------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Do what is wanted, and what that leads to."""
        wanted = deque(self.machine.taken())
        while wanted:
            if self._misbehaviour.does("status-first"):
                wanted = deque(sorted(wanted, key=_comes_last))
            await self._do(wanted.popleft())
            wanted += self.machine.taken()

    async def _do(self, one: Wanted) -> None:
        match one:
            case Post():
                await self._post(one)
            case StreamOpened(verb=verb, first=first):
                await self._open(verb, first)
            case StreamText(text=text):
                if self._stream is not None:
                    await self._send(self._stream, text, self._handset.now())
            case StreamEnded():
                stream, self._stream = self._stream, None
                if stream is not None:
                    await stream.stream.close()
            case _ if isinstance(one, Effect):
                self._perform(one)
            case _:
                self._handset.tell(one)

    def _perform(self, effect: Effect) -> None:
        running = self.machine.running
        verb = running.verb if running is not None else None
        if isinstance(effect, Listening) and isinstance(verb, Gather) and "speech" in verb.input:
            self._handset.tell(ListensFor(effect.op, "anything"))
        else:
            for event in events_of_effect(effect, ""):
                self._handset.tell(event)
        self._handset.perform(effect)

    async def _post(self, post: Post) -> None:
        asking = self._delivery.post(post.hook, post.payload, is_first=post.kind == "call")
        if not post.awaited:
            answer = await asking
            if post.kind == "amd":
                self.machine.replaced(answer, self._handset.now())
            return
        self._asked += 1
        if self._misbehaviour.does("hangup-open") and self._asked == self._misbehaviour.hangs_up_at:
            open_hook = asyncio.create_task(asking)
            await asyncio.sleep(0)  # the hook is on its way
            self.machine.take(CallerLeft(), self._handset.now())
            await self.settle()
            await open_hook
            return
        answer = await asking
        self.machine.answered(post, answer, self._handset.now())

    # --- the stream --------------------------------------------------------------------------------------------------

    async def _open(self, verb: Listen, first: str) -> None:
        try:
            stream = await self._streams.open(asked_for(verb))
        except StreamRefused as error:
            self.machine.stream_over(self._handset.now(), str(error))
            return
        self._stream = _OpenStream(stream, self._handset.now(), round(verb.sample_rate))
        self.machine.stream_open(self._handset.now())
        await self._send(self._stream, first, self._handset.now())

    async def _send_sound(self, stream: "_OpenStream") -> None:
        """Let happen what happens next, and send the sound until then."""
        now = self._handset.now()
        signal = await self._handset.next(min(self.machine.deadline, now + AHEAD))
        now = self._handset.now()
        frames = max(0, round((now - stream.began - stream.sent) / FRAME))
        sound = self._handset.caller_sound(stream.sent, stream.sent + frames * FRAME)
        size = len(sound) // frames if frames else 0
        for number in range(frames):
            if self._stream is not stream:
                break
            frame = sound[number * size : (number + 1) * size]
            stream.sent += FRAME
            await self._send(stream, at_rate(frame, stream.rate), stream.began + stream.sent)
            if self._misbehaviour.does("socket-dropped") and stream.sent >= self._misbehaviour.drops_after:
                await stream.stream.drop()
                self._over("the socket broke off", now)
        self.machine.take(signal, now)

    async def _send(self, stream: "_OpenStream", frame: bytes | str, now: float) -> None:
        try:
            said = await stream.stream.send(frame)
        except StreamRefused as error:
            self._over(str(error), now)
            return
        if any(map(is_end, said)):
            await stream.stream.close()
            self._over("", now)

    def _over(self, why: str, now: float) -> None:
        self._stream = None
        self.machine.stream_over(now, why)


class _OpenStream(Struct):
    """A stream, and how much of the caller's sound it has had."""

    stream: Stream
    began: float
    "By the handset's time."
    rate: int
    sent: float = 0.0
    "Seconds."


def _comes_last(one: Wanted) -> bool:
    """Return whether it tells what ended a call, so that it may come after the end itself."""
    return isinstance(one, Post) and one.kind == "action"
