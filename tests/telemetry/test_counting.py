"""What turns and jobs are counted as, and that nobody can make the counters grow without end."""

import pytest

from ivr.engine.commands import Request
from ivr.engine.events import CallEnded, CallReceived, KeysPressed, RecordingMade, ServiceFailed
from ivr.errors import StaleCall, StoreUnavailable
from ivr.histogram import Histogram
from ivr.ports import CallKey
from ivr.server.telemetry.job_watch import DeliveryTry, JobTimes
from ivr.server.telemetry.label_counts import MOST, OTHER, LabelCounts
from ivr.server.telemetry.turn_counts import TurnCounts
from ivr.storage import Order
from ivr.store.memory.memory_calls import MemoryStore
from tests.flows import flow_of
from tests.turn.house import House

DESK = flow_of("""
flow: desk
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask: {digits: {prompt: press, into: said}, next: note}
  note: {record: {prompt: speak, into: note}, next: end}
  end: {say: goodbye, set: {outcome: "{{ said }}"}, final: true}
  bye: {say: sorry, final: true, outcome: unresolved}
""")


@pytest.fixture(params=[True, False], ids=["at once", "long"])
def house(request: pytest.FixtureRequest) -> House:
    return House(DESK, at_once=request.param, watch=TurnCounts())


def counts_of(house: House) -> TurnCounts:
    assert isinstance(house.watch, TurnCounts)
    return house.watch


async def test_a_call_is_counted_from_its_beginning_to_its_end_on_both_ways(house: House) -> None:
    counts = counts_of(house)
    await house.told("first", CallReceived("29:anna", "28:bot"))
    assert counts.started == {("desk", "sim"): 1}
    assert counts.entered == {("desk", "ask"): 1}
    await house.told("keys", KeysPressed(await house.op(), "4711"))
    await house.told("words", RecordingMade(await house.op(), 2.5, "a.wma"))
    assert counts.recordings == {("turn",): 0, ("apart",): 1}
    assert counts.recorded == 2.5
    assert counts.ended == {}
    await house.told("end", CallEnded("caller", await house.op()))
    assert counts.turns == {("sim",): 4}
    assert counts.entered[("desk", "end")] == 1
    assert counts.calls.counts[0] == 1
    assert counts.replies.counts[0] == 4


async def test_what_a_caller_keyed_is_in_no_label(house: House) -> None:
    await house.told("first", CallReceived("29:anna", "28:bot"))
    await house.told("keys", KeysPressed(await house.op(), "4711"))
    await house.told("words", RecordingMade(await house.op(), 2.5, "a.wma"))
    await house.told("end", CallEnded("caller", await house.op()))
    counts = counts_of(house)
    assert (await house.record()).call.outcome == "4711"
    assert counts.ended == {("desk", "end", ""): 1}
    labels = [
        label for counts in (counts.started, counts.ended, counts.entered) for labels in counts for label in labels
    ]
    assert not [label for label in labels if "4711" in label or "anna" in label]


async def test_a_message_that_comes_twice_is_one_turn_and_two_replies(house: House) -> None:
    for _ in range(2):
        await house.told("first", CallReceived("29:anna", "28:bot"))
    counts = counts_of(house)
    assert counts.turns == {("sim",): 1}
    assert sum(counts.replies.counts) == 2


class Refusing(MemoryStore):
    """A store that another server was faster with, or that is away, once."""

    error: Exception | None = None

    def _keep(self, commit: object) -> None:
        error, self.error = self.error, None
        if error is not None:
            raise error
        super()._keep(commit)  # type: ignore[arg-type]


async def test_a_turn_that_was_not_saved_is_counted_by_its_reason() -> None:
    store = Refusing()
    house = House(DESK, store=store, watch=TurnCounts())
    store.error = StaleCall("another server")
    await house.told("first", CallReceived("29:anna", "28:bot"))
    store.error = StoreUnavailable("away")
    with pytest.raises(StoreUnavailable):
        await house.told("keys", KeysPressed(await house.op(), "1"))
    counts = counts_of(house)
    assert (counts.stale, counts.unsaved, counts.turns) == (1, 1, {("sim",): 1})


async def test_stages_have_the_time_between_them() -> None:
    counts = TurnCounts()
    house = House(DESK, watch=counts)
    house.time = 1000.25
    await house.told("first", CallReceived("29:anna", "28:bot"))
    assert counts.stages["receive",].total == 0.25
    assert counts.replies.total == 0.25
    assert counts.stages["advance",].total == counts.stages["save",].total == 0.0


def test_a_job_is_counted_by_its_service_and_result() -> None:
    counts = TurnCounts()
    order = Order("0" * 32, CallKey("sim", "a", "1"), Request("1.0", "transcribe", {}, 5.0), 1)
    counts.job_done(order, JobTimes(10.0, 12.0, 12.5), ServiceFailed("1.0", "timeout"))
    counts.delivered(DeliveryTry("notification", "0" * 32, "1.0", 10.0, 11.0, "dead"))
    assert counts.jobs == {("transcribe", "timeout"): 1}
    assert counts.services["transcribe",].total == 2.0
    assert counts.deliveries == {("notification", "dead"): 1}


def test_labels_beyond_the_limit_are_counted_as_others() -> None:
    counts = LabelCounts()
    for number in range(MOST + 5):
        counts.count("flow", str(number))
    counts.count("flow", "0")
    assert len(counts) == MOST + 1
    assert counts[OTHER, OTHER] == 5
    assert counts["flow", "0"] == 2


def test_a_clock_that_was_set_back_lets_no_sum_fall() -> None:
    histogram = Histogram((1.0,))
    histogram.add(0.5)
    histogram.add(-3.0)
    assert (histogram.counts, histogram.total) == ([2, 0], 0.5)
