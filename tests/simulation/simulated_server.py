"""One life of one server of many: all that decides is the server's own code, and only what it talks to is played."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct
from msgspec.structs import replace

from ivr.coordination import Coordination, LocalCoordination
from ivr.engine.commands import FETCH
from ivr.engine.events import RecordingReady, ServiceAnswered, Transcribed
from ivr.engine.flow import Flow
from ivr.errors import StoreUnavailable
from ivr.news import Topic
from ivr.ports import Incoming, Upload, WebhookReply
from ivr.server.arrivals import Arrivals
from ivr.server.closings import Closings
from ivr.server.jobs import Worker
from ivr.server.ticker import every, wake_due
from ivr.services.service import ServiceError
from ivr.storage import Order
from ivr.store.postgres.postgres_replica import Replica
from ivr.store.shared_calls import SharedCalls
from ivr.turn import TurnsInMemory
from tests.simulation.simulated_wire import SimulatedNews, SimulatedWire
from tests.simulation.twin_database import Beats, TwinDatabase
from tests.turn.simulated_person import with_media

if TYPE_CHECKING:
    from tests.simulation.simulated_world import World

IDLE, GRACE, BUDGET = 60.0, 4.0, 2.0
BEAT, DEAD = 2.0, 6.0
LEASE = 4.0
TICK = 1.0


class Parts(Struct, frozen=True):
    """Of what a server is made: a test puts in something broken, and sees it found."""

    calls: type[SharedCalls] = SharedCalls
    worker: type[Worker] = Worker
    replica: type[Replica] = Replica
    coordination: type[LocalCoordination] = LocalCoordination
    wakes: bool = True


class Sending(Struct, eq=False):
    """A message on its way, once."""

    incoming: Incoming
    media: str | None
    "The name of its recording."
    upload: float
    "Seconds that the recording takes to come in."
    is_large: bool
    answer: asyncio.Future[WebhookReply | None]
    "Of the platform; None: it was refused, or the connection broke."
    began: float = 0.0


class Server:
    """A process, from its start to its end."""

    def __init__(self, world: World, name: str) -> None:
        self.name = name
        self.world = world
        self.loop = world.time.loop(name)
        self.wire = SimulatedWire(world.network, self.loop)
        self.serves = False
        self.was_frozen = False
        "Stopped for a while, or cut off."
        self.sendings: dict[Sending, None] = {}
        self._skew = world.chance.uniform(-0.3, 0.3)
        self.news = SimulatedNews(self._tell_others)
        with self.loop.running():
            self.loop.create_task(self._start())

    def now(self) -> float:
        """Return the time by the server's own clock."""
        return self.world.time.now + self._skew

    async def _start(self) -> None:
        world, parts = self.world, self.world.parts
        beats = Beats(world.tables, self.wire, lambda: world.time.now)
        self.replica = parts.replica(cast("Any", beats), self.name, beat=BEAT, dead=DEAD)
        database = TwinDatabase(world.tables, self.wire, self.replica, self.news)
        while True:
            with suppress(StoreUnavailable):
                await database.open()
                break
            await asyncio.sleep(1.0)
        self.store = parts.calls(database, self.news, cached=world.chance.choice((1, 100)))
        self.worker = parts.worker(
            self.store, world.services_of(self), news=self.news, now=self.now, lease=LEASE, at_once=2
        )
        self.arrivals = Arrivals(cast("Coordination", world.coordination_of(self)), now=self.now)
        self.turns = TurnsInMemory(
            store=self.store,
            channels={"sim": world.line},
            flows=SomeFlow(self),
            jobs=self.worker,
            uploads=self.arrivals,
            closings=Closings(Path("no-such-folder")),
            now=self.now,
            mint=lambda: f"{world.chance.getrandbits(128):032x}",
            idle=IDLE,
            grace=GRACE,
            budget=BUDGET,
        )
        self.worker.start(self.turns.wake)
        self._chores = [self.loop.create_task(every(TICK, self._tick, name="wake"))]
        self._chores.append(self.loop.create_task(every(TICK, self.arrivals.tell, name="uploads")))
        self.serves = True

    async def _tick(self) -> None:
        self.worker.kick()
        if self.world.parts.wakes:
            await wake_due(self.store, self.turns.wake, self.now())

    async def close(self) -> None:
        """End in order, as for an upgrade."""
        self.serves = False
        while self.sendings:
            await asyncio.sleep(0.1)
        await self.worker.close()
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        await self.store.close()

    # --- what comes in ---

    async def receive(self, sending: Sending) -> None:
        """Take a message as it comes, and answer it."""
        self.sendings[sending] = None
        try:
            reply = await self._answered(sending)
        except StoreUnavailable:
            reply = None
        finally:
            self.sendings.pop(sending, None)
        if reply is not None:
            self.world.note_reply(self, sending, reply)
        self.world.send_back(sending, reply)

    async def _answered(self, sending: Sending) -> WebhookReply:
        arrived, incoming = self.now(), sending.incoming
        sending.began = self.world.time.now
        if sending.media is None:
            return await self._turn(incoming, arrived)
        with self.arrivals.count(arrived) as arrival:
            arrival.calls = frozenset({incoming.key})
            await asyncio.sleep(sending.upload)
            audio = f"the sound of {sending.media}".encode()
            if sending.is_large:
                await self.wire.ask(lambda: self.world.tables.files.update({sending.media: audio}))
            payload = tuple(with_media(event, sending.media) for event in cast("Sequence[Any]", incoming.payload))
            upload = Upload(sending.media, len(audio), "audio/wav", audio=None if sending.is_large else audio)
            incoming = replace(incoming, payload=payload, upload=upload)
            try:
                return await self._turn(incoming, arrived)
            finally:
                if sending.is_large:
                    with suppress(StoreUnavailable):
                        if not await self.store.named(sending.media):
                            await self.wire.ask(lambda: self.world.tables.files.pop(sending.media, None))

    async def _turn(self, incoming: Incoming, arrived: float) -> WebhookReply:
        """Take a message as the server does: most of them at once where that can be."""
        told = self.loop.create_future()
        if self.world.chance.random() < 0.8 and self.turns.take_now(incoming, arrived=arrived, told=told.set_result):
            self.world.taken_now += 1
            if (reply := await told) is not None:
                return reply
        return await self.turns.take(incoming, arrived=arrived)

    def _tell_others(self, topic: Topic, about: str) -> None:
        self.world.spread_news(self, topic, about)


