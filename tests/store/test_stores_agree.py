"""Whatever is done to them, the twin in memory and each real store tell the same, before and after a crash."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec.structs import replace

from ivr.call_record import CallRecord, Commit
from ivr.errors import IvrError
from ivr.storage import Absent
from tests.postgres.cluster import Database
from tests.store.archive_answers import archive_answers
from tests.store.postgres_world import PostgresWorld
from tests.store.store_examples import ODD_REPLY, REPLY, after, answered, key, line, record, recorded, request
from tests.store.store_worlds import DurableWorld, MemoryWorld, SqliteWorld, World, claim

NAMES = st.sampled_from("abc")
JOBS = st.sampled_from(["1", "2", "3"])
MEDIA = st.sampled_from(["one", "two"])
RECORDINGS = [f"{name}-{media}.wma" for name in "abc" for media in ("one", "two", "three")]
"Those that a call may take are its own: no name of a recording is given twice."
SETTINGS = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


class Stores(RuleBasedStateMachine):
    """Both stores, and every call as it was last seen: a turn may start from there, and be late."""

    def __init__(self, database: Database | None = None) -> None:
        """Compare the twin with the store in a database; None: with the one in a data folder."""
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.stored: DurableWorld = SqliteWorld(Path(self.folder.name))
        if database is not None:
            database.empty()
            self.stored = PostgresWorld(database)
        self.worlds = (MemoryWorld(), cast("World", self.stored))
        self.begun = False
        self.seen: dict[str, list[CallRecord]] = {}
        self.now = 0.0

    @initialize()
    def begin(self) -> None:
        self.runner.run(self.stored.begin())
        self.begun = True

    def teardown(self) -> None:
        self.runner.run(self.stored.end())
        self.runner.close()
        self.folder.cleanup()

    def both(self, ask: Callable[[World], Awaitable[object]]) -> Any:
        """Do one thing to both, and give what both say to it."""
        ours, theirs = (self.runner.run(self.answer(ask, world)) for world in self.worlds)
        assert ours == theirs
        return ours

    @staticmethod
    async def answer(ask: Callable[[World], Awaitable[object]], world: World) -> object:
        try:
            return await ask(world)
        except IvrError as error:
            return type(error)

    @rule(
        name=NAMES,
        late=st.integers(0, 1),
        media=MEDIA | st.none(),
        ignored=st.booleans(),
        jobs=st.lists(st.tuples(JOBS, st.booleans()), max_size=2),
        taken=st.sets(JOBS),
        idle_at=st.integers(0, 3),
        over=st.integers(0, 5).map(lambda n: n == 0),
        private=st.booleans(),
        message=st.none() | st.sampled_from(["one", "two", "three"]),
        reply=st.none() | st.sampled_from([REPLY, ODD_REPLY]),
        traced=st.integers(0, 5).map(bool),
        at_once=st.booleans(),
    )
    def commit(
        self, name, late, media, ignored, jobs, taken, idle_at, over, private, message, reply, traced, at_once
    ) -> None:
        seen = self.seen.setdefault(name, [record(name, private="secret" if private else None)])
        before = replace(seen[max(0, len(seen) - 1 - late)], idle_at=float(idle_at))
        steps = [line()] if media is None else [recorded(f"{name}-{media}.wma", ignored="stale" if ignored else None)]
        requests = tuple(request(job, sensitive=sensitive) for job, sensitive in jobs)
        if not (traced or requests or over or before.version == 0):
            steps = []
        turn: Commit = after(before, *steps, over=over, jobs=requests, taken=tuple(taken), message=message, reply=reply)
        save = handed_over if at_once else committed
        if self.both(lambda world: save(world, turn)) is None:
            seen.append(turn.record)

    @rule(limit=st.integers(0, 3), owner=st.sampled_from("xy"), passed=st.sampled_from([0.0, 50.0, 100.0]))
    def claim(self, limit: int, owner: str, passed: float) -> None:
        self.now += passed

        # Which of several orders come first is each store's affair: one that is shared is asked for all at once.
        limit = 9 if isinstance(self.stored, PostgresWorld) and limit else limit

        async def claimed(world: World) -> object:
            found = await claim(world.store, owner=owner, now=self.now, limit=limit)
            return sorted(found, key=lambda order: (order.call, order.request.job)) if limit == 9 else found

        self.both(claimed)

    @rule(name=NAMES, job=JOBS, text=st.text(st.characters(codec="utf-8"), max_size=3))
    def finish(self, name: str, job: str, text: str) -> None:
        self.both(lambda world: world.store.finish(record(name).id, job, answered(job, text)))

    @rule(name=NAMES, source=st.binary(max_size=3))
    def save_flow(self, name: str, source: bytes) -> None:
        self.both(lambda world: world.store.save_flow(name, source))

    @rule(limit=st.integers(0, 2))
    def forget(self, limit: int) -> None:
        async def forget(world: World) -> object:
            return list(await world.archive.forget(before=9.0, limit=limit))

        for erased in self.both(forget):
            self.seen = {name: calls for name, calls in self.seen.items() if calls[0].id != erased.id}

    @precondition(lambda self: self.seen)
    @rule()
    def crash(self) -> None:
        for world in self.worlds:
            self.runner.run(world.crash())

    @invariant()
    def they_tell_the_same(self) -> None:
        if self.begun:
            self.both(everything)


async def committed(world: World, turn: Commit) -> None:
    await world.store.commit(turn)


async def handed_over(world: World, turn: Commit) -> None:
    """Save a turn on the short way; what has to be loaded takes the long one."""
    found = world.store.glance(turn.record.key)
    if found is Absent.WAIT or (found is Absent.UNKNOWN and turn.record.version > 1):
        await world.store.commit(turn)
        return
    told = asyncio.get_running_loop().create_future()
    world.store.hand_over(turn, told.set_result)
    if (error := await told) is not None:
        raise error


async def everything(world: World) -> object:
    store = world.store
    calls = [record(name).id for name in "abc"]
    unnamed = list(await store.unnamed(RECORDINGS))
    return {
        "archive": await archive_answers(world.archive),
        "live": [await store.load(key(name)) for name in "abc"],
        "inboxes": [list(await store.inbox(call)) for call in calls],
        "due": [set(await store.due(now)) for now in range(4)],
        "unnamed": unnamed,
        # One that was forgotten with its call may be remembered, which harms nobody: its name is not given again.
        "named": [name not in unnamed and await store.named(name) for name in RECORDINGS],
        "flows": [await store.flow(name) for name in "abc"],
    }


Stores.TestCase.settings = SETTINGS
TestStoresAgree = Stores.TestCase


def test_so_does_a_database_that_servers_share(postgres: Database) -> None:
    fewer = settings(
        SETTINGS, max_examples=4, stateful_step_count=20, phases=[Phase.generate]
    )  # each question is a way there and back
    run_state_machine_as_test(lambda: Stores(postgres), settings=fewer)  # type: ignore[arg-type]  # a factory will do
