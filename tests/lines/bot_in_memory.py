"""The server's side of one call in this process: the real channel, turn, engine and store, with a clock that waits.

What a server has beside them is made here by the seed alone: the time of day, what services answer, and whether that
is in time. So the same call on two lines meets the same world.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from random import Random
from urllib.parse import urlsplit

from ivr.call_record import CallRecord, Stepped
from ivr.engine.commands import Recognize, Record, Request, Transfer
from ivr.engine.events import Event, HttpAnswered, ServiceAnswered, ServiceFailed, Transcribed
from ivr.engine.flow import Flow
from ivr.engine.web_orders import HTTP
from ivr.errors import WebhookError
from ivr.ports import Channel, Incoming, Upload, WebhookReply, WebhookRequest
from ivr.server.arrivals import Arrivals
from ivr.store.memory import MemoryStore
from ivr.trace.case import Case
from ivr.trace.recorded import case_of
from ivr.turn import TurnsInMemory
from tests.lines.generated_caller import Question

CALL = "0" * 32
IDLE, GRACE, BUDGET = 7200.0, 60.0, 2.0
TIMES = (1_795_168_800.0, 1_795_194_000.0, 1_795_269_600.0, 1_795_442_400.0, 1_798_192_800.0)
"When calls come in, in seconds since 1970: on days and at hours at which offices are open, and closed."
SERVED = {
    "slots": [{"id": str(hour), "day": "2026-12-01", "time": f"{hour:02}:00"} for hour in range(8, 13)],
    "reference": "A7",
    "state": "paid",
    "total": 12.5,
    "day": None,
}
"What web services answer: all that any shipped flow looks for."
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


class NothingClosed:
    """An operator who has closed nothing."""

    def of(self, calendars: object) -> Mapping[str, str]:
        return {}


class SeededServices:
    """The worker: answers as chance has it, which is the same for the n-th request of a call on every line."""

    def __init__(self, seed: int, store: MemoryStore, now: Callable[[], float]) -> None:
        self._seed = seed
        self._store = store
        self._now = now
        self._answered = 0
        self._late: set[str] = set()

    def kick(self) -> None:
        """Do nothing: services answer when they are waited for."""

    async def settled(self, call: str, timeout: float) -> None:
        """Let all orders be answered, but for those that are late the first time."""
        for order in await self._store.claim("worker", now=self._now(), lease=1e9, limit=10):
            random = Random(f"{self._seed}/service/{self._answered}")
            self._answered += 1
            await self._store.finish(order.call, order.request.job, self._answer(order.request, random))

    def _answer(self, request: Request, random: Random) -> Event:
        if random.random() < 0.15:
            return ServiceFailed(request.job, random.choice(("failed", "timeout")))
        if request.service == HTTP:
            return HttpAnswered(request.job, random.choice((200, 200, 200, 201, 404, 409, 500)), SERVED)
        words = random.choice(("cancel my flight", "my flight was late", None))
        return ServiceAnswered(request.job, Transcribed(words, 0.8, "seeded", 2.0))


class BotInMemory:
    """One call's server."""

    def __init__(self, flow: Flow, channel: Channel, seed: int) -> None:
        self.flow = flow
        self.channel = channel
        self.now = TIMES[seed % len(TIMES)]
        "Seconds since 1970."
        self._begun = self.now
        self.store = MemoryStore()
        self.services = SeededServices(seed, self.store, lambda: self.now)
        self.turns = TurnsInMemory(
            store=self.store,
            channels={channel.name: channel},
            flows=OneFlow(flow),
            jobs=self.services,
            uploads=Arrivals(),
            closings=NothingClosed(),
            now=lambda: self.now,
            mint=lambda: CALL,
            idle=IDLE,
            grace=GRACE,
            budget=BUDGET,
        )

    def at(self, seconds: float) -> None:
        """Let it be so many seconds since the call began; time never goes back."""
        self.now = max(self.now, self._begun + seconds)

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
        for stepped in reversed(self.trace):
            for command in stepped.commands:
                if isinstance(command, Recognize | Record | Transfer) and command.op == op:
                    return Question(op, command)
        return None

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
