"""The ways between servers and their database in a simulation: slow, cut, or broken off at the worst moment.

A server that does not get an answer does not know whether its statement stands. What it gave up may be carried out
later, too: a database that was slow, or waited for its standby, does not look whether anybody still listens.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from ivr.errors import IvrError, StoreUnavailable
from ivr.news import Topic
from tests.simulation.simulated_loops import SimulatedLoop, SimulatedTime

T = TypeVar("T")
PATIENCE = 5.0
"Seconds for which an answer is waited for, as `postgres_pool` does."
SLOW = 1.0
"Seconds from which on a statement is slow."
LOST = 0.008
"How many statements lose their connection by themselves: half of them before they took effect, half after."
NEWS_LOST, NEWS_DOUBLED = 0.25, 0.1


class Network:
    """All ways to the database."""

    def __init__(self, time: SimulatedTime, chance: random.Random, loop: SimulatedLoop) -> None:
        """`loop` is what goes on whatever happens to servers."""
        self.chance = chance
        self.is_calm = False
        "Nothing is lost any more."
        self.is_up = True
        "The database."
        self.far = chance.choice((1.0, 1.0, 20.0, 60.0))
        "How far away the database is: what happens at once at two servers has more time to meet."
        self.slowness = 0.0
        "Seconds that a statement may have to wait there."
        self.after_effect: Callable[[SimulatedWire], None] = lambda _: None
        "Called once a statement of a server took effect, before anybody knows."
        self._time = time
        self._loop = loop
        self._restarts = 0

    def restart(self, pause: float) -> None:
        """Have the database go away for so long: all that are connected are told so."""
        self._restarts += 1
        self.is_up = False
        self._loop.call_later(pause, self.come_back)

    def come_back(self) -> None:
        self.is_up = True

    def carry(self, wire: SimulatedWire, statement: Callable[[], object], answer: asyncio.Future[Any]) -> None:
        """Carry a statement to the database, and its answer back."""
        wait = self._latency() + self.chance.random() * self.slowness
        wire.is_bad |= wait > SLOW
        self._loop.call_later(wait, self._arrived, wire, statement, answer)

    def _arrived(self, wire: SimulatedWire, statement: Callable[[], object], answer: asyncio.Future[Any]) -> None:
        dice = 1.0 if self.is_calm else self.chance.random()
        if wire.cut == "silent":
            return
        if wire.cut == "reset" or not self.is_up or dice < LOST / 2:
            wire.is_bad |= self.is_up
            self._loop.call_later(self._latency(), _refuse, answer)
            return
        try:
            found, error = statement(), None
        except IvrError as exc:
            found, error = None, exc
        self.after_effect(wire)
        if dice < LOST:
            wire.is_bad = True
            self._loop.call_later(self._latency(), _refuse, answer)
            return
        self._loop.call_later(self._latency(), self._back, wire, self._restarts, answer, found, error)

    def _back(
        self, wire: SimulatedWire, restarts: int, answer: asyncio.Future[Any], found: object, error: Exception | None
    ) -> None:
        if wire.cut == "silent":
            return
        if wire.cut == "reset" or restarts != self._restarts:
            wire.is_bad |= wire.cut == "reset"
            _refuse(answer)
        elif answer.done():
            pass  # it was given up
        elif error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(found)

    def _latency(self) -> float:
        return self.chance.choice((0.001, 0.002, 0.005, 0.01)) * self.far


class SimulatedWire:
    """The way of one server to the database: `Wire`."""

    def __init__(self, network: Network, loop: SimulatedLoop) -> None:
        self.loop = loop
        self.cut: Literal["", "silent", "reset"] = ""
        self.is_bad = False
        """A statement of it, or the answer, got lost or was slow: others may take its server to be dead.

        That the database was away says nothing of a server.
        """
        self._network = network

    async def ask(self, statement: Callable[[], T]) -> T:
        if self.loop.is_dead:
            raise StoreUnavailable("A dead process asks nothing.")
        answer = self.loop.create_future()
        late = self.loop.call_later(PATIENCE, self._give_up, answer)
        self._network.carry(self, statement, answer)
        try:
            return await answer
        finally:
            late.cancel()

    def _give_up(self, answer: asyncio.Future[Any]) -> None:
        self.is_bad = True
        _refuse(answer)


class SimulatedNews:
    """News of one server: what others tell gets lost, comes late, or twice."""

    def __init__(self, tell_others: Callable[[Topic, str], None]) -> None:
        self._tell_others = tell_others
        self._then: dict[Topic, list[Callable[[str], None]]] = {}

    def hear(self, topic: Topic, then: Callable[[str], None]) -> None:
        self._then.setdefault(topic, []).append(then)

    def tell(self, topic: Topic, about: str) -> None:
        self.pass_on(topic, about)
        self._tell_others(topic, about)

    def pass_on(self, topic: Topic, about: str) -> None:
        for then in self._then.get(topic, ()):
            then(about)


def _refuse(answer: asyncio.Future[Any]) -> None:
    if not answer.done():
        answer.set_exception(StoreUnavailable("The database could not be used."))
