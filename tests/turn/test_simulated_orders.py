"""1,000 schedules of crashes, retries and duplicates of a call that the server places."""

import pytest

from ivr.call_record import Commit
from ivr.engine.events import CallAnswered, CallNotAnswered
from tests.turn.simulated_orders import PlacedWorld, order_violations
from tests.turn.simulated_stores import SimStore, SimStoreInMemory
from tests.turn.test_simulator import FLOW, violations

SCHEDULES = 500


def played(seed: int, store: type[SimStore]) -> tuple[PlacedWorld, list[str]]:
    world = PlacedWorld(seed, FLOW, store)
    world.run()
    return world, [*violations(world), *order_violations(world)]


@pytest.mark.parametrize("store", [SimStore, SimStoreInMemory])
def test_no_schedule_breaks_a_promise_about_an_order(store: type[SimStore]) -> None:
    crashes = 0
    ends: list[str] = []
    for seed in range(SCHEDULES):
        world, found = played(seed, store)
        assert found == [], f"seed {seed}"
        crashes += world.crashes
        events = [step.event for step in world.disk.steps() if not step.ignored]
        ends += ["answered"] * any(isinstance(event, CallAnswered) for event in events)
        ends += [event.reason for event in events if isinstance(event, CallNotAnswered)]
    assert crashes > SCHEDULES * 0.4
    assert ends.count("answered") > SCHEDULES * 0.3
    assert min(ends.count("busy"), ends.count("failed")) > SCHEDULES * 0.03, "each way is gone"


class Twofold(SimStore):
    """Takes a call that is placed for a new one each time."""

    def _write(self, commit: Commit) -> None:
        if commit.record.version == 1:
            self._disk.record = None
            self._disk.trace.clear()
        super()._write(commit)


def test_the_simulator_sees_a_call_that_is_ordered_twice() -> None:
    assert any("the platform is asked for" in each for seed in range(100) for each in played(seed, Twofold)[1])
