"""6,000 schedules of servers that share a database, with all that may befall them, and what holds in each of them.

A failing schedule is named by its seed: `make simulate FIRST=seed SCHEDULES=1` plays it again, and `make simulate` a
hundred times as many.
"""

import logging
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from ivr.call_record import Commit
from ivr.coordination import LocalCoordination
from ivr.errors import StoreUnavailable
from ivr.server.jobs import Worker
from ivr.store.call_database import SharedCall
from ivr.store.postgres.postgres_replica import Replica
from ivr.store.shared_calls import SharedCalls
from tests.simulation.promises import violations
from tests.simulation.simulated_flow import FLOW, is_later
from tests.simulation.simulated_server import Parts
from tests.simulation.simulated_world import World
from tests.simulation.twin_tables import Job, Tables

SCHEDULES = 6000
PORTIONS = 8
"Tests that share the schedules, so that more than one core can play them."


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """What servers log of a database that is away, thousands of times, is nobody's business here."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("portion", range(PORTIONS))
def test_no_schedule_breaks_a_promise(portion: int) -> None:
    seeds = range(portion, SCHEDULES, PORTIONS)
    seen: Counter[str] = Counter()
    for seed in seeds:
        world = World(seed, FLOW, later=is_later(seed)).run()
        assert violations(world) == [], f"seed {seed}: {world.faults}"
        seen += world.counts()
    # Each thing has happened, and not just now and then.
    assert seen["calls"] > len(seeds)
    assert seen["faults"] > len(seeds)
    assert seen["taken at once"] > len(seeds)
    assert seen["recordings"] > len(seeds) * 0.5
    assert seen["runs"] > len(seeds) * 0.5
    assert seen["run again"] > len(seeds) * 0.02


def test_the_same_seed_gives_the_same_schedule_in_another_process() -> None:
    program = (
        "import logging; logging.disable(logging.CRITICAL)\n"
        "from tests.simulation.simulated_flow import FLOW, is_later\n"
        "from tests.simulation.simulated_world import World\n"
        "print([World(seed, FLOW, later=is_later(seed)).run().digest() for seed in range(40)])"
    )

    def digests(hash_seed: str) -> bytes:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        return subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True).stdout

    assert digests("1") == digests("2")


# --- it sees what it is there to see: each of these is broken, and found ---


class LastOneWins(Tables):
    """Saves a turn wherever its call stands."""

    def save(self, commit: Commit, before: SharedCall | None) -> SharedCall:
        stands = self.find(commit.record.key)
        if stands is not None and before is not None:
            version, steps = stands.record.version + 1, stands.record.steps + len(commit.trace)
            commit = replace(commit, record=replace(commit.record, version=version, steps=steps))
            before = stands
        return super().save(commit, before)


class NoLeases(Tables):
    """Hands out orders that others have."""

    def is_open(self, job: Job, owner: str, now: float) -> bool:
        return True


class NobodyDies(Tables):
    """Keeps orders for servers that are gone."""

    def is_open(self, job: Job, owner: str, now: float) -> bool:
        return job.owner is None or (job.until <= now and job.owner != owner)


class LostClaims(Tables):
    """Takes it that a worker knows of all that it was ever given."""

    def claim(self, owner: str, *, known: object, **more: Any) -> Any:
        return super().claim(owner, known=self.jobs, **more)


class Forgetful(Tables):
    """Does not look at what a worker knows of."""

    def claim(self, owner: str, *, known: object, **more: Any) -> Any:
        return super().claim(owner, known=(), **more)


class Hasty(Replica):
    """Says of others that they are dead as soon as it is there itself."""

    @property
    def judges(self) -> bool:
        return True


class Trusting(SharedCalls):
    """Takes a write of unknown outcome for done."""

    async def _save(self, commit: Commit, before: SharedCall | None, then: Callable[[Exception | None], None]) -> None:
        def told(error: Exception | None) -> None:
            if isinstance(error, StoreUnavailable):
                row, answers = (before.row, before.answers) if before else (1, 0)
                self._calls.put(SharedCall(row, commit.record, answers))
            then(error)

        await super()._save(commit, before, told)


class Silent(Worker):
    """Forgets an answer that could not be saved at once."""

    async def _saved(self, order: Any, event: Any) -> bool:
        try:
            return await self._store.finish(order.call, order.request.job, event)
        except StoreUnavailable:
            return False


class Blind(LocalCoordination):
    """Knows nothing of what is under way at other servers."""

    async def uploading(self, call: str, *, before: float) -> bool:
        return False


class Broken(Struct, frozen=True):
    """Something broken, and what is seen of it."""

    seen: str
    tables: type[Tables] = Tables
    parts: Parts = Parts()


BROKEN = {
    "a turn is saved wherever its call stands": Broken("replays otherwise", tables=LastOneWins),
    "orders have no lease": Broken("runs twice at once", tables=NoLeases),
    "orders of the dead stay with them": Broken("nobody carried out", tables=NobodyDies),
    "a claim that was not answered is forgotten": Broken("nobody carried out", tables=LostClaims),
    "what a worker has is handed to it again": Broken("runs twice at once", tables=Forgetful),
    "whoever comes back says that others are dead": Broken("runs twice at once", parts=Parts(replica=Hasty)),
    "a write of unknown outcome counts as done": Broken("before it was saved", parts=Parts(calls=Trusting)),
    "an answer that was not saved is forgotten": Broken("still under way", parts=Parts(worker=Silent)),
    "calls are not woken": Broken("still under way", parts=Parts(wakes=False)),
    "uploads of other servers are not seen": Broken("the recording of", parts=Parts(coordination=Blind)),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_seen(broken: Broken) -> None:
    for seed in range(SCHEDULES):
        world = World(seed, FLOW, tables=broken.tables, parts=broken.parts, later=is_later(seed)).run()
        if any(broken.seen in found for found in violations(world)):
            return
    raise AssertionError("nothing of it was seen")