class SomeFlow:
    """The one flow: a server has it in memory, or has to read it first."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def choose(self, name: str | None, called: str) -> Flow:
        return self._server.world.flow

    def held(self, flow_hash: str) -> Flow | None:
        return self._server.world.flow if self._server.world.chance.random() < 0.95 else None

    async def get(self, flow_hash: str) -> Flow:
        if self._server.world.chance.random() < 0.05:
            await asyncio.sleep(0.01)
        return self._server.world.flow


class SimulatedService:
    """Everything that is asked of services."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def run(self, order: Order) -> ServiceAnswered | RecordingReady:
        server, world = self._server, self._server.world
        world.note_run(server, order)
        try:
            return await self._answer(order)
        finally:
            world.running.discard((server.name, order.call, order.request.job))

    async def _answer(self, order: Order) -> ServiceAnswered | RecordingReady:
        server, world = self._server, self._server.world
        request, job = order.request, order.request.job
        await asyncio.sleep(world.chance.choice((0.0, 0.05, 0.5, 1.5, 3.0, 7.0)))
        if world.chance.random() < 0.1:
            raise ServiceError("failed")
        if request.service != FETCH:
            media = str(request.arguments["media"])
            if not await server.wire.ask(lambda: world.tables.has_recording(media)):
                world.violations.append(f"the recording {media} is not there for whoever transcribes it")
            return ServiceAnswered(job, Transcribed(f"words of {media}"))
        media = f"fetched-{request.arguments['address']}-{world.chance.getrandbits(32)}"
        audio = f"the sound of {media}".encode()
        await server.wire.ask(lambda: world.tables.files.update({media: audio}))
        return RecordingReady(job, media)
