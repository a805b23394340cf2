"""Somebody on the phone who does the next thing when the test says so; in between, the call stands still.

await caller.dials()
await caller.presses("1")
await caller.leaves()
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Self

from ivr.media import sound
from ivr.phone.callers.turn_based import REACTION, CallerAction, Leave, PlaySamples, Press, Situation, TurnBased
from ivr.phone.phone_events import Done, Ended, PhoneEvent, Replied
from ivr.phone.placed_call import Caller as Who
from ivr.phone.wire.line_news import LookAtLine
from tests.phone.calling import RECORDS, Phone
from tests.phone.people import QUICK
from tests.waiting import PATIENCE

HUM = 424.0
"Hertz of what the caller says where nobody has to understand it."


class Caller:
    """A `Person`. Each step returns when the server has answered to it, and the next thing could be done."""

    def __init__(self, phone: Phone, who: str, line: LookAtLine | None = None) -> None:
        """`line`: what the server is told of it."""
        self.who = who
        self._line = line
        self.events: list[PhoneEvent] = []
        self._platform = phone.platform(phone.way, QUICK)
        self._steps: asyncio.Queue[tuple[CallerAction, ...]] = asyncio.Queue()
        self._rest: deque[CallerAction] | None = None
        "What is still to be done about the workflow; None: nobody has said yet."
        self._still = asyncio.Event()

    async def dials(self) -> Self:
        placed = self._platform.place(TurnBased(self, RECORDS), who=Who(caller=self.who), line=self._line)
        self._call = asyncio.create_task(placed)
        self._call.add_done_callback(lambda _: self._still.set())
        return await self._stands_still()

    async def presses(self, keys: str) -> Self:
        """Hear the prompt to its end, then press the keys."""
        return await self._does(Press(keys))

    async def speaks(self, seconds: float = 1.0) -> Self:
        """Leave a recording of so many seconds: a hum, with the moments before it and before the key that ends it."""
        assert seconds > 2 * REACTION
        return await self._does(PlaySamples(sound.tone(HUM, seconds - 2 * REACTION)), Press("#"))

    async def is_silent(self) -> Self:
        """Do nothing for as long as the line has patience."""
        return await self._does()

    async def hears_the_end(self) -> Self:
        """Hear the last words, and the line go dead."""
        await self._does()
        assert self._call.result().by == "bot"
        return self

    async def leaves(self) -> Self:
        """Hang up at once, whatever is being said."""
        await self._does(Leave())
        assert self._call.result() == Ended("caller", "left")
        return self

    async def vanishes(self) -> None:
        """Be gone with the phone and its platform: nothing is ever reported again."""
        self._call.cancel()
        await asyncio.wait([self._call])

    # --- the person ---

    def tell(self, event: PhoneEvent) -> None:
        self.events.append(event)
        if isinstance(event, Done):
            self._rest = None

    async def act(self, situation: Situation) -> CallerAction | None:
        if self._rest is None:
            self._still.set()
            self._rest = deque(await self._steps.get())
        listens = situation.listening is not None and not situation.prompt
        return self._rest.popleft() if self._rest and (listens or self._rest[0] == Leave()) else None

    async def _does(self, *caller_actions: CallerAction) -> Self:
        assert not self._call.done(), "the call is over"
        self._still.clear()
        self._steps.put_nowait(caller_actions)
        return await self._stands_still()

    async def _stands_still(self) -> Self:
        async with asyncio.timeout(PATIENCE):
            await self._still.wait()
        if self._call.done():
            self._call.result()  # or what broke the phone
        assert {event.status for event in self.events if isinstance(event, Replied)} == {200}
        return self
