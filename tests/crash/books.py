"""What a server's books say of a call, in words that can be held against those of whoever was on the phone."""

from collections.abc import Sequence

from msgspec.structs import replace

from ivr.call_record import CallRecord, Stepped
from ivr.engine.call import Call, new_call
from ivr.engine.events import CallEnded, HoldNeeded, HttpAnswered, ServiceAnswered, ServiceFailed, TimePassed
from ivr.engine.flow import Flow
from ivr.engine.machine import step


def line_events(trace: Sequence[Stepped]) -> int:
    """Count the events that came from the phone."""
    ours = HoldNeeded | TimePassed | ServiceAnswered | HttpAnswered | ServiceFailed
    return sum(
        not isinstance(line.event, ours) and not (isinstance(line.event, CallEnded) and line.event.by == "system")
        for line in trace
    )


def folded(flow: Flow, record: CallRecord, trace: Sequence[Stepped]) -> Call:
    """Step a call's trace from the beginning, which gives what it says, and return what it leads to."""
    call = new_call(flow.hash, replace(record.call.facts, caller=None, called="", language=None, started=0.0))
    for line in trace:
        stepped = step(flow, call, line.event, now=line.now, judged=line.judged)
        assert (stepped.commands, stepped.path, stepped.ignored) == (line.commands, line.path, line.ignored)
        call = stepped.call
    return call
