"""Which states a call has come to, and so which milestones and goals it has reached (LANGUAGE C2, C3).

A reply can lead through many states before the caller has heard the first (C14.3). What the line then reports of an
earlier one takes the call back there, and the states after it were not come to. The path tells: its next transition
begins where the call stands again.
"""

from collections.abc import Iterable

from ivr.engine.call import Taken
from ivr.engine.flow import Flow
from ivr.engine.scope import PART


def states_reached(path: Iterable[Taken]) -> frozenset[str]:
    """Return the states that a call has come to, from all the transitions that it took."""
    stood: list[str] = []
    for taken in path:
        # A flow that returns, or leaves an event to the state that invokes it, is not taken back: it has been run.
        is_left = stood and stood[-1].startswith(taken.state + PART)
        if stood and stood[-1] != taken.state and taken.state in stood and not is_left:
            while stood[-1] != taken.state:
                stood.pop()
        if taken.target:
            stood.append(taken.target)
    return frozenset(stood)


def milestones_reached(states: Iterable[str], flow: Flow) -> frozenset[str]:
    """Return the milestones of the states that a call has come to."""
    known = (flow.states[name].milestone for name in states if name in flow.states)
    return frozenset(milestone for milestone in known if milestone is not None)


def goals_reached(states: Iterable[str], flow: Flow) -> tuple[str, ...]:
    """Return the goals of a flow that a call has reached, in the order of the file."""
    milestones = milestones_reached(states, flow)
    return tuple(goal for goal, milestone in flow.goals.items() if milestone in milestones)
