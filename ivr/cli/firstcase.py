"""A case without a call: the machine alone, told what a caller of the starter flow does."""

import time
from collections.abc import Callable, Sequence
from secrets import token_hex

from ivr.engine.call import Facts, new_call
from ivr.engine.events import CallReceived, ChoiceMade, Event, OperationDone
from ivr.engine.machine import step
from ivr.ports import CallKey, CallRecord, Stepped
from ivr.trace.case import Case
from ivr.trace.current_flows import FlowWithPlaces
from ivr.trace.recorded import case_of

CHANNEL = "terminal"
SECONDS = 5.0
"Between one thing that happens and the next."

HOURS: Sequence[Callable[[str], Event]] = (
    lambda _: CallReceived("29:caller", "28:bot", "en-US"),
    lambda op: ChoiceMade(op, "hours", "keys"),
    OperationDone,
)
"A caller asks for the hours and hears the flow out; each is told the operation that is awaited."


def first_case(of: FlowWithPlaces, caller_steps: Sequence[Callable[[str], Event]] = HOURS) -> Case:
    """Return the case of a call that goes so."""
    call = new_call(of.flow.hash, Facts(id=token_hex(16), channel=CHANNEL))
    now = float(int(time.time()))
    trace: list[Stepped] = []
    for caller_step in caller_steps:
        event = caller_step(call.asked[-1].op if call.asked else "")
        taken = step(of.flow, call, event, now=now)
        trace.append(Stepped(taken.kept or event, now, taken.commands, taken.path, taken.ignored, taken.judged))
        call = taken.call
        now += SECONDS
    record = CallRecord(call.facts.id, CallKey(CHANNEL, "", call.facts.id), call)
    return case_of(record, trace, of.flow, of.places.lines())
