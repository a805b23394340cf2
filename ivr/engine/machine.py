"""The call state machine.

    event -> receiving: does it answer what was asked? -> the state's action judges it -> transitions: follow its result
    until the call has settled

It knows states, transitions and what is awaited. It never learns which action a state has (`actions`), how a reply is
put together (`draft`), or which channel carries the call.
"""

from ivr.engine.call import Call, Judged, Step
from ivr.engine.draft import Draft
from ivr.engine.events import Event
from ivr.engine.flow import Flow
from ivr.engine.masking import masked, of_ours
from ivr.engine.receiving import Ignored, receive, stale
from ivr.engine.transitions import run


def step(flow: Flow, call: Call, event: Event, *, now: float, judged: tuple[Judged, ...] = ()) -> Step:
    """Apply one event to one call; same arguments, same answer.

    `now` is in seconds since 1970, UTC. `judged` is what a trace recorded for this event: it decides guards over
    masked values, and nothing else.
    """
    if call.phase == "over":
        return _ignored(call, event, "the call is over")
    draft = Draft(flow, call, now, judged)
    received = stale(draft, event) or receive(draft, event)
    if isinstance(received, Ignored):
        return _ignored(call, event, received.reason)
    run(draft, received)
    return Step(
        draft.frozen(),
        tuple(draft.commands),
        tuple(draft.path),
        kept=draft.kept,
        judged=tuple(draft.judge.said),
        failures=tuple(draft.failures),
    )


def _ignored(call: Call, event: Event, why: str) -> Step:
    """Leave a call as it is. No action has judged whether what came in is private, so none of it is kept."""
    return Step(call, ignored=why, kept=of_ours(masked(event), call.turn))
