"""How a call in writing goes on: a text that is sent is read, a question waits for as long as somebody may think.

Nothing tells when somebody has read a text. So the flow goes on at once, and one that goes in circles without a
question writes slower after some texts.
"""

from typing import Final, Literal

from ivr.channels.in_writing import awaiting
from ivr.engine.commands import LineCommand, Recognize, Record, Transfer, ringing_allowed, silence_allowed
from ivr.engine.events import CallEnded, Event, InputTimedOut, OperationDone, TransferFailed
from ivr.ports import Leg

PATIENCE: Final = 180.0
"Seconds for which somebody may think about an answer, where the operator says nothing."
OF_USE: Final = 120.0
"Seconds after which a message that could not be sent is of no use any more."
AT_ONCE: Final = 8
"Texts that follow each other without a pause, as long as nothing is asked; a flow that goes in circles writes slower."
PAUSE: Final = 5.0
"Seconds between those that come after them."
GONE: Final = frozenset({403, 404})
"Answers of a platform in which there is no such conversation for this bot."


def said(
    leg: Leg, last: LineCommand, *, now: float, patience: float, hands_over: bool = False
) -> tuple[Leg, tuple[Event, ...]]:
    """Return the leg with what is awaited once commands were said, and what has happened already.

    `last` is the last of them. `patience`: seconds without an answer after which nobody is taken to answer.
    `hands_over`: the conversation can be handed over to somebody else.
    """
    leg = awaiting.running(leg)
    if isinstance(last, Recognize | Record):
        return awaiting.asking(leg, last, now + max(patience, silence_allowed(last))), ()
    if isinstance(last, Transfer) and hands_over:
        return awaiting.asking(leg, last, now + ringing_allowed(last)), ()
    if isinstance(last, Transfer):
        return awaiting.answered(leg), (TransferFailed(last.op, "unsupported"),)
    if awaiting.run(leg) > AT_ONCE:
        return awaiting.asking(leg, last, now + PAUSE), ()
    return awaiting.answered(leg), (OperationDone(last.op),)


def silence(leg: Leg) -> tuple[Event, ...]:
    """Return what it means that nothing came in the time allowed."""
    awaited = awaiting.awaited(leg)
    if awaited is None:
        return ()
    op, kind = awaited
    match kind:
        case "transfer":
            return (TransferFailed(op, "noAnswer"),)
        case "recognize" | "record":
            return (InputTimedOut(op),)
    return (OperationDone(op),)  # what was said is read by now


def ended(leg: Leg, by: Literal["caller", "system"]) -> CallEnded:
    """Return the end of a call at what is awaited: nothing of that comes any more."""
    awaited = awaiting.awaited(leg)
    return CallEnded(by, awaited[0] if awaited else None)
