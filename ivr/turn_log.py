"""What the log tells of turns: calls that begin and end, messages that move nothing, errors in flows.

Never what a caller said or keyed: where words could be a caller's, only those that somebody wrote are logged.
"""

import logging
from typing import get_args

from ivr.call_record import REMEMBERED, Commit
from ivr.engine.call import Call
from ivr.engine.events import NotAnswered, RecordingMade
from ivr.engine.flow import OUTCOMES, Flow

log = logging.getLogger(__name__)

_WRITTEN = frozenset((*OUTCOMES, *get_args(NotAnswered)))
"Outcomes that are words of ours, also of calls that nobody answered."


def log_message(flow: Flow, commit: Commit) -> None:
    """Log that a call begins, or why a message moves none; one that was answered before does not come here."""
    record = commit.record
    if record.version == 1:
        log.info("call begins", extra={"call": record.id, "platform_call": record.key.id, "flow": flow.name})
    if record.unmoved > REMEMBERED:
        return
    # A message can move a call by one of the things that it tells; a recording of it is not dropped silently either.
    ignored = [
        step for step in commit.trace if step.ignored and (record.unmoved or isinstance(step.event, RecordingMade))
    ]
    if ignored:
        last = "; further ones are not logged" if record.unmoved == REMEMBERED else ""
        event, why = type(ignored[0].event).__name__, f"{ignored[0].ignored}{last}"
        where = {"call": record.id, "flow": flow.name, "state": record.call.state}
        log.info("message ignored", extra=where | {"code": event, "reason": why})


def log_failures(flow: Flow, commit: Commit) -> None:
    """Log, for whoever wrote the flow, what went wrong in it, and where it stands in the file."""
    for step in commit.trace:
        for failure in step.failures:
            where = {"call": commit.record.id, "flow": flow.name, "state": failure.state}
            file = failure.file or flow.file
            what = {"code": failure.event, "reason": failure.reason, "file": file, "line": failure.line}
            log.warning("error in a flow", extra=where | what)


def written_outcome(flow: Flow, call: Call) -> str:
    """Return how a call ended; empty: without an outcome, or with one that the flow computed, from what a caller said.

    So only words that somebody wrote are told.
    """
    written = call.outcome in _WRITTEN or any(state.outcome == call.outcome for state in flow.states.values())
    return (call.outcome or "") if written else ""


def log_end(flow: Flow, call: Call, *, now: float) -> None:
    """Log that a call is over, how it ended and how long it took."""
    written = written_outcome(flow, call)
    outcome = {"outcome": written} if written else {}
    seconds = round(max(now - call.facts.started, 0.0), 1)  # a clock may have been set back
    known = {"call": call.facts.id, "flow": flow.name, "state": call.state, "seconds": seconds}
    log.info("call over", extra=known | outcome)
