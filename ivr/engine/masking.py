"""What a trace may hold of an event that no action has judged, or that is sensitive (LANGUAGE C12).

A line can put what a caller keyed into any text that it writes: the reason of a failure, the name of a choice, the id
of an operation. So an event is masked by who asked, not by what it looks like: an action masks what its own question
brought (`Action.traced`), and what was ignored, so that no action has seen it, is masked here.
"""

import re
from typing import TypeAlias, TypeGuard, get_args

from msgspec.structs import replace

from ivr.engine.commands import Card, Command, Play, Recognize, Remember, Request, Segment, Text
from ivr.engine.events import (
    CallAnswered,
    CallEnded,
    CallNotAnswered,
    CallPlaced,
    CallReceived,
    CallRinging,
    ChoiceMade,
    Event,
    HttpAnswered,
    InputInvalid,
    InputTimedOut,
    KeysJudged,
    KeysPressed,
    LineReported,
    OperationDone,
    OperationFailed,
    RecordingMade,
    RecordingReady,
    ServiceAnswered,
    SignInBegun,
    SpeechHeard,
    TimePassed,
    Transcribed,
    TransferFailed,
    Transferred,
)
from ivr.engine.values import MaskedValue

_NOTHING_WRITTEN = frozenset(
    {
        CallAnswered,
        CallEnded,
        CallNotAnswered,
        CallRinging,
        LineReported,
        OperationDone,
        InputTimedOut,
        InputInvalid,
        TimePassed,
        Transferred,
        TransferFailed,
    }
)
"Some of those in which a line writes no text: most of what is ignored. To ask for each of the others takes longer."
FOREIGN = "?"
"In place of the id of an operation that was never ordered; no operation is called so."

NamesOperation: TypeAlias = (
    KeysPressed
    | KeysJudged
    | SpeechHeard
    | ChoiceMade
    | InputTimedOut
    | InputInvalid
    | RecordingMade
    | RecordingReady
    | Transferred
    | TransferFailed
    | CallEnded
    | OperationDone
    | OperationFailed
)
_NAME_OPERATIONS = frozenset(get_args(NamesOperation))

_COUNTED = re.compile(r"([0-9]{1,6})\.[0-9]{1,2}")


def masked(event: Event) -> Event:
    """Return the event without any text that the line wrote; a replay has no use for it."""
    if type(event) in _NOTHING_WRITTEN:
        return event
    match event:
        case CallReceived() | CallPlaced():
            return type(event)(None, "")
        case KeysPressed():
            return replace(event, keys="")
        case SpeechHeard():
            return replace(event, text="", confidence=None)
        case ChoiceMade():
            return replace(event, choice="")
        case RecordingMade():
            return replace(event, seconds=0.0)
        case OperationFailed():
            return replace(event, reason="")
        case ServiceAnswered() | HttpAnswered() | SignInBegun():
            return _without_answer(event)
    return event


def _without_answer(event: ServiceAnswered | HttpAnswered | SignInBegun) -> Event:
    match event:
        case ServiceAnswered():
            return replace(event, answer=Transcribed())
        case HttpAnswered():
            return replace(event, body=None)
    return without_ways_in(event)


def without_ways_in(event: SignInBegun) -> SignInBegun:
    """Return that a sign-in has begun, without what opens the way to it."""
    return SignInBegun(event.job, event.by, masked=True)


def public(command: Command) -> Command:
    """Return a command as a trace may hold it: without what it holds of private values."""
    if type(command) is Request:
        return replace(command, private={}) if command.private else command
    if type(command) is Remember and command.private:
        masks = {name: None if value is None else MaskedValue() for name, value in command.private.items()}
        return replace(command, private=masks)
    if (type(command) is Recognize or type(command) is Play) and any(map(_is_private, command.prompt)):
        return replace(command, prompt=tuple(map(_traced, command.prompt)))
    return command


def _is_private(segment: Segment) -> bool:
    return (type(segment) is Text or type(segment) is Card) and segment.traced is not None


def _traced(segment: Segment) -> Segment:
    if type(segment) is Text or type(segment) is Card:
        return segment.traced or segment
    return segment


def without_foreign_id(event: Event, steps: int) -> Event:
    """Return the event with the id of its operation only if it can be one that was ordered in so many steps."""
    if not _names_operation(event):
        return event
    return event if event.op is None or _was_ordered(event.op, steps) else replace(event, op=FOREIGN)


def _names_operation(event: Event) -> TypeGuard[NamesOperation]:
    return type(event) in _NAME_OPERATIONS  # to ask for each of these classes takes ten times as long


def _was_ordered(op: str, steps: int) -> bool:
    counted = _COUNTED.fullmatch(op)
    return counted is not None and int(counted[1]) <= steps
