"""Which transition belongs to an event (LANGUAGE C7)."""

from collections.abc import Collection, Iterable

from ivr.engine.flow import Branches, Flow, State

FAILURES = ("error", "failed")
"How the names of events begin that have parts, divided by dots. A choice cannot have such a name."


LIMIT = "error.limit"
"What is raised where a call has become too long (C2)."


def handler(flow: Flow, state: State, event: str) -> tuple[State, Branches] | None:
    """Find the branches for an event, and in which state it is raised: first this one, then what invokes its flow.

    In each the state's own handlers come before its flow's, and of either the longest name that fits.

    A state's handler is used even if its flow has a longer name that fits. A flow-wide handler for errors is not used
    in a state that it leads to, since it would send the failing state to itself. What an invoked flow leaves unhandled
    is raised in the state that invokes it. A call that has become too long is nothing that a part of it can deal with:
    that event is raised outside of all invoked flows.
    """
    while event == LIMIT and state.within:
        state = flow.states[state.within]
    found = _handled(flow, state, event)
    while found is None and state.within:
        state = flow.states[state.within]
        found = _handled(flow, state, event)
    return (state, found) if found is not None else None


def _handled(flow: Flow, state: State, event: str) -> Branches | None:
    """Find the branches for an event in one state and its own flow."""
    if own := longest(state.on, event):
        return state.on[own]
    shared = flow.around(state).on
    name = longest(shared, event)
    if name is None:
        return None
    branches = shared[name]
    return None if leads_back(event, (branch.target for branch in branches), state.name) else branches


def leads_back(event: str, targets: Iterable[str], state: str) -> bool:
    """Return whether an error's handler would send the failing state to itself."""
    return event.partition(".")[0] == "error" and state in targets


def longest(names: Collection[str], event: str) -> str | None:
    """Find the longest name that fits an event: it is equal to it, or, of a failure, ends before one of its dots."""
    if event in names:
        return event
    if not event.startswith(FAILURES):
        return None  # the dots in the name of a choice divide nothing
    return max((name for name in names if event == name or event.startswith(f"{name}.")), key=len, default=None)
