"""The server's side of one call in this process: the real channel, turn, engine and store, with a clock that waits.

What a server has beside them comes with the call: the time of day, what services answer. So the same call on two lines
meets the same world.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from urllib.parse import urlsplit

from ivr.call_record import CallRecord, Stepped
from ivr.engine.commands import FETCH, Recognize, Record, Request, Transfer
from ivr.engine.events import Event, RecordingReady
from ivr.engine.flow import Flow
from ivr.errors import WebhookError
from ivr.ports import Channel, Incoming, Upload, WebhookReply, WebhookRequest
from ivr.server.arrivals import Arrivals
from ivr.store.memory.memory_calls import MemoryStore
from ivr.trace.case import Case
from ivr.trace.recorded import case_of
from ivr.turn import TurnsInMemory
from tests.lines.visit import Places, Question, Service, Visit

CALL = "0" * 32
IDLE, GRACE, BUDGET = 7200.0, 60.0, 2.0
SETTLING = 60
"Times that a call whose caller has gone is woken before it must be over."


class OneFlow:
    """The only flow there is."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def choose(self, name: str | None, called: str) -> Flow:
        return self.flow

    def held(self, flow_hash: str) -> Flow | None:
        return self.flow

    async def get(self, flow_hash: str) -> Flow:
        return self.flow


class Closed:
    """What the operator has closed."""

    def __init__(self, closed: Mapping[str, str]) -> None:
        self._closed = closed

    def of(self, calendars: Iterable[str]) -> Mapping[str, str]:
        return {name: self._closed[name] for name in calendars if name in self._closed}


class Services:
    """The worker, as turns see it: whatever is ordered is answered when it is waited for."""

    def __init__(self, service: Service, store: MemoryStore, now: Callable[[], float]) -> None:
        self._service = service
        self._store = store
        self._now = now
        self._asked = 0

    def kick(self) -> None:
        """Do nothing: services answer when they are waited for."""

    async def settled(self, call: str, timeout: float) -> None:
        """Let all orders be answered."""
        for order in await self._store.claim("worker", now=self._now(), lease=1e9, limit=10):
            await self._store.finish(order.call, order.request.job, self._answer(order.request))

    def _answer(self, request: Request) -> Event:
        if request.service == FETCH:  # no service of the flow's: the carrier has the recording, and gives it
            return RecordingReady(request.job, f"{request.job}.wav", 2.0)
        self._asked += 1
        return self._service(self._asked - 1, request)


class BotInMemory:
    """One call's server."""

    def __init__(self, flow: Flow, channel: Channel, visit: Visit) -> None:
        self.flow = flow
        self.channel = channel
        self.now = self._began = visit.began
        "Seconds since 1970."
        self.findings: list[str] = []
        "What the other side holds against the bot: documents that break its rules, and the like."
        self.store = MemoryStore()
        self.services = Services(visit.service, self.store, lambda: self.now)
        self.turns = TurnsInMemory(
            store=self.store,
            channels={channel.name: channel},
            flows=OneFlow(flow),
            jobs=self.services,
            uploads=Arrivals(),
            closings=Closed(visit.closed),
            now=lambda: self.now,
            mint=lambda: CALL,
            idle=IDLE,
            grace=GRACE,
            budget=BUDGET,
        )

    def at(self, seconds: float) -> None:
        """Let it be so many seconds since the call began; time never goes back."""
        self.now = max(self.now, self._began + seconds)

    async def take(self, request: WebhookRequest) -> WebhookReply:
        """Answer a request of the platform, as the server does."""
        try:
            decoded = self.channel.decode(request)
            if isinstance(decoded, WebhookReply):
                return decoded
            reply = self.channel.nothing("ack")
            for incoming in decoded:
                reply = await self._answered(incoming)
        except WebhookError as error:
            return WebhookReply(error.status, error.code.encode())
        return reply

    async def _answered(self, incoming: Incoming) -> WebhookReply:
        return await self.turns.take(incoming, arrived=self.now)

    async def settle(self) -> None:
        """Let time pass until the call is over: recordings and services may be waited for."""
        for _ in range(SETTLING):
            record = self.record
            if record is None or record.call.phase == "over":
                return
            await self.services.settled(record.id, 0.0)
            self.now += GRACE
            await self.turns.wake(record.key)
        self.now += IDLE
        if self.record is not None:
            await self.turns.wake(self.record.key)

    @property
    def record(self) -> CallRecord | None:
        """The call as it was saved last."""
        saved = self.store.calls.get(CALL)
        return saved.record if saved else None

    @property
    def trace(self) -> Sequence[Stepped]:
        """All that has happened."""
        return self.store.traces.get(CALL, [])

    def question(self) -> Question | None:
        """Return what the flow asks now."""
        record = self.record
        if record is None or not record.call.asked:
            return None
        op = record.call.asked[-1].op
        places, found = Places(), None
        for stepped in self.trace:
            places.take(stepped.path)
            for command in stepped.commands:
                if isinstance(command, Recognize | Record | Transfer):
                    found = Question(command.op, command, places.asked(), places.number)
        return found if found is not None and found.op == op else None

    def case(self) -> Case:
        """Return the call as a case."""
        assert self.record is not None
        return case_of(self.record, self.trace, self.flow, {})


def upload_of(audio: bytes, content_type: str, name: str) -> Upload:
    """Return a recording as the server hands it to a channel."""
    return Upload(f"{sha256(name.encode()).hexdigest()[:16]}.{content_type[-3:]}", len(audio), content_type, 2.0, audio)


def path_of(url: str) -> str:
    """Return the path of an address."""
    return urlsplit(url).path
