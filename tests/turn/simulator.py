"""A world in one thread: server, platform, speech engine and disk, with every crash and delay chosen by a seed.

The server's part is the real one: `Turns`, `advance`, the machine. Every suspension of it is a place where the
scheduler may let somebody else go on, let time pass, or kill the server: what was in memory is gone, what was
committed stays. The platform sends a message again, with the same id, when the server died under it or took too long,
and then has several of them in flight. No asyncio, no clock: the same seed gives the same schedule.
"""

from __future__ import annotations

import random
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from ivr.capabilities import Capabilities
from ivr.engine.commands import FETCH, Command, LineCommand
from ivr.engine.events import (
    CallEnded,
    CallReceived,
    Event,
    RecordingMade,
    RecordingReady,
    ServiceAnswered,
    ServiceFailed,
    Transcribed,
)
from ivr.engine.flow import Flow
from ivr.errors import StoreUnavailable, WebhookError
from ivr.ports import CallKey, Endpoint, Exchange, Fetch, Incoming, Leg, Outbound, WebhookReply, WebhookRequest
from ivr.server.closings import Closings
from ivr.storage import Order
from ivr.turn import Turns, TurnsInMemory
from tests.turn.simulated_person import Person, hung_up, with_media
from tests.turn.simulated_stores import KEY, Disk, SimStore, SimStoreInMemory, pause

IDLE = 60.0
GRACE = 20.0
BUDGET = 2.0


class Line:
    """A channel whose messages are events, and whose replies are commands, as JSON; it notes what it heard."""

    name = "sim"
    reads: frozenset[str] = frozenset()
    endpoints: Sequence[Endpoint] = ()
    can = Capabilities(
        push=False,
        recording="with the event",
        reply_within=5,
        reject=True,
        terminators=5,
        speech=True,
        languages=None,
    )

    def decode(self, request: WebhookRequest) -> Sequence[Incoming]:
        raise AssertionError("messages are made by the platform of the simulation")

    def hear(self, leg: Leg, incoming: Incoming, *, now: float) -> Exchange:
        heard = int(leg.notes.get(incoming.id, "0")) + 1
        assert isinstance(incoming.payload, tuple)
        return Exchange(Leg({**leg.notes, incoming.id: str(heard)}), incoming.payload)

    def speak(self, leg: Leg, commands: Sequence[LineCommand], *, now: float) -> Exchange:
        return Exchange(leg, reply=WebhookReply(200, msgspec.json.encode(list(commands))))

    def tick(self, leg: Leg, *, now: float) -> Exchange:
        raise AssertionError("this line never asks to be woken")

    def nothing(self, wants: Literal["commands", "ack"]) -> WebhookReply:
        return WebhookReply()


class LaterLine(Line):
    """A line whose recordings have to be fetched from it and deleted there, and that wants to be woken."""

    def hear(self, leg: Leg, incoming: Incoming, *, now: float) -> Exchange:
        heard = super().hear(leg, incoming, now=now)
        made = [event for event in heard.events if isinstance(event, RecordingMade)]
        events = tuple(with_media(event, None) for event in heard.events)
        fetches = tuple(
            Fetch(event.op, str(event.media), Outbound(f"{event.op}/delete", "DELETE", f"/{event.media}"))
            for event in made
        )
        return replace(heard, events=events, fetches=fetches, wake=now + 3.0)

    def speak(self, leg: Leg, commands: Sequence[LineCommand], *, now: float) -> Exchange:
        return replace(super().speak(leg, commands, now=now), wake=now + 3.0)

    def tick(self, leg: Leg, *, now: float) -> Exchange:
        return Exchange(leg)


class SimJobs:
    """The worker of one incarnation."""

    def __init__(self, world: World, store: SimStore) -> None:
        self._world = world
        self._store = store

    def kick(self) -> None:
        self._world.serve(self.run())

    async def run(self) -> None:
        for order in await self._store.claim("worker", now=self._world.now, lease=60.0, limit=10):
            self._world.serve(self._carry_out(order))

    async def _carry_out(self, order: Order) -> None:
        job = order.request.job
        for _ in range(self._world.random.randrange(6)):
            await pause()
        self._world.service_runs += 1
        event: Event
        if order.request.service == FETCH:
            media = f"fetched-{order.request.arguments['address']}-{self._world.random.random()}"
            self._world.disk.files.add(media)
            await pause()
            event = RecordingReady(job, media)
        else:
            event = ServiceAnswered(job, Transcribed(f"words of {order.request.arguments['media']}"))
        if self._world.random.random() < 0.1:
            event = ServiceFailed(job, "failed")
        await self._store.finish(order.call, job, event)
        self._world.serve(self._world.wake())

    async def settled(self, call: str, timeout: float) -> None:
        until = self._world.now + timeout
        while self._world.now < until and not self._world.disk.inbox:
            await pause()


