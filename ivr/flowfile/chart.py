"""A flow as boxes and arrows: a box for each state, an arrow for each pair of states that a transition leads between.

An invoked flow has a picture of its own; here it is the one box of the state that invokes it.

`diagram` prints it as Mermaid, `ivr.server.drawing` draws it as SVG.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from ivr.engine.actions.decide import DECIDED
from ivr.engine.actions.split import Split
from ivr.engine.expressions.compile import Expression
from ivr.engine.flow import SELF, Branch, Flow, State
from ivr.engine.handlers import longest
from ivr.engine.scope import PART
from ivr.flowfile.actions import word_of

ANY = "*"
"The box that stands for every state: the transitions that all states share begin there. No state can be called so."


class Box(Struct, frozen=True):
    """One state."""

    name: str
    kind: str
    "The action's word in the flow language, or what else the box is."
    first: bool = False
    final: bool = False
    outcome: str = ""
    "With which the call ends there; empty: with the one that it has by then."
    invokes: str = ""
    "The name of the flow that it invokes; empty: none."

    @property
    def does(self) -> str:
        """What happens there: the action, and the flow that it invokes."""
        return f"{self.kind} {self.invokes}".strip()


class Arrow(Struct, frozen=True):
    """All transitions from one box to another."""

    source: str
    target: str
    labels: tuple[str, ...]
    "When each is taken, in file order; may be empty."


class Chart(Struct, frozen=True):
    """A picture before anything has a place."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def chart_of(flow: Flow) -> Chart:
    """Return the chart of a flow. Boxes are in file order; the one that stands for every state comes last."""
    own = {name: state for name, state in flow.states.items() if not state.prefix}
    boxes = [
        Box(name, _kind(state), name == flow.initial, state.final, state.outcome or "", _invoked(flow, name))
        for name, state in own.items()
    ]
    arrows = [arrow for name, state in own.items() for arrow in _arrows(name, state.on, _shares(state))]
    if flow.on:
        boxes.append(Box(ANY, "any state"))
        arrows += _arrows(ANY, flow.on, {})
    return Chart(tuple(boxes), tuple(arrows))


def drawn_from(flow: Flow, state: str, event: str) -> str:
    """Return from which box a transition is drawn that a call took: the state's own, or the one for every state."""
    known = flow.states.get(state)
    return box_of(state) if known is None or known.prefix or longest(known.on, event) is not None else ANY


def box_of(state: str) -> str:
    """Return the box of a state: one of an invoked flow is in the box of the state that invokes it."""
    return state.partition(PART)[0]


def is_drawn(target: str) -> bool:
    """Return whether a transition to a state has an arrow; empty: the call ended. Inside of a box there is none."""
    return PART not in target


def _arrows(source: str, handlers: Mapping[str, tuple[Branch, ...]], shares: Mapping[str, str]) -> Iterator[Arrow]:
    labels: dict[str, dict[str, None]] = {}
    for event, branches in handlers.items():
        for branch in branches:
            target = source if branch.target == SELF else branch.target
            labels.setdefault(target, {})[_when(shares.get(event, event), branch.guard)] = None
    for target, several in labels.items():
        yield Arrow(source, target, tuple(filter(None, several)))


def _shares(state: State) -> Mapping[str, str]:
    """Return how the shares of a split are written, each with its percent."""
    shares = state.action.shares if isinstance(state.action, Split) else ()
    return {share.name: f"{share.name} {share.size / 100:g}\N{NO-BREAK SPACE}%" for share in shares}


def _when(event: str, guard: Expression | None) -> str:
    """Return when a branch is taken; the usual next step needs no word."""
    shown = "" if event in {DECIDED, "done"} else event
    return f"{shown} [{guard.source}]".strip() if guard else shown


def _invoked(flow: Flow, name: str) -> str:
    part = flow.parts.get(name + PART)
    return part.flow if part else ""


def _kind(state: State) -> str:
    return word_of(state.action)
