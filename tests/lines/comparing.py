"""The same caller on two lines: the same states and the same outcome, or a difference that the one table explains."""

from collections.abc import Sequence
from sys import maxsize

from msgspec import Struct

from ivr.capabilities import Capabilities
from ivr.engine.call import Taken
from ivr.trace.case import Case, caller_steps
from ivr.trace.other_line import noticed


class Compared(Struct, frozen=True):
    """What became of one caller on another line."""

    explained: frozenset[str] = frozenset()
    "The differences that explain another path; empty with a `fault`, or where nothing differs."
    fault: str = ""
    "What nothing explains."

    @property
    def same(self) -> bool:
        """Whether the same states were reached, and the same outcome."""
        return not self.explained and not self.fault


def compared(usual: Case, other: Case, before: Capabilities, after: Capabilities) -> Compared:
    """Compare a call on the line that can do all with the same caller's call on another line."""
    ours, theirs = _turns(usual), _turns(other)
    for number, (mine, yours) in enumerate(zip(ours, theirs, strict=False)):
        if mine.path != yours.path:
            return _explained(usual, other, before, after, number, f"{_way(mine)} became {_way(yours)}")
    if len(ours) != len(theirs):
        longer = (ours if len(ours) > len(theirs) else theirs)[min(len(ours), len(theirs))]
        which = "is missing" if len(ours) > len(theirs) else "came besides"
        return _explained(usual, other, before, after, min(len(ours), len(theirs)), f"{_way(longer)} {which}")
    if usual.header.outcome != other.header.outcome:
        fault = f"the outcome {usual.header.outcome} became {other.header.outcome}"
        return _explained(usual, other, before, after, len(ours) - 1, fault)
    return Compared()


class _Turn(Struct, frozen=True):
    """What a caller did, and where it led."""

    number: int
    "Counted from 0, with those that moved nothing."
    event: str
    path: tuple[tuple[str, str, str], ...]


def _turns(call: Case) -> Sequence[_Turn]:
    """Return what moved the call; what a service said belongs to what the caller did before."""
    turns = []
    for number, caller_step in enumerate(caller_steps(call)):
        path = tuple(_short(taken) for line in caller_step.lines for taken in line.path)
        if path:
            turns.append(_Turn(number, type(caller_step.first.event).__name__, path))
    return turns


def _short(taken: Taken) -> tuple[str, str, str]:
    return taken.state, taken.event, taken.target or ""


def _way(turn: _Turn) -> str:
    return f"{turn.event} {' '.join('/'.join(taken) for taken in turn.path)}"


def _explained(
    usual: Case, other: Case, before: Capabilities, after: Capabilities, number: int, fault: str
) -> Compared:
    """Look in the table for what is different where the calls part: at what was done there, or led to, or just before.

    Just before is whatever moved no call: a question that was asked again. What only the other line can do is found in
    its own call, which would notice it on the way back.
    """
    found = _differences(usual, before, after, number) | _differences(other, after, before, number)
    return Compared(found) if found else Compared(fault=fault)


def _differences(call: Case, before: Capabilities, after: Capabilities, number: int) -> frozenset[str]:
    turns = _turns(call)
    first = turns[number - 1].number + 1 if number else 0
    last = turns[number].number if number < len(turns) else maxsize
    seen = [one for one in noticed(call, before, after) if first <= one.number <= last]
    return frozenset(one.difference.id for one in seen if one.difference.moves)