class OneFlow:
    """The flow of the simulation."""

    def __init__(self, flow: Flow, random: random.Random) -> None:
        self._flow = flow
        self._random = random

    def choose(self, name: str | None, called: str) -> Flow:
        return self._flow

    def held(self, flow_hash: str) -> Flow | None:
        return self._flow if self._random.random() < 0.95 else None

    async def get(self, flow_hash: str) -> Flow:
        await pause()
        return self._flow


@dataclass(eq=False)
class Flight:
    """One sending of one message."""

    began: float = 0.0
    "When its recording began to come in, if it has one."
    reply: WebhookReply | None = None
    lost: bool = False


class World:
    """One schedule."""

    def __init__(
        self, seed: int, flow: Flow, store: type[SimStore] = SimStore, *, wakes: bool = True, later: bool = False
    ) -> None:
        """`later`: recordings come later than the news of them."""
        self.random = random.Random(seed)
        self._person = Person(self.random)
        self.flow = flow
        self.now = 1000.0
        self.disk = Disk()
        self.service_runs = 0
        self.replies: dict[str, set[bytes]] = {}
        self.violations: list[str] = []
        self.crashes = 0
        self.taken_now = 0
        self._store_class = store
        self._wakes = wakes
        self.later = later
        self._served: list[Coroutine[object, None, object]] = []
        self._outside: list[Coroutine[object, None, object]] = []
        self._flights: list[Flight] = []
        self._uploads: list[Flight] = []
        "The sendings whose audio is on its way."
        self.recorded: dict[str, float] = {}
        "The messages with a recording that were acknowledged, and when it began to come in."
        self._start()

    # --- the server ---

    def _start(self) -> None:
        self.store = self._store_class(self.disk, self)
        self.jobs = SimJobs(self, self.store)
        parts: dict[str, Any] = {
            "store": self.store,
            "channels": {"sim": self._line()},
            "flows": OneFlow(self.flow, self.random),
            "jobs": self.jobs,
            "uploads": self,
            "closings": Closings(Path("no-such-folder")),
            "now": lambda: self.now,
            "mint": lambda: f"{self.random.getrandbits(128):032x}",
            "idle": IDLE,
            "grace": GRACE,
            "budget": BUDGET,
            **self._more_parts(),
        }
        kind = TurnsInMemory if isinstance(self.store, SimStoreInMemory) else Turns
        self.turns: Turns[Any] = kind(**parts)
        self.jobs.kick()

    def _line(self) -> Line:
        return LaterLine() if self.later else Line()

    def _more_parts(self) -> dict[str, Any]:
        """Return what else the server has."""
        return {}

    def serve(self, task: Coroutine[object, None, object]) -> None:
        self._served.append(task)

    def crash(self) -> None:
        """Kill the server: no coroutine of it gets another turn, nothing it held is left."""
        self.crashes += 1
        for task in self._served:
            task.close()
        self._served.clear()
        for flight in self._flights:
            flight.lost = flight.reply is None
        self._flights.clear()
        self._uploads.clear()
        self._start()

    async def under_way(self, key: CallKey, *, before: float) -> bool:
        return any(flight.began < before for flight in self._uploads)

    async def _take(self, incoming: Incoming, flight: Flight, media: str | None) -> None:
        if media is not None:
            flight.began = self.now  # what is still on the network is no upload that a server could know of
            self._uploads.append(flight)
            for _ in range(self.random.randrange(1, 40)):
                await pause()  # the audio is on its way
            self.disk.files.add(media)
            events: Any = incoming.payload
            incoming = replace(incoming, payload=tuple(with_media(event, media) for event in events))
            await pause()
        reply = await self._reply_to(incoming)
        if media is not None:
            self._uploads.remove(flight)
        if reply is None:
            flight.lost = True
            return
        if media is not None:
            self.recorded.setdefault(incoming.id, flight.began)
        record = self.disk.load()
        if record is None or record.replies.get(incoming.id, reply) != reply or incoming.id not in record.leg.notes:
            self.violations.append(f"{incoming.id} was answered before it was saved")
        flight.reply = reply
        self.replies.setdefault(incoming.id, set()).add(reply.body)

    async def _reply_to(self, incoming: Incoming) -> WebhookReply | None:
        """Take a message as the server does, most of them at once where that can be; None: it could not be saved."""
        arrived = self.now
        told: list[WebhookReply | None] = []
        turns = self.turns if self.random.random() < 0.8 else None
        if isinstance(turns, TurnsInMemory) and turns.take_now(incoming, told=told.append):
            self.taken_now += 1
            while not told:
                await pause()
            if told[0] is not None:
                return told[0]
        try:
            return await self.turns.take(incoming, arrived=arrived)
        except StoreUnavailable:
            return None

    async def wake(self) -> None:
        """Wake the call; the server's clock does it again where it could not be saved."""
        with suppress(StoreUnavailable):
            await self.turns.wake(KEY)

    async def _notify(self, notice: Incoming) -> None:
        try:
            reply = await self._reply_to(notice)
        except WebhookError:
            return  # of a call that is not known yet
        if reply is not None and reply.body:
            self.violations.append(f"{notice.id} was answered with commands")

    # --- the platform ---

    async def platform(self) -> None:
        """One call, from ringing to its end, by a caller who does what the seed says."""
        await self._hold((CallReceived("29:caller", "28:bot"),), starts=True)

    async def _hold(self, said: tuple[Event, ...], *, starts: bool) -> None:
        """Hold a call that begins with these events, to its end; `starts`: its first message can open it."""
        message = 0
        while True:
            message += 1
            reply = await self._send(f"m{message}", said, starts=starts and message == 1)
            if reply is None:
                return  # the platform has given up: nothing more will come
            commands = msgspec.json.decode(reply.body or b"[]", type=list[Command])
            if not commands:
                return
            said = self._person.outcome(commands)

    async def _send(self, message: str, said: tuple[Event, ...], *, starts: bool) -> WebhookReply | None:
        flights: list[Flight] = []
        for sending in range(4):
            flight = Flight()
            flights.append(flight)
            self._flights.append(flight)
            media = None
            if any(isinstance(event, RecordingMade) for event in said):
                media = f"{message}-{sending}-{self.crashes}"
            incoming = Incoming(KEY, message, said, starts=starts)
            if not sending and hung_up(said) and self.random.random() < 0.5:  # the end is told apart, and overtakes
                self.serve(self._notify(Incoming(KEY, f"{message}-end", (CallEnded("caller"),), wants="ack")))
            self.serve(self._take(incoming, flight, media))
            if self.random.random() < 0.1:  # a notification: it tells nothing, and wants no commands
                notice = Incoming(KEY, f"{message}-notice-{sending}", (), wants="ack")
                self.serve(self._notify(notice))
            patience = self.random.randrange(5, 200)
            while patience and not any(f.reply for f in flights) and not flight.lost:
                patience -= 1
                await pause()
            for answered in flights:
                if answered.reply and self.random.random() < 0.95:
                    return answered.reply
        return None

    # --- the scheduler ---

    def run(self, *, crashes: float = 0.01) -> World:
        """Play the schedule to its end: first everybody, then only the server, then only its clock."""
        self._outside.append(self.platform())
        for _ in range(20_000):
            if not self._outside and not self._served:
                break
            if self.random.random() < crashes and self.crashes < 5:
                self.crash()
            elif self.random.random() < 0.1:
                self.now += self.random.choice([0.01, 0.3, 1.0, 5.0])
                if self._wakes and self.random.random() < 0.3:
                    self.serve(self.wake())
            else:
                self._let_one_go_on()
        self._settle()
        return self

    def _settle(self) -> None:
        """The platform is silent: deadlines alone have to end the call."""
        if self.random.random() < 0.5:
            self.crash()
        for _ in range(8):
            if self._wakes:
                self.serve(self.wake())
            while self._served:
                self._let_one_go_on()
            self.now += IDLE

    def _let_one_go_on(self) -> None:
        tasks = self._served if not self._outside or self.random.random() < 0.7 else self._outside
        if not tasks:
            return
        task = self.random.choice(tasks)
        try:
            task.send(None)
        except StopIteration:
            tasks.remove(task)
