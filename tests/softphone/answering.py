"""An answering machine for the telephone to call: a tone for a prompt, another one for each key."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ivr.audio.g711 import A_LAW
from ivr.media.sound import tone
from ivr.rtp.codecs import payloads
from ivr.rtp.heard import Heard, KeyBegan, KeyEnded, SoundHeard
from ivr.softphone.dial_target import DialTarget, dial_target
from ivr.useragent.call_leg import CallLeg
from tests.useragent.parties import ENDPOINT, Open, Party, party

SECONDS = 0.3
PROMPT = payloads("PCMA", tone(400, SECONDS))
REPLY = payloads("PCMA", tone(800, SECONDS))
BYE_KEY = "0"
"It hangs up."


class AnsweringMachine:
    """Takes calls; `heard` has the loud frames and `keys` the keys of all of them."""

    def __init__(self, *, status: int = 200, speaks: bool = True) -> None:
        self.legs: list[CallLeg] = []
        self.keys: list[str] = []
        self.heard: list[bytes] = []
        self._status = status
        self._speaks = speaks
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, leg: CallLeg) -> None:
        self.legs.append(leg)
        leg.on_heard = lambda heard: self._heard(leg, heard)
        if self._status != 200:
            leg.reject(self._status, "Not Now")
            return
        leg.ring()
        task = asyncio.create_task(self._answer(leg))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, leg: CallLeg) -> None:
        await leg.answer()
        if self._speaks:
            leg.queue(PROMPT)

    def _heard(self, leg: CallLeg, heard: Heard) -> None:
        match heard:
            case SoundHeard(frame=frame) if A_LAW.loudness(frame) > 500:
                self.heard.append(frame)
            case KeyBegan(key=key):
                self.keys.append(key)
            case KeyEnded():
                if self.keys[-1] == BYE_KEY:
                    leg.hang_up('Q.850;cause=16;text="enough"')
                else:
                    leg.flush()
                    leg.queue(REPLY)


@asynccontextmanager
async def answering(
    machine: AnsweringMachine, *, policy: Open | None = None, address: str = "sip:support@{}:{}"
) -> AsyncIterator[DialTarget]:
    """Let a machine be called; gives the address."""
    async with party(policy=policy, endpoint=ENDPOINT, on_call=machine.take) as callee:
        yield target_of(callee, address)


def target_of(callee: Party, address: str = "sip:support@{}:{}") -> DialTarget:
    hop = callee.hop()
    return dial_target(address.format(hop.host, hop.port))
