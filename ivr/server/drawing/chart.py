"""What is in the picture of a flow: a box for each state, an arrow for each pair of states that a way leads between."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from ivr.engine.actions.decide import DECIDED
from ivr.engine.expressions.compile import Expression
from ivr.engine.flow import SELF, Branch, Flow, State
from ivr.engine.handlers import longest

ANY = "*"
"The box that stands for every state: where ways begin that all states share. No state can be called so."


class Box(Struct, frozen=True):
    """One state."""

    name: str
    kind: str
    "The action's word in the flow language, or what else the box is."
    first: bool = False
    final: bool = False


class Arrow(Struct, frozen=True):
    """All ways from one box to another."""

    source: str
    target: str
    labels: tuple[str, ...]
    "When each is taken, in file order; may be empty."


class Chart(Struct, frozen=True):
    """A picture before anything has a place."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def chart_of(flow: Flow) -> Chart:
    """Draw up a flow."""
    boxes = [Box(name, _kind(state), name == flow.initial, state.final) for name, state in flow.states.items()]
    arrows = [arrow for name, state in flow.states.items() for arrow in _arrows(name, state.on)]
    if flow.on:
        boxes.append(Box(ANY, "any state"))
        arrows += _arrows(ANY, flow.on)
    return Chart(tuple(boxes), tuple(arrows))


def drawn_from(flow: Flow, state: str, event: str) -> str:
    """Return from which box the way is drawn that a call took: the state's own, or the one for every state."""
    known = flow.states.get(state)
    return state if known is None or longest(known.on, event) is not None else ANY


def _arrows(source: str, handlers: Mapping[str, tuple[Branch, ...]]) -> Iterator[Arrow]:
    labels: dict[str, dict[str, None]] = {}
    for event, branches in handlers.items():
        for branch in branches:
            target = source if branch.target == SELF else branch.target
            labels.setdefault(target, {})[_when(event, branch.guard)] = None
    for target, several in labels.items():
        yield Arrow(source, target, tuple(filter(None, several)))


def _when(event: str, guard: Expression | None) -> str:
    said = "" if event in {DECIDED, "done"} else event
    return f"{said} [{guard.source}]".strip() if guard else said


def _kind(state: State) -> str:
    return type(state.action).__name__.removesuffix("Call").lower()
