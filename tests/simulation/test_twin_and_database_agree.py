"""Whatever two servers do, the twin and PostgreSQL say the same: what is found with the one holds for the other."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, cast

import pytest
from msgspec import Struct
from msgspec.structs import replace

from ivr.call_record import CallRecord
from ivr.errors import IvrError
from ivr.news import LocalNews
from ivr.ports import CallKey
from ivr.storage import Order
from ivr.store.call_database import CallDatabase, SharedCall
from ivr.store.postgres.postgres_replica import Replica
from tests.postgres.cluster import Database
from tests.simulation.twin_database import Beats, DirectWire, TwinDatabase
from tests.simulation.twin_tables import Tables
from tests.store.postgres_world import PostgresWorld
from tests.store.store_examples import after, answered, line, record, recorded, request

STEPS = 1500
LEASE = 60.0


class Pair(Struct, frozen=True):
    """Two servers on one database, in both kinds of it."""

    twins: tuple[TwinDatabase, TwinDatabase]
    tables: Tables
    worlds: tuple[PostgresWorld, PostgresWorld]

    async def kill(self, server: int) -> None:
        name = self.worlds[server].replica
        self.tables.replicas.pop(name, None)
        self.worlds[server].ask("DELETE FROM replica WHERE name = $1", name)

    async def beat(self, server: int) -> None:
        await self.worlds[server].calls._replica.beat()
        await self.twins[server]._replica.beat()

    async def both(self, ask: Callable[[CallDatabase], Awaitable[Any]], server: int = 0) -> Any:
        """Ask both, and return what both say."""
        ours = await _answer(ask, self.twins[server])
        theirs = await _answer(ask, self.worlds[server].calls)
        assert ours == theirs
        return ours


async def _answer(ask: Callable[[CallDatabase], Awaitable[Any]], database: CallDatabase) -> Any:
    try:
        return _plain(await ask(database))
    except IvrError as error:
        return type(error)


def _plain(answer: object) -> object:
    """Return an answer without what only one of them can know."""
    if isinstance(answer, SharedCall):
        return replace(answer, row=0, sealed=False)
    return list(answer) if isinstance(answer, Sequence) and not isinstance(answer, str | bytes) else answer


@pytest.fixture
async def pair(postgres: Database) -> AsyncIterator[Pair]:
    here, other = PostgresWorld(postgres), PostgresWorld(postgres, server="other")
    await here.begin()
    await other.begin()
    tables = Tables()
    twins = []
    for world in (here, other):
        world.calls._replica._task.cancel()  # nobody shows itself but when the test says so
        replica = Replica(cast("Any", Beats(tables, DirectWire(), lambda: 0.0)), world.replica)
        twins.append(TwinDatabase(tables, DirectWire(), replica, LocalNews()))
    pair = Pair((twins[0], twins[1]), tables, (here, other))
    for server in (0, 1, 0):
        await pair.beat(server)
    yield pair
    await other.end()
    await here.end()


class Town:
    """Calls at both, as chance has it."""

    def __init__(self, pair: Pair, seed: int) -> None:
        self.pair = pair
        self.chance = random.Random(seed)
        self.now = 10.0
        self.calls: list[tuple[SharedCall, SharedCall]] = []
        "Each as both have it, or had it: a turn may be late."
        self.held: dict[int, list[Order]] = {0: [], 1: []}
        self.names = 0

    async def opened(self) -> None:
        self.names += 1
        await self.saved(record(f"call-{self.names}", idle_at=self.now + 50.0), None)

    async def moved(self) -> None:
        if self.calls:
            call = self.chance.choice(self.calls[-6:])
            await self.saved(call[0].record, call)

    async def saved(self, before: CallRecord, stands: tuple[SharedCall, SharedCall] | None) -> None:
        chance = self.chance
        jobs = (request(f"{chance.randrange(3)}", sensitive=chance.random() < 0.3),) if chance.random() < 0.5 else ()
        taken = tuple(job for job in "012" if chance.random() < 0.3)
        steps = [line()] if chance.random() < 0.7 else [recorded(f"{before.id}-{before.version}.wma")]
        commit = after(before, *steps, jobs=jobs, taken=taken, over=chance.random() < 0.1, audio=None)
        results: list[Any] = []
        databases: tuple[CallDatabase, ...] = (self.pair.twins[0], self.pair.worlds[0].calls)
        for number, database in enumerate(databases):
            try:
                results.append(await database.save(commit, stands[number] if stands else None))
            except IvrError as error:
                results.append(type(error))
        ours, theirs = results
        assert _plain(ours) == _plain(theirs)
        if isinstance(ours, SharedCall):
            self.calls.append((ours, theirs))

    async def loaded(self) -> None:
        if self.calls:
            where = self.chance.choice(self.calls)[0].record.key
            assert await self.pair.both(lambda one: one.find(where))
            found = [await one.find(where) for one in (self.pair.twins[0], self.pair.worlds[0].calls)]
            self.calls.append((found[0], found[1]))

    async def claimed(self) -> None:
        server, limit = self.chance.randrange(2), self.chance.randrange(4)
        known = [(one.call, one.request.job) for one in self.held[server]]
        if self.chance.random() < 0.2:  # what was handed out before was not heard of
            known, self.held[server] = known[:1], self.held[server][:1]
        busy = frozenset({"http"}) if self.chance.random() < 0.2 else frozenset()
        claim: Any = {"now": self.now, "lease": LEASE, "limit": limit, "busy": busy, "known": known}
        found = await self.pair.both(lambda one: one.claim("worker", **claim), server)
        self.held[server] += found

    async def finished(self) -> None:
        server = self.chance.randrange(2)
        if self.held[server]:
            order = self.held[server].pop(self.chance.randrange(len(self.held[server])))
            event = answered(order.request.job, str(self.now))
            await self.pair.both(lambda one: one.finish(order.call, order.request.job, event), server)

    async def looked(self) -> None:
        if self.calls:
            call = self.chance.choice(self.calls)[0].record.id
            await self.pair.both(lambda one: one.inbox(call))
        await self.pair.both(lambda one: one.backlog())
        due: list[set[CallKey]] = [set(), set()]
        for server in (0, 1):
            due[0].update(await self.pair.twins[server].due(self.now))
            due[1].update(await self.pair.worlds[server].calls.due(self.now))
        assert due[0] == due[1]

    async def died(self) -> None:
        server = self.chance.randrange(2)
        await self.pair.kill(server)
        await self.pair.beat(1 - server)
        if self.chance.random() < 0.5:  # the next life of it knows of nothing
            self.held[server] = []
        await self.pair.beat(server)
        await self.pair.beat(1 - server)

    async def passed(self) -> None:
        self.now += self.chance.choice((0.1, 2.0, 30.0, 200.0))


async def test_whatever_two_servers_do(pair: Pair) -> None:
    town = Town(pair, seed=1)
    steps = [town.opened, town.moved, town.moved, town.moved, town.loaded, town.claimed, town.claimed, town.finished]
    steps += [town.looked, town.died, town.passed]
    for _ in range(STEPS):
        await town.chance.choice(steps)()
    assert town.names > 50
    assert len(pair.tables.claimed) > 20
    assert len(pair.tables.finished) > 20


async def test_what_a_claim_handed_out_unheard_is_handed_to_the_same_worker_again_as_the_same_run(pair: Pair) -> None:
    commit = after(record("a"), line(), jobs=(request("1.1"), request("1.2")))
    for server in (pair.twins[0], pair.worlds[0].calls):
        await server.save(commit, None)
    claim: Any = {"now": 10.0, "lease": LEASE, "limit": 9}

    def orders(found: Sequence[Order]) -> list[tuple[str, int]]:
        return [(one.request.job, one.attempts) for one in found]

    first = await pair.both(lambda one: one.claim("worker", known=(), **claim))
    assert orders(first) == [("1.1", 1), ("1.2", 1)]
    known: tuple[tuple[str, str], ...] = ((record("a").id, "1.1"),)
    assert orders(await pair.both(lambda one: one.claim("worker", known=known, **claim))) == [("1.2", 1)]
    assert await pair.both(lambda one: one.claim("worker", known=(), **claim), 1) == []
    known = (*known, (record("a").id, "1.2"))
    # The first claim is carried out once more, late: nobody hears of it, and nothing has changed.
    assert len(await pair.both(lambda one: one.claim("worker", known=(), **claim))) == 2
    assert await pair.both(lambda one: one.claim("worker", known=known, **claim)) == []
    assert await pair.both(lambda one: one.claim("worker", known=(), **claim), 1) == []
