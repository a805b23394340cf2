"""A case made anew: the same actions of the same caller, with what is heard and asked today.

For changes on purpose. Where today's flow has no use for what the caller did next, nobody knows what the caller would
have done: then the case cannot be made anew, and a new call has to be.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from ivr.engine.flow import Flow
from ivr.trace import case
from ivr.trace.caller_steps import caller_steps
from ivr.trace.case import Case
from ivr.trace.experience import FlowVoice
from ivr.trace.recorded import header_of
from ivr.trace.rerun import Rerun
from ivr.trace.verdict import Unknown


class CannotRewrite(Exception):  # the caller of `rewrite` says it in words of its own
    """It is not known how the call would go on; the text says why."""


def rewrite(recorded: Case, flow: Flow, lines: Mapping[str, int]) -> Case:
    """Make a case anew; raise CannotRewrite. `lines` tells where the states of the flow stand in its file."""
    then = recorded.header
    rerun = Rerun(recorded, flow, FlowVoice(flow.language, flow.voice))
    asked: case.Asked | None = None
    for caller_step in caller_steps(recorded):
        if rerun.over:
            break  # the call ends sooner today
        try:
            rerun.caller_step(caller_step.first, asked, caller_step.upcoming)
        except Unknown as unknown:
            raise CannotRewrite(unknown.why) from unknown
        asked = next((line.asked for line in reversed(caller_step.lines) if line.asked), None)
    if then.outcome is not None and not rerun.over:
        raise CannotRewrite("the call does not end any more where it ended")
    header = header_of(flow, lines, call=then.call, channel=then.channel, started=recorded.now(0.0))
    outcome = rerun.call.outcome if rerun.over else None
    return Case(replace(header, outcome=outcome), tuple(draft.line() for draft in rerun.lines))
