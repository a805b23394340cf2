"""What a line does, as events for whoever looks on."""

from collections.abc import Iterator

from ivr.engine.commands import Recognize, Record
from ivr.line import (
    Effect,
    Finished,
    Listening,
    PromptStarted,
    PromptStopped,
    RecordingEnded,
    RecordingStarted,
)
from ivr.phone.events import (
    Choice,
    Done,
    ListensFor,
    PhoneEvent,
    PromptBegan,
    PromptOver,
    RecordingBegan,
    RecordingOver,
)
from ivr.trace.words import spoken


def shown(effect: Effect, state: str) -> Iterator[PhoneEvent]:
    """Return the events for an effect; `state` is the workflow's `appState`."""
    match effect:
        case PromptStarted(op=op, segments=segments, interruptible=interruptible):
            yield PromptBegan(op, spoken(segments), interruptible, state)
        case PromptStopped(op=op):
            yield PromptOver(op, interrupted=True)
        case Listening(op=op, action=action):
            yield _listens(op, action, state)
        case RecordingStarted(op=op):
            yield RecordingBegan(op)
        case RecordingEnded(op=op, seconds=seconds):
            yield RecordingOver(op, seconds)
        case Finished(outcome=outcome):
            yield Done(outcome.op, outcome.ok, outcome.result, outcome.choice, outcome.keys, outcome.why)
        case _:
            pass


def _listens(op: str, action: Recognize | Record, state: str) -> ListensFor:
    if isinstance(action, Record):
        return ListensFor(op, "recording", terminators=action.terminators, state=state)
    if action.digits is not None:
        most, terminators = action.digits.maximum, action.digits.terminators
        return ListensFor(op, "digits", most=most, terminators=terminators, state=state)
    choices = tuple(Choice(choice.name, choice.key, choice.speech) for choice in action.choices)
    return ListensFor(op, "choice", choices, state=state)
