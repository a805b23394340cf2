"""For every transition and every text of a flow the shortest call that takes or hears it, found by trying.

The machine alone, without a server: `recordings.make_cases` then makes these calls for real.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from msgspec import Struct

from ivr.engine import commands
from ivr.engine.actions.http import HTTP
from ivr.engine.actions.split import Split
from ivr.engine.actions.transfer import TransferCall
from ivr.engine.call import Call, Facts, Taken, new_call
from ivr.engine.commands import Command, Play, Recognize, Record, Request, Text
from ivr.engine.events import (
    CallEnded,
    CallReceived,
    ChoiceMade,
    Event,
    HoldNeeded,
    HttpAnswered,
    InputInvalid,
    InputTimedOut,
    KeysPressed,
    OperationDone,
    OperationFailed,
    RecordingMade,
    ServiceAnswered,
    ServiceFailed,
    Transcribed,
    TransferFailed,
    Transferred,
)
from ivr.engine.flow import Flow
from ivr.engine.machine import step
from recordings.surroundings import (
    BEGINNINGS,
    COMMANDS,
    CONNECTS,
    KEYS,
    NOT_UNDERSTOOD,
    SAID,
    SERVED,
    SLOW,
    SOMEBODY_ELSE,
    Beginning,
)
from recordings.texts import SpokenText, edited

DEPTH = 14
POINTS = 60_000
STARTED = 1_795_168_800.0


class CallerStep(Struct, frozen=True):
    """One thing that a caller does, or that happens to the line."""

    does: str
    what: str = ""


class Point(Struct, frozen=True):
    """A call at one moment, and what led there."""

    call: Call
    commands: tuple[Command, ...]
    caller_steps: tuple[CallerStep, ...] = ()
    taken: tuple[Taken, ...] = ()
    "The transitions of the last caller action."
    heard: str = ""
    "All that was said after it."


def calls_hearing(flow: Flow, wanted: Iterable[SpokenText]) -> Iterator[tuple[SpokenText, tuple[CallerStep, ...]]]:
    """Return each of these texts that can be heard, and a whole call that hears it."""
    marks = {said: f"<{number}>" for number, said in enumerate(wanted)}
    marked = edited(flow, {said: mark + said.words for said, mark in marks.items()})
    for point in _explored(marked, _beginnings(marked), all_caller_steps=True):
        for said in [said for said, mark in marks.items() if mark in point.heard]:
            del marks[said]
            yield said, _to_the_end(marked, point).caller_steps
        if not marks:
            return


def _beginnings(flow: Flow) -> list[Point]:
    """Return the calls that have just come in: so many sorts of them as make a difference to the flow."""
    new = Point(new_call(flow.hash, Facts(id="0" * 32, channel="skype")), ())
    names = [name for name, beginning in BEGINNINGS.items() if _matters(flow, beginning)]
    return [_after(flow, new, CallerStep("calls", name)) for name in names]


def _matters(flow: Flow, beginning: Beginning) -> bool:
    """Return whether a call that begins so can go another way; where hours count, each call has a time."""
    speaks = beginning.language == "en" or any(tag.startswith(beginning.language) for tag in flow.languages)
    asks = beginning.caller is not None or any("call.from" in name for name in _names(flow))
    shares = beginning.caller != SOMEBODY_ELSE or any(isinstance(state.action, Split) for state in flow.states.values())
    connects = beginning.transfers or any(isinstance(state.action, TransferCall) for state in flow.states.values())
    return speaks and asks and shares and connects and (beginning.at is not None) is bool(flow.calendars)


def _names(flow: Flow) -> Iterator[str]:
    """Go through what the guards of transitions read."""
    for state in flow.states.values():
        for branches in state.on.values():
            for branch in branches:
                yield from branch.guard.names if branch.guard else ()


def shortest_calls(flow: Flow) -> Iterator[tuple[Taken, tuple[CallerStep, ...]]]:
    """Return each transition that can be taken, and a whole call that takes it."""
    seen: set[Taken] = set()
    for point in _explored(flow, _beginnings(flow), all_caller_steps=True):
        for taken in point.taken:
            if taken.state and taken not in seen:
                seen.add(taken)
                yield taken, _to_the_end(flow, point).caller_steps


def _to_the_end(flow: Flow, point: Point) -> Point:
    """Let a well-meaning caller come to the end; one for whom there is none hangs up."""
    for later in _explored(flow, [point], all_caller_steps=False):
        if later.call.phase == "over":
            return later
    return point


def _explored(flow: Flow, starts: Sequence[Point], *, all_caller_steps: bool) -> Iterator[Point]:
    """Go through all points from there, the nearest first, each sort of point once."""
    queue, known = deque(starts), {_sort(start) for start in starts}
    yield from starts
    while queue and len(known) < POINTS:
        point = queue.popleft()
        if point.call.phase == "over" or len(point.caller_steps) >= DEPTH:
            continue
        for caller_step in _possible(point, all_caller_steps=all_caller_steps):
            later = _after(flow, point, caller_step)
            yield later  # also where nothing new follows: the way here may be new
            if _sort(later) not in known:
                known.add(_sort(later))
                queue.append(later)


def _sort(point: Point) -> str:
    """Return what tells points apart: all that can make a difference to what follows."""
    call = point.call
    kinds = [type(action).__name__ for action in point.commands]
    visits = sorted((state, min(times, 4)) for state, times in call.memory.visits.items())
    values = (call.memory.variables, call.memory.private)
    facts = call.facts
    begins = (facts.caller, facts.language, facts.ahead, facts.transfers)
    return repr((call.phase, call.state, call.silent, call.wrong, kinds, visits, values, call.outcome, begins))


def _possible(point: Point, *, all_caller_steps: bool) -> Iterator[CallerStep]:
    if point.call.waiting is not None:
        yield from _servings(point)
        return
    yield from _answers(point, all_caller_steps=all_caller_steps)
    if all_caller_steps:
        yield from _failures(point)


def _servings(point: Point) -> Iterator[CallerStep]:
    """Go through what the service can answer that the call waits for."""
    asked = next(action for action in point.commands if isinstance(action, Request))
    path = urlsplit(str(asked.arguments["url"])).path
    return (CallerStep("service", f"{path} {name}") for name in SERVED[path])


def _answers(point: Point, *, all_caller_steps: bool) -> Iterator[CallerStep]:
    last = point.commands[-1] if point.commands else None
    match last:
        case Recognize(choices=choices) if choices:
            yield from (CallerStep("chooses", choice.name) for choice in choices)
        case Recognize(digits=digits) if digits:
            yield from (CallerStep("keys", keys) for keys in KEYS if digits.minimum <= len(keys) <= digits.maximum)
            if all_caller_steps:
                yield from (CallerStep("keys", keys) for keys in COMMANDS if len(keys) < digits.minimum)
        case commands.Transfer():
            yield from (CallerStep("somebody", what) for what in CONNECTS)
        case Record():
            names = (*SAID, *NOT_UNDERSTOOD) if all_caller_steps else [name for name in SAID if name not in SLOW]
            yield from (CallerStep("records", name) for name in names)


def _failures(point: Point) -> Iterator[CallerStep]:
    last = point.commands[-1] if point.commands else None
    if isinstance(last, Recognize | Record):
        yield from (CallerStep(does) for does in ("keeps silent", "hangs up", "line fails", "line refuses"))
    if isinstance(last, commands.Transfer):
        yield from (CallerStep(does) for does in ("hangs up", "line refuses"))
    if isinstance(last, Recognize):
        yield CallerStep("answers wrong")
    if any(isinstance(action, Play) for action in point.commands):
        yield from (CallerStep("hangs up", "prompt"), CallerStep("line fails", "prompt"))


def _after(flow: Flow, point: Point, caller_step: CallerStep) -> Point:
    """Apply a caller action, with all that follows from it until the caller is due again."""
    call, commands, taken = _stepped(flow, point.call, _event(point, caller_step))
    heard = _heard(commands)
    if is_slow_step(caller_step) and caller_step.does == "service":
        _, held, _ = _stepped(flow, point.call, HoldNeeded())
        heard += _heard(held)
    while call.phase != "over":
        if call.waiting is not None and call.waiting.service == HTTP:
            break  # what it answers is the next step
        if call.waiting is not None:
            if is_slow_step(caller_step):
                call, held, _ = _stepped(flow, call, HoldNeeded())
                heard += _heard(held)
            said = _service(call.waiting.job, caller_step.what)
            call, commands, more = _stepped(flow, call, said)
            heard += _heard(commands)
        elif call.asked[-1].kind in {"answer", "hangup", "reject"}:
            call, _, more = _stepped(flow, call, OperationDone(call.asked[-1].op))
        else:
            break
        taken += more
    return Point(call, commands, (*point.caller_steps, caller_step), taken, heard)


def _heard(commands: Iterable[Command]) -> str:
    spoken = (
        segment for action in commands if isinstance(action, Play | Recognize | Record) for segment in action.prompt
    )
    return " ".join(
        segment.value if isinstance(segment, Text) else getattr(segment, "text", "") or "" for segment in spoken
    )


def _stepped(flow: Flow, call: Call, event: Event) -> tuple[Call, tuple[Command, ...], tuple[Taken, ...]]:
    after = step(flow, call, event, now=STARTED)
    assert after.ignored is None, (event, after.ignored)
    return after.call, after.commands, after.path


def is_slow_step(caller_step: CallerStep) -> bool:
    """Return whether the caller is kept waiting in this step."""
    return caller_step.what.rpartition(" ")[2] in SLOW


def _service(job: str, what: str) -> Event:
    if what in NOT_UNDERSTOOD:
        return ServiceFailed(job, what)
    return ServiceAnswered(job, Transcribed(SAID[what], 0.9))


def _event(point: Point, caller_step: CallerStep) -> Event:
    op = _operation(point, caller_step)
    match caller_step.does:
        case "calls":
            begins = BEGINNINGS[caller_step.what]
            at, transfers = begins.at, begins.transfers
            return CallReceived(begins.caller, "28:bot", begins.language, at, transfers=transfers)
        case "service" | "somebody":
            return _outside(point, caller_step, op)
        case "chooses":
            return ChoiceMade(op, caller_step.what, "keys")
        case "keys":
            return KeysPressed(op, caller_step.what, "terminator")
        case "records":
            return RecordingMade(op, 2.5, f"{caller_step.what}.wma", "terminator")
        case "keeps silent":
            return InputTimedOut(op)
        case "answers wrong":
            return InputInvalid(op)
        case "hangs up":
            return CallEnded("caller", op)
        case "line refuses":
            return OperationFailed(op, "workflow", whole=True)
    return OperationFailed(op, "system")


def _outside(point: Point, caller_step: CallerStep, op: str) -> Event:
    """Return what a web service answered, or what became of a transfer."""
    if point.call.waiting is not None:
        answer, job = served(caller_step), point.call.waiting.job
        return ServiceFailed(job, answer) if isinstance(answer, str) else HttpAnswered(job, *answer)
    failed = CONNECTS[caller_step.what]
    return Transferred(op) if failed is None else TransferFailed(op, *failed)


def served(caller_step: CallerStep) -> tuple[int, object] | str:
    """Return what the web service answers in a step, or how it fails."""
    path, _, name = caller_step.what.partition(" ")
    return SERVED[path][name]


def _operation(point: Point, caller_step: CallerStep) -> str:
    if caller_step.what == "prompt":
        return next(action.op for action in point.commands if isinstance(action, Play))
    return point.call.asked[-1].op if point.call.asked else ""
