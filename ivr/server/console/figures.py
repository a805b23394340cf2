"""What many calls did: how many took each transition, where callers hung up, how calls ended.

A call counts once for each transition that it took, however often it went that way. Pure, but for `FiguresByCall`,
which reads an archive.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from msgspec import Struct, field

from ivr.call_record import CallRecord, Stepped
from ivr.engine.call import Taken
from ivr.engine.commands import HangUp, Reject
from ivr.engine.events import CallEnded, RecordingMade
from ivr.engine.flow import Flow
from ivr.flowfile.chart import box_of, drawn_from, is_drawn
from ivr.server.drawing.svg import Numbers
from ivr.storage import Archive
from ivr.store.recent import Recent
from ivr.trace.milestones import milestones_reached, states_reached
from ivr.trace.service_failures import ServiceFailure, service_failures

REMEMBERED = 1000
"Finished calls whose figures are kept, for a list that is renewed every two seconds."


class CallFigures(Struct, frozen=True):
    """What one call adds to the figures."""

    transitions: frozenset[tuple[str, str, str]]
    "State, event, and the state entered (empty: the call ended)."
    left: str | None
    "The state in which the caller hung up."
    reached: frozenset[str]
    "The states that it has come to; not those that a reply had led through before its first prompt failed."
    outcome: str | None
    seconds: float
    failures: tuple[ServiceFailure, ...] = ()


class Failures(Struct):
    """How often a service failed in a state."""

    count: int = 0
    last: float = 0.0
    "When it failed last, in seconds since 1970."

    def add(self, count: int, last: float) -> None:
        """Count further ones."""
        self.count += count
        self.last = max(self.last, last)


class Figures(Struct):
    """The sum over some calls."""

    calls: int = 0
    over: int = 0
    seconds: float = 0.0
    "Of the calls that are over."
    transitions: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    arrows: Counter[tuple[str, str]] = field(default_factory=Counter)
    "By the boxes of the flow's picture."
    left: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    milestones: Counter[str] = field(default_factory=Counter)
    "How many calls have reached each."
    failures: defaultdict[tuple[str, str], Failures] = field(default_factory=lambda: defaultdict(Failures))
    "Of services, by state and event; a call in which one failed three times counts three times."

    @property
    def numbers(self) -> Numbers:
        """What the flow's picture shows of it."""
        left = Counter[str]()
        for state, callers in self.left.items():
            left[box_of(state)] += callers
        return Numbers(self.arrows, left, self.calls)


def figures_of_call(outcome: str | None, trace: Sequence[Stepped]) -> CallFigures:
    """Count one call; `outcome` is None if it is not over, and empty if it has none."""
    counted = [step for step in trace if step.ignored is None]
    transitions = frozenset((taken.state, taken.event, taken.target) for step in counted for taken in step.path)
    seconds = max(trace[-1].now - trace[0].now, 0.0) if trace else 0.0  # a clock may have been set back
    reached = states_reached(taken for step in counted for taken in step.path)
    outcome = outcome if outcome is None else outcome or "none"
    return CallFigures(transitions, _left(counted), reached, outcome, seconds, tuple(service_failures(counted)))


def _left(trace: Sequence[Stepped]) -> str | None:
    """Find where the caller hung up: where `hangup` was raised, else where the call stood (LANGUAGE C13).

    Where the flow had hung up, a line that tells the end of the call, and not of what, tells the flow's own.
    """
    state, ends = "", frozenset[str]()
    for step in trace:
        match step.event:
            case CallEnded(by="caller", op=op) if ends and (op is None or op in ends):
                return None
            case CallEnded(by="caller") | RecordingMade(ended="hangup"):
                return next((taken.state for taken in step.path if taken.event == "hangup"), state)
        if step.commands:
            ends = frozenset(action.op for action in step.commands if isinstance(action, HangUp | Reject))
        state = next((taken.target for taken in reversed(step.path) if taken.target), state)
    return None


def sum_of(calls: Iterable[CallFigures], flow: Flow) -> Figures:
    """Add up calls of one version of a flow."""
    figures = Figures()
    for call in calls:
        figures.calls += 1
        figures.transitions.update(call.transitions)
        figures.arrows.update(
            {(drawn_from(flow, state, event), target) for state, event, target in call.transitions if is_drawn(target)}
        )
        figures.milestones.update(milestones_reached(call.reached, flow))
        for failed in call.failures:
            figures.failures[failed.state, failed.event].add(1, failed.at)
        if call.left is not None:
            figures.left[call.left] += 1
        if call.outcome is not None:
            figures.over += 1
            figures.seconds += call.seconds
            figures.outcomes[call.outcome] += 1
    return figures


def total(parts: Iterable[Figures]) -> Figures:
    """Add up figures of one version of a flow."""
    whole = Figures()
    for part in parts:
        whole.calls += part.calls
        whole.over += part.over
        whole.seconds += part.seconds
        whole.transitions.update(part.transitions)
        whole.arrows.update(part.arrows)
        whole.left.update(part.left)
        whole.outcomes.update(part.outcomes)
        whole.milestones.update(part.milestones)
        for where, failures in part.failures.items():
            whole.failures[where].add(failures.count, failures.last)
    return whole


def marks_of(path: Iterable[Taken], flow: Flow) -> tuple[frozenset[str], frozenset[tuple[str, str]]]:
    """Return the boxes and the arrows of the flow's picture that a path leads over."""
    taken = list(path)
    states = frozenset(box_of(one.target) for one in taken if one.target)
    drawn = (one for one in taken if is_drawn(one.target))
    return states, frozenset((drawn_from(flow, one.state, one.event), one.target) for one in drawn)


class FiguresByCall:
    """Figures by call; those of finished calls are made once."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._known: Recent[str, CallFigures] = Recent(REMEMBERED)

    async def of(self, record: CallRecord) -> CallFigures:
        """Count a call."""
        if record.id in self._known:
            return self._known[record.id]
        over = record.call.phase == "over"
        counted = figures_of_call((record.call.outcome or "") if over else None, await self._archive.trace(record.id))
        if over:
            self._known[record.id] = counted
        return counted
