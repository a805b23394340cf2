"""6,000 schedules of crashes, retries and duplicates, and what holds in each of them (docs/architecture.md).

In half of them the live calls are in memory, and most messages are taken at once. A failing schedule is named by its
store and its seed: `World(seed, FLOW, store).run()` plays it again.
"""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from ivr.call_record import CallRecord, Commit, Stepped
from ivr.engine.call import Facts, new_call
from ivr.engine.events import CallEnded, HoldNeeded, RecordingMade, RecordingReady, ServiceAnswered, ServiceFailed
from ivr.engine.machine import step
from ivr.ports import CallKey
from ivr.storage import Absent
from tests.flows import flow_of
from tests.turn.simulated_stores import SimStore, SimStoreInMemory
from tests.turn.simulator import GRACE, World

SCHEDULES = 6000
FLOW = flow_of("""
flow: simulated
initial: greeting
on: {exhausted: bye, error: trouble, hangup: bye}
states:
  greeting: {say: welcome, next: main}
  main:
    menu: {prompt: question, choices: {message: {dtmf: "1"}, number: {dtmf: "2"}}, noInput: what, maxAttempts: 2}
    on: {message: note, number: number}
  number:
    digits: {prompt: number, minDigits: 2, maxDigits: 5, maxAttempts: 2, into: number}
    next: main
  note:
    record: {prompt: speak, transcribe: true, transcribeTimeout: 10s, into: note, maxAttempts: 2}
    next: thanks
    on: {error.transcribe: thanks}
  thanks: {say: "{{ note.transcript or 'no words' }}", next: main}
  bye: {say: goodbye, final: true}
  trouble: {say: trouble, final: true, outcome: failed}
""")


def violations(world: World) -> list[str]:
    """List what does not hold after a schedule."""
    found = list(world.violations)
    record = world.disk.load()
    if record is None:
        return found
    steps = world.disk.steps()
    found += _folds(world, record)
    if record.steps != len(steps):
        found.append(f"{record.steps} steps are counted, {len(steps)} are in the trace")
    if record.call.phase != "over":
        found.append(f"the call is still {record.call.phase} long after its last deadline")
    found += [f"{message} was applied {times} times" for message, times in record.leg.notes.items() if times != "1"]
    found += [
        f"{message} got {len(bodies)} different replies" for message, bodies in world.replies.items() if len(bodies) > 1
    ]
    named = {line.event.media for line in steps if isinstance(line.event, RecordingMade | RecordingReady)} - {None}
    found += [f"recording {media} is named and not whole" for media in named - world.disk.files]
    held = [line for line in steps if not line.ignored and isinstance(line.event, HoldNeeded)]
    if len(held) > 8:
        found.append("a caller was left holding")
    counted = [
        line.event
        for line in steps
        if not line.ignored and isinstance(line.event, ServiceAnswered | ServiceFailed | RecordingReady)
    ]
    found += [f"{event.job} was answered twice" for event in counted if [e.job for e in counted].count(event.job) > 1]
    found += _lost_words(world, counted)
    return found + (_not_fetched(world, counted) if world.later else _lost_recordings(world, steps))


def _folds(world: World, record: CallRecord) -> list[str]:
    call = new_call(record.call.flow, Facts(id=record.id, channel=record.key.channel))
    for line in world.disk.steps():
        stepped = step(world.flow, call, line.event, now=line.now)
        if (stepped.commands, stepped.path, stepped.ignored) != (line.commands, line.path, line.ignored):
            return [f"the trace replays otherwise at {line.event}"]
        call = stepped.call
    return [] if call == record.call else ["the trace does not lead to the saved call"]


def _not_fetched(world: World, counted: list[ServiceAnswered | ServiceFailed | RecordingReady]) -> list[str]:
    """Find recordings that were fetched in time and never reached the flow, and what the carrier was told of others."""
    taken = [f"{event.op}/delete" for event in counted if isinstance(event, RecordingReady)]
    ended = {event.job for event in counted}
    lost = [
        f"the recording {job} was fetched, and is lost"
        for job, (event, _) in world.disk.answers.items()
        if isinstance(event, RecordingReady) and job not in ended
    ]
    if sorted(world.disk.outbound) == sorted(taken):
        return lost
    return [*lost, f"the carrier was told to delete {world.disk.outbound}, and {taken} were taken"]


