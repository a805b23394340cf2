"""Whatever bots do, in any order, the twin and the stores on the disk hold what a plain table would."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from ivr.bot_state import TOUCHED_EVERY, StateKey
from ivr.errors import StateChanged, TooManyStates
from tests.postgres.cluster import Database
from tests.store.postgres_world import PostgresWorld
from tests.store.store_worlds import MemoryWorld, SqliteWorld, StatesWorld

MOST = 4
ANY, WRONG = "any tag", "a tag that nobody has"
KEYS = st.builds(
    StateKey,
    st.sampled_from(["bot", "other"]),
    st.sampled_from(["skype", "teams"]),
    conversation=st.sampled_from(["", "room", "anna"]),
    user=st.sampled_from(["anna", "bert"]),
) | st.builds(StateKey, st.just("bot"), st.just("skype"), conversation=st.sampled_from(["room", "anna"]))
DATA = st.binary(max_size=2).map(lambda data: b'"%s"' % data.hex().encode()) | st.just(b"1" * 900)


class Bots(RuleBasedStateMachine):
    """The model: data and tag by name, the oldest first, and every tag that there ever was."""

    def __init__(self, database: Database | None = None) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.disk: SqliteWorld | PostgresWorld = SqliteWorld(Path(self.folder.name))
        if database is not None:
            database.empty()
            self.disk = PostgresWorld(database)
        self.worlds: tuple[StatesWorld, StatesWorld] = (MemoryWorld(), self.disk)
        self.model: dict[StateKey, tuple[bytes, str]] = {}
        self.used: dict[StateKey, float] = {}
        self.tags: set[str] = set()
        self.at = 1_000_000_000

    @property
    def now(self) -> float:
        return self.at / 1e9

    @initialize()
    def begin(self) -> None:
        self.runner.run(self.disk.begin())

    def teardown(self) -> None:
        self.runner.run(self.disk.end())
        self.runner.close()
        self.folder.cleanup()

    def both(self, ask: Callable[[StatesWorld], Awaitable[object]]) -> Any:
        """Do one thing to both, and give what both say to it."""
        ours, theirs = (self.runner.run(self.answer(ask, world)) for world in self.worlds)
        assert ours == theirs
        return ours

    @staticmethod
    async def answer(ask: Callable[[StatesWorld], Awaitable[object]], world: StatesWorld) -> object:
        try:
            return await ask(world)
        except (StateChanged, TooManyStates) as error:
            return type(error)

    def expected(self, key: StateKey, which: str) -> str | None:
        """Return a tag to expect: that of the record, another one, or none."""
        if which == ANY:
            return None
        return self.model.get(key, (b"", WRONG))[1] if which == "right" else WRONG

    def refused(self, key: StateKey, which: str) -> bool:
        return which == WRONG and key in self.model

    @rule(key=KEYS, data=DATA, which=st.sampled_from([ANY, "right", WRONG]), passed=st.sampled_from([0, 1, 4000]))
    def put(self, key: StateKey, data: bytes, which: str, passed: int) -> None:
        self.at += 100 + passed * 1_000_000_000  # after a crash, too, the clock is ahead of the last tag
        expected = self.expected(key, which)
        told = self.both(lambda world: world.states.put(key, data, expected, at=self.at, most=MOST))
        if self.refused(key, which):
            assert told is StateChanged
        elif key not in self.model and sum(one.app == key.app for one in self.model) >= MOST:
            assert told is TooManyStates
        else:
            assert told.data == data
            assert told.tag not in self.tags
            self.tags.add(told.tag)
            self.model[key], self.used[key] = (data, told.tag), self.now

    @rule(key=KEYS)
    def get(self, key: StateKey) -> None:
        told = self.both(lambda world: world.states.get(key, at=self.at))
        assert self.model.get(key) == (None if told is None else (told.data, told.tag))
        if told is not None and self.now - self.used[key] >= TOUCHED_EVERY:
            self.used[key] = self.now

    @rule(key=KEYS, which=st.sampled_from([ANY, "right", WRONG]))
    def drop(self, key: StateKey, which: str) -> None:
        expected = self.expected(key, which)
        told = self.both(lambda world: world.states.drop(key, expected))
        assert (told is StateChanged) == self.refused(key, which)
        if told is None:
            self.model.pop(key, None)

    @rule(app=st.sampled_from(["bot", "other"]), user=st.sampled_from(["anna", "bert", "room"]))
    def drop_user(self, app: str, user: str) -> None:
        told = self.both(lambda world: world.states.drop_user(app, "skype", user))
        gone = [key for key in self.model if (key.app, key.channel, key.user) == (app, "skype", user)]
        assert told == [key.conversation or user for key in gone]
        self.model = {key: held for key, held in self.model.items() if key not in gone}

    @rule(age=st.sampled_from([0, 1, 4000]), limit=st.integers(1, 3))
    def forget(self, age: int, limit: int) -> None:
        told = self.both(lambda world: world.states.forget(before=self.now - age, limit=limit))
        old = sorted((key for key in self.model if self.used[key] < self.now - age), key=lambda key: self.used[key])
        assert told == len(old[:limit])
        self.model = {key: held for key, held in self.model.items() if key not in old[:limit]}

    @precondition(lambda self: self.model)
    @rule()
    def crash(self) -> None:
        self.both(lambda world: world.crash())

    @rule()
    def look_at_all(self) -> None:
        for key in list(self.model):
            self.get(key)


SETTINGS = settings(
    max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestBots = Bots.TestCase
TestBots.settings = SETTINGS


def test_so_does_a_database_that_servers_share(postgres: Database) -> None:
    run_state_machine_as_test(lambda: Bots(postgres), settings=SETTINGS)  # type: ignore[arg-type]  # a factory will do
