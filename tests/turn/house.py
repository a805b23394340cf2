"""A server's turns and one call, with a clock that tests turn."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeAlias

from ivr.call_record import CallRecord
from ivr.engine.events import Event
from ivr.engine.flow import Flow
from ivr.ports import Incoming, WebhookReply
from ivr.server.arrivals import Arrivals
from ivr.server.closings import Closings
from ivr.store.memory.memory_calls import MemoryStore
from ivr.turn import TurnsInMemory
from ivr.turn_watch import TurnWatch
from tests.turn.simulator import KEY, Line

IDLE, GRACE = 60.0, 30.0


class OneFlow:
    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.here = True
        "It is in memory."

    def choose(self, name: str | None, called: str) -> Flow:
        return self.flow

    def held(self, flow_hash: str) -> Flow | None:
        return self.flow if self.here else None

    async def get(self, flow_hash: str) -> Flow:
        return self.flow


class Kicks:
    """The worker, as far as turns see it."""

    def __init__(self) -> None:
        self.count = 0

    def kick(self) -> None:
        self.count += 1

    async def settled(self, call: str, timeout: float) -> None:
        raise AssertionError("no answer of a service is waited for here")


class House:
    """A server's turns, and one call; `at_once`: messages are taken at once where that can be."""

    def __init__(
        self,
        flow: Flow,
        line: Line | None = None,
        *,
        store: MemoryStore | None = None,
        at_once: bool = False,
        closings: Closings | None = None,
        watch: TurnWatch | None = None,
    ) -> None:
        self.at_once = at_once
        self.watch = watch
        self.store = store or MemoryStore()
        self.uploads = Arrivals()
        self.flows = OneFlow(flow)
        self.kicks = Kicks()
        self.time = 1000.0
        self.turns = TurnsInMemory(
            store=self.store,
            channels={"sim": line or Line()},
            flows=self.flows,
            jobs=self.kicks,
            uploads=self.uploads,
            closings=closings or Closings(Path("no-such-folder")),
            now=lambda: self.time,
            mint=lambda: "0" * 32,
            idle=IDLE,
            grace=GRACE,
            budget=2.0,
            watch=watch,
        )

    async def told(self, message: str, *events: Event, wants: Literal["commands", "ack"] = "commands") -> WebhookReply:
        incoming = Incoming(KEY, message, events, wants, starts=message == "first")
        told: list[WebhookReply | None] = []
        if self.at_once and self.turns.take_now(incoming, arrived=1000.0, told=told.append) and told[0] is not None:
            return told[0]
        return await self.turns.take(incoming, arrived=1000.0)

    async def steps(self) -> int:
        return len(self.store.traces["0" * 32])

    async def record(self) -> CallRecord:
        record = await self.store.load(KEY)
        assert record
        return record

    async def op(self) -> str:
        """Return the operation whose outcome is awaited."""
        return (await self.record()).call.asked[-1].op

    async def wait(self, seconds: float) -> None:
        """Let time pass, and wake the call as the server does."""
        self.time += seconds
        await self.turns.wake(KEY)


Houses: TypeAlias = Callable[..., House]
"Makes a `House`; the fixture `house_of` is one for each way."
