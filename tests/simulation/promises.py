"""What holds after each schedule of a simulation, whatever befell its servers."""

from collections.abc import Iterator, Sequence

from ivr.call_record import CallRecord, Stepped
from ivr.engine.call import Facts, new_call
from ivr.engine.events import CallEnded, HoldNeeded, RecordingMade, RecordingReady, ServiceAnswered, ServiceFailed
from ivr.engine.machine import step
from ivr.store.orders import MAX_RUNS
from tests.simulation.simulated_server import GRACE
from tests.simulation.simulated_world import RECOVERY, World

Answered = ServiceAnswered | ServiceFailed | RecordingReady


def violations(world: World) -> list[str]:
    """List what does not hold."""
    found = list(world.violations)
    for (call, message), bodies in world.replies.items():
        if len(bodies) > 1:
            found.append(f"{call}: {message} got {len(bodies)} different replies")
    found += [f"the order {job} ran {len(runs)} times" for (_, job), runs in world.runs.items() if len(runs) > MAX_RUNS]
    for saved in world.tables.calls.calls.values():
        record = saved.record
        found += [f"{record.key.id}: {what}" for what in _of_call(world, record)]
    if world.tables.jobs:
        found.append("orders are left of calls that are over")
    return found


def _of_call(world: World, record: CallRecord) -> Iterator[str]:
    steps = world.tables.calls.traces[record.id]
    yield from _folds(world, record, steps)
    if record.steps != len(steps):
        yield f"{record.steps} steps are counted, {len(steps)} are in the trace"
    if record.call.phase != "over":
        yield f"the call is still {record.call.phase} long after its last deadline"
    yield from (f"{message} was applied {times} times" for message, times in record.leg.notes.items() if times != "1")
    if sum(1 for line in steps if not line.ignored and isinstance(line.event, HoldNeeded)) > 8:
        yield "a caller was left holding"
    answered = [line.event for line in steps if not line.ignored and isinstance(line.event, Answered)]
    jobs = [event.job for event in answered]
    yield from (f"{job} was answered twice" for job in dict.fromkeys(jobs) if jobs.count(job) > 1)
    yield from _recordings(world, record, steps)
    yield from _orders(world, record, steps, answered)


def _folds(world: World, record: CallRecord, steps: Sequence[Stepped]) -> Iterator[str]:
    call = new_call(record.call.flow, Facts(id=record.id, channel=record.key.channel))
    ends = 0
    for line in steps:
        stepped = step(world.flow, call, line.event, now=line.now)
        if (stepped.commands, stepped.path, stepped.ignored) != (line.commands, line.path, line.ignored):
            yield f"the trace replays otherwise at {line.event}"
            return
        ends += stepped.call.phase == "over" != call.phase
        call = stepped.call
    if call != record.call:
        yield "the trace does not lead to the saved call"
    if ends > 1:
        yield f"the call was closed {ends} times"


def _recordings(world: World, record: CallRecord, steps: Sequence[Stepped]) -> Iterator[str]:
    taken = [line for line in steps if not line.ignored and isinstance(line.event, RecordingMade | RecordingReady)]
    named = [line.event.media for line in taken if line.event.media is not None]
    yield from (f"recording {media} is named and not there" for media in named if not world.tables.has_recording(media))
    if world.later:
        return
    ended = next((one.now for one in steps if isinstance(one.event, CallEnded) and one.event.grace is not None), None)
    kept = {media.split(".")[1] for media in named}
    for (call, message), began in world.acknowledged.items():
        in_time = ended is None or began < ended + GRACE - 1.0  # servers' clocks differ
        if call == record.key.id and in_time and message not in kept:
            yield f"the recording of {message} is lost"


def _orders(world: World, record: CallRecord, steps: Sequence[Stepped], answered: Sequence[Answered]) -> Iterator[str]:
    """Find answers that came in time and never reached the flow, and orders that nobody carried out."""
    asked = {command.job: line.now for line in steps for command in line.commands if hasattr(command, "job")}
    timeouts = {command.job: command.timeout for line in steps for command in line.commands if hasattr(command, "job")}
    reached = {event.job for event in answered}
    ended = steps[-1].now
    for job, at in asked.items():
        saved, _ = world.tables.finished.get((record.id, job), (None, None))
        if saved is not None and saved < at + timeouts[job] - 1.0 and job not in reached and world.later is False:
            yield f"the words for {job} are lost"
        late = max(at, world.healed) + RECOVERY
        if saved is None and late < min(ended, at + timeouts[job]):
            yield f"nobody carried out the order {job}"
    if world.later:
        yield from _fetched(world, record, answered)


def _fetched(world: World, record: CallRecord, answered: Sequence[Answered]) -> Iterator[str]:
    told = sorted(name.partition(".")[2] for name in world.tables.calls.requests if name.startswith(record.id))
    taken = sorted(f"{event.op}/delete" for event in answered if isinstance(event, RecordingReady))
    ended = {event.job for event in answered}
    for (call, job), (_, event) in world.tables.finished.items():
        if call == record.id and isinstance(event, RecordingReady) and job not in ended:
            yield f"the recording {job} was fetched, and is lost"
    if told != taken:
        yield f"the carrier was told to delete {told}, and {taken} were taken"
