"""A world of some servers that share a database, with all that may befall them, in one thread and by one seed.

The servers are the real ones in all that decides: `TurnsInMemory` on `SharedCalls`, `Worker`, `Replica`, `Arrivals`,
the chores. Played are what they talk to: the tables (`twin_tables`), the network, services, the platform and whoever is
on the line. Whatever is random comes from the seed, so that a schedule can be played again.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from itertools import pairwise
from typing import Literal

import msgspec
from msgspec import Struct

from ivr.coordination import LocalCoordination
from ivr.engine.commands import FETCH
from ivr.engine.flow import Flow
from ivr.news import Topic
from ivr.ports import CallKey, WebhookReply
from ivr.services.service import Service
from ivr.storage import Order
from tests.simulation.simulated_loops import SimulatedTime
from tests.simulation.simulated_platform import Caller
from tests.simulation.simulated_server import DEAD, LEASE, Parts, Sending, Server, SimulatedService
from tests.simulation.simulated_wire import NEWS_DOUBLED, NEWS_LOST, Network, SimulatedWire
from tests.simulation.simulated_wire import PATIENCE as WIRE_PATIENCE
from tests.simulation.twin_tables import Tables, done
from tests.turn.simulator import LaterLine, Line

Fault = Literal["kill", "stop", "freeze", "cut", "restart database", "slow database"]
FAULTS: Mapping[Fault, int] = {"kill": 4, "stop": 1, "freeze": 3, "cut": 3, "restart database": 3, "slow database": 2}
"How often each happens, compared with the others."
STEPS_BETWEEN_FAULTS = 60
AT_EFFECT = 0.004
"How often a server is killed the moment a statement of it took effect."
RECOVERY = 25.0
"Seconds after which all goes on once nothing fails any more: the dead are known, and what they had is taken over."
PATIENCE = 160.0
"Seconds after which the last call has to be over, once the platform is silent and nothing fails."


class Run(Struct, frozen=True):
    """A run of an order at a service."""

    server: Server
    number: int
    "Which of the order's it is, counted from 1."


class World:
    """One schedule."""

    def __init__(
        self,
        seed: int,
        flow: Flow,
        *,
        tables: type[Tables] = Tables,
        parts: Parts | None = None,
        later: bool = False,
    ) -> None:
        """`later`: recordings come later than the news of them."""
        self.chance = random.Random(seed)
        self.flow = flow
        self.parts = parts or Parts()
        self.line: Line = LaterLine() if later else Line()
        self.later = later
        self.time = SimulatedTime(self.chance)
        self.tables = tables()
        self.tables.clock = lambda: self.time.now
        self.violations: list[str] = []
        self.faults: list[str] = []
        self.replies: dict[tuple[str, str], set[bytes]] = {}
        "What each message of a call got, at whichever server."
        self.acknowledged: dict[tuple[str, str], float] = {}
        "The messages with a recording that a server without troubles acknowledged, and when it began to come in."
        self.runs: dict[tuple[str, str], list[Run]] = {}
        "Of services, by our id of the call and the job."
        self.running: set[tuple[str, str, str]] = set()
        "Services at work: the server, our id of the call and the job."
        self.taken_now = 0
        self.healed = float("inf")
        "When the last thing that fails was mended."
        self.outside = self.time.loop("outside")
        self.network = Network(self.time, self.chance, self.outside)
        self.network.after_effect = self._after_effect
        self._coordination = self.parts.coordination(lambda: self.time.now)
        self._names = iter(range(1, 1000))
        self.servers = [self._new_server() for _ in range(self.chance.choice((2, 2, 3)))]
        self._may_fail = self.chance.randrange(6)
        "Faults that are still to come."
        self._next_fault = self._steps()
        self._callers = [Caller(self, CallKey("sim", "app", f"call-{n}")) for n in range(self.chance.choice((1, 1, 2)))]

    # --- its course ---

    def run(self) -> World:
        """Play the schedule to its end: first everybody, then nothing fails any more, then only time passes."""
        for caller in self._callers:
            caller.start()
        for _ in range(200_000):
            if all(caller.has_hung_up for caller in self._callers):
                break
            self.time.step(float("inf"))
            self._next_fault -= 1
            if self._next_fault <= 0:
                self._next_fault = self._steps()
                if self._may_fail:
                    self._fail()
        else:
            self.violations.append("the callers wait for ever")
        self._heal()
        while not self._is_quiet() and self.time.now < self.healed + PATIENCE:
            for _ in range(50):
                self.time.step(self.healed + PATIENCE)
        self.violations += self.time.troubles
        if not self._is_quiet():
            self.violations.append("something is still under way, long after everything was mended")
        for server in self.servers:
            server.loop.kill()
        self.outside.kill()
        return self

    def _is_quiet(self) -> bool:
        over = all(saved.record.call.phase == "over" for saved in self.tables.calls.calls.values())
        return over and not any(server.sendings or not server.serves for server in self.servers)

    def _heal(self) -> None:
        self.network.is_calm, self.network.slowness = True, 0.0
        self.network.come_back()
        for server in self.servers:
            server.wire.cut = ""
            server.loop.go_on()
        while len(self.servers) < 2:
            self.servers.append(self._new_server())
        self.healed = self.time.now

    def counts(self) -> Counter[str]:
        """Count what has happened."""
        return Counter(
            {
                "calls": len(self.tables.calls.calls),
                "faults": len(self.faults),
                "messages": len(self.replies),
                "taken at once": self.taken_now,
                "recordings": len(self.acknowledged),
                "runs": sum(map(len, self.runs.values())),
                "run again": sum(len(runs) > 1 for runs in self.runs.values()),
            }
        )

    def digest(self) -> str:
        """Return what stands for all that has happened."""
        told = [self.faults, sorted(map(str, self.replies.items())), self.time.now, self.violations]
        traces = [msgspec.json.encode(trace) for trace in self.tables.calls.traces.values()]
        return sha256(repr((told, traces)).encode()).hexdigest()

    # --- what befalls it ---

    def _steps(self) -> int:
        return int(self.chance.expovariate(1 / STEPS_BETWEEN_FAULTS)) + 1

    def _fail(self) -> None:
        fault = self.chance.choices(list(FAULTS), list(FAULTS.values()))[0]
        self._may_fail -= 1
        if fault == "restart database":
            self._note(fault)
            self.network.restart(self.chance.choice((0.2, 2.0, 8.0, 8.0)))
        elif fault == "slow database":
            self._note(fault)
            self.network.slowness = self.chance.choice((1.0, 4.0, 9.0))
            self.outside.call_later(self.chance.choice((0.5, 4.0)), setattr, self.network, "slowness", 0.0)
        elif servers := [one for one in self.servers if one.serves or fault != "stop"]:
            server = self.chance.choice(servers)
            self._note(f"{fault} {server.name}")
            self._befall(fault, server)

    def _befall(self, fault: Fault, server: Server) -> None:
        if fault == "kill":
            self._kill(server)
        elif fault == "stop":
            with server.loop.running():
                server.serves, stopping = False, server.loop.create_task(server.close())
            stopping.add_done_callback(lambda _: self._gone(server))
        elif fault == "freeze":
            server.loop.stop_for_a_while()
            server.was_frozen = True
            self.outside.call_later(self.chance.choice((0.5, 4.0, 9.0, 15.0)), server.loop.go_on)
        else:
            server.wire.cut = self.chance.choice(("silent", "reset"))
            server.was_frozen = True
            self.outside.call_later(self.chance.choice((0.5, 4.0, 9.0)), setattr, server.wire, "cut", "")

    def _kill(self, server: Server) -> None:
        server.loop.kill()
        for sending in server.sendings:
            self.send_back(sending, None)
        self._gone(server)

    def _gone(self, server: Server) -> None:
        """A server has ended; another one begins in its place, after a while."""
        if server in self.servers:
            self.servers.remove(server)
            self.outside.call_later(self.chance.choice((0.1, 3.0, 12.0)), self._begin_another)

    def _begin_another(self) -> None:
        if len(self.servers) < 3:
            self.servers.append(self._new_server())

    def _new_server(self) -> Server:
        return Server(self, f"server-{next(self._names)}")

    def _after_effect(self, wire: SimulatedWire) -> None:
        server = next((one for one in self.servers if one.wire is wire), None)
        if server is not None and self._may_fail and self.chance.random() < AT_EFFECT:
            self._may_fail -= 1
            self._note(f"kill {server.name} at effect")
            self._kill(server)

    def _note(self, what: str) -> None:
        self.faults.append(f"{self.time.now:.3f} {what}")

    # --- what servers see of it ---

    def services_of(self, server: Server) -> Mapping[str, Service]:
        service = SimulatedService(server)
        return {"transcribe": service, FETCH: service}

    def coordination_of(self, server: Server) -> SharedCoordination:
        return SharedCoordination(self._coordination, server)

    def spread_news(self, teller: Server, topic: Topic, about: str) -> None:
        for server in self.servers:
            if server is teller or not server.serves:
                continue
            copies = 2 if self.chance.random() < NEWS_DOUBLED else 1
            for _ in range(copies if teller.wire.cut == server.wire.cut == "" else 0):
                if self.chance.random() > NEWS_LOST:
                    late = self.chance.choice((0.002, 0.01, 1.0))
                    self.outside.call_later(late, server.loop.call_soon, server.news.pass_on, topic, about)

    def send_back(self, sending: Sending, reply: WebhookReply | None) -> None:
        """Carry an answer to the platform; one in twenty gets lost, so that nothing comes."""
        if self.network.is_calm or self.chance.random() < 0.95:
            self.outside.call_later(0.005, _answer, sending, reply)

    # --- the books ---

    def note_reply(self, server: Server, sending: Sending, reply: WebhookReply) -> None:
        """Note what a server answers, at the moment it does."""
        incoming = sending.incoming
        message = (incoming.key.id, incoming.id)
        stored = self.tables.find(incoming.key)
        record = stored.record if stored else None
        if record is None or record.replies.get(incoming.id, reply) != reply or incoming.id not in record.leg.notes:
            self.violations.append(f"{incoming.id} was answered before it was saved")
        if incoming.wants == "ack" and reply.body:
            self.violations.append(f"{incoming.id} was answered with commands")
        self.replies.setdefault(message, set()).add(reply.body)
        # What is under way at a server that others cannot hear of is not waited for as long as it may take.
        if sending.media is not None and not (server.was_frozen or server.wire.is_bad):
            self.acknowledged.setdefault(message, sending.began)

    def note_run(self, server: Server, order: Order) -> None:
        """Note that a service is asked; twice only if whoever asked before has died, or its time is over."""
        runs = self.runs.setdefault((order.call, order.request.job), [])
        run, here = Run(server, order.attempts), (server.name, order.call, order.request.job)
        if here in self.running:
            self.violations.append(f"the order {order.request.job} runs twice at once")
        self.running.add(here)
        if run in runs:
            return  # the same one: the store was away
        for other in runs:
            before, after = sorted((run, other), key=lambda one: one.number)
            if not self._has_ended(before, order, self.tables.claimed[order.call, order.request.job, after.number]):
                self.violations.append(f"the order {order.request.job} runs twice at once")
        runs.append(run)

    def _has_ended(self, run: Run, order: Order, now: float) -> bool:
        """Return whether a run could not count on being the only one any more, when another one was handed out."""
        server = run.server
        if server not in self.servers or not server.serves:
            return True
        began = self.tables.claimed[order.call, order.request.job, run.number]
        if now >= began + order.request.timeout + LEASE - WIRE_PATIENCE - 1.0:  # it counts from the question
            return True
        beats = [at for at in self.tables.beats[server.name] if began - DEAD < at <= now]
        was_silent = any(later - one >= DEAD for one, later in pairwise([began - DEAD, *beats, now]))
        return (server.was_frozen or server.wire.is_bad) and was_silent


class SharedCoordination:
    """`Coordination` of one server, as far as uploads need it."""

    alone = False

    def __init__(self, all_of_it: LocalCoordination, server: Server) -> None:
        self._all = all_of_it
        self._wire = server.wire
        self._replica = server.replica

    @property
    def steady_for(self) -> float:
        return self._replica.steady_for

    async def tell_uploads(self, owner: str, uploads: Mapping[str, float], *, lasts: float) -> None:
        await self._wire.ask(partial(_do, self._all.tell_uploads, owner, uploads, lasts=lasts))

    async def uploading(self, call: str, *, before: float) -> bool:
        return await self._wire.ask(partial(_do, self._all.uploading, call, before=before))


def _do(method, *values, **more):
    return done(method(*values, **more))


def _answer(sending: Sending, reply: WebhookReply | None) -> None:
    if not sending.answer.done():
        sending.answer.set_result(reply)
