"""For every transition of a flow, and every text, the shortest call that takes or hears it, by trying out all deeds.

The machine alone, without a server: `recordings.make_cases` then makes these calls for real.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from ivr.engine.actions import Action, Play, Recognize, Record, Text
from ivr.engine.call import Call, Facts, Taken, new_call
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
)
from ivr.engine.flow import Flow
from ivr.engine.machine import step
from recordings.texts import Said, edited

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


class Deed(Struct, frozen=True):
    """One thing that a caller does, or that happens to the line."""

    does: str
    what: str = ""


class Point(Struct, frozen=True):
    """A call at one moment, and what led there."""

    call: Call
    actions: tuple[Action, ...]
    deeds: tuple[Deed, ...] = ()
    taken: tuple[Taken, ...] = ()
    "The transitions of the last deed."
    heard: str = ""
    "All that was said after it."


def calls_hearing(flow: Flow, wanted: Iterable[Said]) -> Iterator[tuple[Said, tuple[Deed, ...]]]:
    """Give each of these texts that can be heard, and a whole call that hears it."""
    marks = {said: f"<{number}>" for number, said in enumerate(wanted)}
    marked = edited(flow, {said: mark + said.words for said, mark in marks.items()})
    for point in _explored(marked, _beginning(marked), all_deeds=True):
        for said in [said for said, mark in marks.items() if mark in point.heard]:
            del marks[said]
            yield said, _to_the_end(marked, point).deeds
        if not marks:
            return


def _beginning(flow: Flow) -> Point:
    return Point(new_call(flow.hash, Facts(id="0" * 32, channel="skype")), ())


def shortest_calls(flow: Flow) -> Iterator[tuple[Taken, tuple[Deed, ...]]]:
    """Give each transition that can be taken, and a whole call that takes it."""
    seen: set[Taken] = set()
    for point in _explored(flow, _beginning(flow), all_deeds=True):
        for taken in point.taken:
            if taken.state and taken not in seen:
                seen.add(taken)
                yield taken, _to_the_end(flow, point).deeds


def _to_the_end(flow: Flow, point: Point) -> Point:
    """Let a well-meaning caller come to the end; one for whom there is none hangs up."""
    for later in _explored(flow, point, all_deeds=False):
        if later.call.phase == "over":
            return later
    return point


def _explored(flow: Flow, start: Point, *, all_deeds: bool) -> Iterator[Point]:
    """Go through all points from here, the nearest first, each sort of point once."""
    first = start if start.deeds else _after(flow, start, Deed("calls"))
    queue, known = deque([first]), {_sort(first)}
    yield first
    while queue and len(known) < POINTS:
        point = queue.popleft()
        if point.call.phase == "over" or len(point.deeds) >= DEPTH:
            continue
        for deed in _possible(point, all_deeds=all_deeds):
            later = _after(flow, point, deed)
            yield later  # also where nothing new follows: the way here may be new
            if _sort(later) not in known:
                known.add(_sort(later))
                queue.append(later)


def _sort(point: Point) -> str:
    """Tell points apart by all that can make a difference to what follows."""
    call = point.call
    kinds = [type(action).__name__ for action in point.actions]
    visits = sorted((state, min(times, 4)) for state, times in call.memory.visits.items())
    values = (call.memory.variables, call.memory.private)
    return repr((call.phase, call.state, call.silent, call.wrong, kinds, visits, values, call.outcome))


def _possible(point: Point, *, all_deeds: bool) -> Iterator[Deed]:
    last = point.actions[-1] if point.actions else None
    match last:
        case Recognize(choices=choices) if choices:
            yield from (Deed("chooses", choice.name) for choice in choices)
        case Recognize(digits=digits) if digits:
            yield from (Deed("keys", keys) for keys in KEYS if digits.minimum <= len(keys) <= digits.maximum)
        case Record():
            names = (*SAID, *NOT_UNDERSTOOD) if all_deeds else [name for name in SAID if name not in SLOW]
            yield from (Deed("records", name) for name in names)
    if not all_deeds:
        return
    if isinstance(last, Recognize | Record):
        yield from (Deed(does) for does in ("keeps silent", "hangs up", "line fails", "line refuses"))
    if isinstance(last, Recognize):
        yield Deed("answers wrong")
    if any(isinstance(action, Play) for action in point.actions):
        yield from (Deed("hangs up", "prompt"), Deed("line fails", "prompt"))


def _after(flow: Flow, point: Point, deed: Deed) -> Point:
    """Apply a deed, with all that follows from it until the caller is due again."""
    call, actions, taken = _stepped(flow, point.call, _event(point, deed))
    heard = _heard(actions)
    while call.phase != "over":
        if call.waiting is not None:
            if deed.what in SLOW:
                call, held, _ = _stepped(flow, call, HoldNeeded())
                heard += _heard(held)
            said = _service(call.waiting.job, deed.what)
            call, actions, more = _stepped(flow, call, said)
            heard += _heard(actions)
        elif call.asked[-1].kind in {"answer", "hangup", "reject"}:
            call, _, more = _stepped(flow, call, OperationDone(call.asked[-1].op))
        else:
            break
        taken += more
    return Point(call, actions, (*point.deeds, deed), taken, heard)


def _heard(actions: Iterable[Action]) -> str:
    spoken = (
        segment for action in actions if isinstance(action, Play | Recognize | Record) for segment in action.prompt
    )
    return " ".join(
        segment.value if isinstance(segment, Text) else getattr(segment, "text", "") or "" for segment in spoken
    )


def _stepped(flow: Flow, call: Call, event: Event) -> tuple[Call, tuple[Action, ...], tuple[Taken, ...]]:
    after = step(flow, call, event, now=STARTED)
    assert after.ignored is None, (event, after.ignored)
    return after.call, after.actions, after.path


def _service(job: str, what: str) -> Event:
    if what in NOT_UNDERSTOOD:
        return ServiceFailed(job, what)
    return ServiceAnswered(job, {"transcript": SAID[what], "confidence": 0.9})


def _event(point: Point, deed: Deed) -> Event:
    op = _operation(point, deed)
    match deed.does:
        case "calls":
            return CallReceived("29:caller", "28:bot", "en")
        case "chooses":
            return ChoiceMade(op, deed.what, "keys")
        case "keys":
            return KeysPressed(op, deed.what, "terminator")
        case "records":
            return RecordingMade(op, 2.5, f"{deed.what}.wma", "terminator")
        case "keeps silent":
            return InputTimedOut(op)
        case "answers wrong":
            return InputInvalid(op)
        case "hangs up":
            return CallEnded("caller", op)
        case "line refuses":
            return OperationFailed(op, "workflow", whole=True)
    return OperationFailed(op, "system")


def _operation(point: Point, deed: Deed) -> str:
    if deed.what == "prompt":
        return next(action.op for action in point.actions if isinstance(action, Play))
    return point.call.asked[-1].op if point.call.asked else ""
