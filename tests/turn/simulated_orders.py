"""The simulator's world with calls that the server places: an office orders one, its platform calls, or never can."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from ivr.engine.events import CallAnswered, CallNotAnswered, CallRinging, Event
from ivr.errors import StoreUnavailable
from ivr.ports import Dial, Exchange, Incoming, Leg, Outbound, WebhookReply
from tests.turn.simulated_stores import KEY, pause
from tests.turn.simulator import Flight, Line, World

CALL = "5f0c2e6f9f6b4a0b8d3a1c2b3d4e5f60"
PLACE = Outbound("place", "POST", "/calls", answered=True, once=True)


class CallingLine(Line):
    """A line whose platform takes orders."""

    def place(self, dial: Dial, *, now: float) -> Exchange:
        return Exchange(Leg(), outbound=(PLACE,))

    def answered(self, leg: Leg, request: Outbound, status: int, body: bytes, *, now: float) -> Exchange:
        return Exchange(leg, () if status < 300 else (CallNotAnswered("failed"),))


class SimRequests:
    """The worker of one incarnation: it sends the order once, whatever becomes of the answer."""

    def __init__(self, world: PlacedWorld) -> None:
        self._world = world

    def kick(self) -> None:
        self._world.serve(self.run())

    async def run(self) -> None:
        world = self._world
        await pause()
        if PLACE.id not in world.disk.outbound or world.sent:
            return
        world.sent = True  # durable, before it is sent
        await pause()
        world.taken = world.random.random() < 0.9
        await pause()
        for _ in range(5):
            with suppress(StoreUnavailable):
                await world.turns.answered(KEY, PLACE, 202 if world.taken else 503, b"")
                return


class PlacedWorld(World):
    """One schedule of a call that is ordered, again and again until that is known to be done."""

    sent = False
    "The request has left the server, which may know nothing of it: on the disk, as it were."
    taken = False
    "The platform has the order."
    known = False
    "The office was told that its order was taken."

    def _line(self) -> Line:
        return CallingLine()

    def _more_parts(self) -> dict[str, Any]:
        return {"requests": SimRequests(self)}

    def _start(self) -> None:
        super()._start()
        self.serve(SimRequests(self).run())

    async def platform(self) -> None:
        """Order a call, and be its platform: it rings, and somebody answers or not."""
        if not await self._ordered():
            return
        for _ in range(self.random.randrange(400)):
            if self.taken:
                break
            await pause()
        if not self.taken:
            return  # it never will be
        if self.random.random() < 0.7:
            self._tell("ringing", CallRinging())
        dice = self.random.random()
        if dice < 0.2:
            self._tell("nobody", CallNotAnswered("busy", 486))
        elif dice < 0.9:
            await self._hold((CallAnswered(),), starts=False)

    def _tell(self, message: str, event: Event) -> None:
        """Let the server know something that wants no commands: once or twice, and maybe late."""
        for _ in range(self.random.randrange(1, 3)):
            self.serve(self._notify(Incoming(KEY, message, (event,), wants="ack")))

    async def _ordered(self) -> bool:
        """Order the call; several orders may be under way at the same time, all of one key."""
        flights: list[Flight] = []
        for _ in range(4):
            flight = Flight()
            flights.append(flight)
            self._flights.append(flight)
            self.serve(self._order(flight))
            patience = self.random.randrange(1, 20)
            while patience and not any(one.reply for one in flights) and not flight.lost:
                patience -= 1
                await pause()
            if any(one.reply for one in flights):
                return True
        return False

    async def _order(self, flight: Flight) -> None:
        try:
            record = await self.turns.place(KEY, Dial(CALL, "+432", "+431"), self.flow, values={}, ordered="whole")
        except StoreUnavailable:
            flight.lost = True
            return
        stored = self.disk.load()
        if stored is None or stored.id != record.id or stored.ordered != "whole":
            self.violations.append("an order was taken before it was saved")
        self.known, flight.reply = True, WebhookReply()


def order_violations(world: PlacedWorld) -> Sequence[str]:
    """List what does not hold of the order."""
    found = []
    if world.disk.outbound.count(PLACE.id) != (world.disk.record is not None):
        found.append(f"the platform is asked for {world.disk.outbound}")
    if world.known and world.disk.record is None:
        found.append("an order was taken, and is lost")
    answers = [one for one in world.disk.steps() if isinstance(one.event, CallAnswered) and not one.ignored]
    return [*found, *(["the call was answered twice"] if len(answers) > 1 else [])]
