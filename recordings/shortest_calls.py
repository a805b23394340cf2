"""For every transition and every text of a flow the shortest call that takes or hears it, found by trying.

The machine alone, without a server: `recordings.make_cases` then makes these calls for real.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from ivr.engine.call import Call, Facts, Taken, new_call
from ivr.engine.commands import Command, Play, Recognize, Record, Text
from ivr.engine.events import (
    CallEnded,
    CallReceived,
    ChoiceMade,
    Event,
    HoldNeeded,
    InputInvalid,
    InputTimedOut,
    KeysPressed,
    OperationDone,
    OperationFailed,
    RecordingMade,
    ServiceAnswered,
    ServiceFailed,
    Transcribed,
)
from ivr.engine.flow import Flow
from ivr.engine.machine import step
from recordings.texts import SpokenText, edited

SAID: Mapping[str, str | None] = {
    "words": "My flight was late.",
    "cancel": "Please cancel that.",
    "nothing": None,
    "slow": "My flight was late.",
}
"What the speech engine understands, by the recording's name."
NOT_UNDERSTOOD = ("failed", "timeout", "recording")
"Recordings with which the engine fails so."
SLOW = frozenset({"slow"})
"Recordings that take the engine longer than a reply waits: the caller hears the `holdPrompt`."
KEYS = ("2468", "1357", "5", "1", "11202026", "15550100", "12*50", "")
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
    for point in _explored(marked, _beginning(marked), all_caller_steps=True):
        for said in [said for said, mark in marks.items() if mark in point.heard]:
            del marks[said]
            yield said, _to_the_end(marked, point).caller_steps
        if not marks:
            return


def _beginning(flow: Flow) -> Point:
    return Point(new_call(flow.hash, Facts(id="0" * 32, channel="skype")), ())


def shortest_calls(flow: Flow) -> Iterator[tuple[Taken, tuple[CallerStep, ...]]]:
    """Return each transition that can be taken, and a whole call that takes it."""
    seen: set[Taken] = set()
    for point in _explored(flow, _beginning(flow), all_caller_steps=True):
        for taken in point.taken:
            if taken.state and taken not in seen:
                seen.add(taken)
                yield taken, _to_the_end(flow, point).caller_steps


def _to_the_end(flow: Flow, point: Point) -> Point:
    """Let a well-meaning caller come to the end; one for whom there is none hangs up."""
    for later in _explored(flow, point, all_caller_steps=False):
        if later.call.phase == "over":
            return later
    return point


def _explored(flow: Flow, start: Point, *, all_caller_steps: bool) -> Iterator[Point]:
    """Go through all points from here, the nearest first, each sort of point once."""
    first = start if start.caller_steps else _after(flow, start, CallerStep("calls"))
    queue, known = deque([first]), {_sort(first)}
    yield first
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
    return repr((call.phase, call.state, call.silent, call.wrong, kinds, visits, values, call.outcome))


def _possible(point: Point, *, all_caller_steps: bool) -> Iterator[CallerStep]:
    last = point.commands[-1] if point.commands else None
    match last:
        case Recognize(choices=choices) if choices:
            yield from (CallerStep("chooses", choice.name) for choice in choices)
        case Recognize(digits=digits) if digits:
            yield from (CallerStep("keys", keys) for keys in KEYS if digits.minimum <= len(keys) <= digits.maximum)
        case Record():
            names = (*SAID, *NOT_UNDERSTOOD) if all_caller_steps else [name for name in SAID if name not in SLOW]
            yield from (CallerStep("records", name) for name in names)
    if not all_caller_steps:
        return
    if isinstance(last, Recognize | Record):
        yield from (CallerStep(does) for does in ("keeps silent", "hangs up", "line fails", "line refuses"))
    if isinstance(last, Recognize):
        yield CallerStep("answers wrong")
    if any(isinstance(action, Play) for action in point.commands):
        yield from (CallerStep("hangs up", "prompt"), CallerStep("line fails", "prompt"))


def _after(flow: Flow, point: Point, caller_step: CallerStep) -> Point:
    """Apply a caller action, with all that follows from it until the caller is due again."""
    call, commands, taken = _stepped(flow, point.call, _event(point, caller_step))
    heard = _heard(commands)
    while call.phase != "over":
        if call.waiting is not None:
            if caller_step.what in SLOW:
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


def _service(job: str, what: str) -> Event:
    if what in NOT_UNDERSTOOD:
        return ServiceFailed(job, what)
    return ServiceAnswered(job, Transcribed(SAID[what], 0.9))


def _event(point: Point, caller_step: CallerStep) -> Event:
    op = _operation(point, caller_step)
    match caller_step.does:
        case "calls":
            return CallReceived("29:caller", "28:bot", "en")
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


def _operation(point: Point, caller_step: CallerStep) -> str:
    if caller_step.what == "prompt":
        return next(action.op for action in point.commands if isinstance(action, Play))
    return point.call.asked[-1].op if point.call.asked else ""