def _lost_words(world: World, counted: list[ServiceAnswered | ServiceFailed | RecordingReady]) -> list[str]:
    """Find answers that were saved within their order's time, and never reached the flow."""
    asked = {
        action.job: line.now + action.timeout
        for line in world.disk.steps()
        for action in line.commands
        if hasattr(action, "job")
    }
    reached = {event.job for event in counted}
    return [
        f"the words for {job} are lost"
        for job, (_, saved) in world.disk.answers.items()
        if saved < asked.get(job, 0.0) and job not in reached
    ]


def _lost_recordings(world: World, steps: list[Stepped]) -> list[str]:
    """Find recordings that were acknowledged, and that the end of their call had thrown away before."""
    lines = [line for line in steps if not line.ignored]
    ends = [line.now for line in lines if isinstance(line.event, CallEnded) and line.event.grace is not None]
    kept = {str(line.event.media).partition("-")[0] for line in lines if isinstance(line.event, RecordingMade)}
    return [
        f"the recording of {message} is lost"
        for message, began in world.recorded.items()
        if ends and began < ends[0] + GRACE and message not in kept
    ]


@pytest.mark.parametrize(("store", "first_seed"), [(SimStore, 0), (SimStoreInMemory, 1)])
def test_no_schedule_of_crashes_retries_and_duplicates_breaks_a_promise(store: type[SimStore], first_seed: int) -> None:
    seeds = range(first_seed, SCHEDULES, 2)
    crashes = calls = taken_now = 0
    for seed in seeds:
        world = World(seed, FLOW, store).run()
        assert violations(world) == [], f"seed {seed}"
        crashes += world.crashes
        calls += world.disk.record is not None
        taken_now += world.taken_now
    assert calls > len(seeds) * 0.9
    assert crashes > len(seeds) * 0.5
    assert taken_now == 0 if store is SimStore else taken_now > len(seeds) * 3


@pytest.mark.parametrize("store", [SimStore, SimStoreInMemory])
def test_nor_does_one_of_recordings_that_are_fetched_and_of_a_line_that_is_woken(store: type[SimStore]) -> None:
    fetched = crashes = 0
    for seed in range(1500):
        world = World(seed, FLOW, store, later=True).run()
        assert violations(world) == [], f"seed {seed}"
        fetched += len(world.disk.outbound)
        crashes += world.crashes
    assert fetched > 300
    assert crashes > 700


def seen(world: type[World], store: type[SimStore], *, schedules: int = 300, wakes: bool = True) -> list[str]:
    return [found for seed in range(schedules) for found in violations(world(seed, FLOW, store, wakes=wakes).run())]


class ForgetfulStore(SimStore):
    """Keeps no message ids."""

    async def load(self, key: CallKey) -> CallRecord | None:
        record = await super().load(key)
        return replace(record, replies={}) if record else None


class ForgetfulMemory(SimStoreInMemory):
    """Keeps no message ids for whoever glances."""

    def glance(self, key: CallKey) -> CallRecord | Absent:
        found = super().glance(key)
        return found if isinstance(found, Absent) else replace(found, replies={})


@pytest.mark.parametrize("store", [ForgetfulStore, ForgetfulMemory])
def test_the_simulator_sees_a_message_that_is_applied_twice(store: type[SimStore]) -> None:
    assert any("was applied 2 times" in violation for violation in seen(World, store))


class HastyStore(SimStoreInMemory):
    """Tells what is handed over before it is saved, once the call is known."""

    def hand_over(self, commit: Commit, then: Callable[[Exception | None], None]) -> None:
        known = commit.record.version > 1
        super().hand_over(commit, (lambda _: None) if known else then)
        if known:
            then(None)


def test_the_simulator_sees_a_reply_that_is_told_before_it_is_saved() -> None:
    assert any("was answered before it was saved" in violation for violation in seen(World, HastyStore))


def test_the_simulator_sees_calls_that_nobody_wakes() -> None:
    assert any("long after its last deadline" in found for found in seen(World, SimStore, wakes=False))


class ImpatientWorld(World):
    """Sees no upload that is under way."""

    async def under_way(self, key: CallKey, *, before: float) -> bool:
        return False


def test_the_simulator_sees_a_recording_that_the_end_of_its_call_throws_away() -> None:
    found = seen(ImpatientWorld, SimStore, schedules=900)
    assert any(violation.startswith("the recording of ") for violation in found)
