"""The outcome of a list of commands as events of the engine: for a line that is joined to it without a platform.

A platform reports the same outcome as JSON (`ivr.phone.wire.reports`), and the channel reads that back
(`ivr.channels.skype.hearing`). A test compares the two routes.
"""

from collections.abc import Mapping
from typing import Literal

from ivr.engine.commands import LineCommand, Recognize, Record, Transfer
from ivr.engine.destinations import why_not
from ivr.engine.events import (
    CallEnded,
    ChoiceMade,
    Event,
    InputInvalid,
    InputTimedOut,
    KeysPressed,
    OperationDone,
    OperationFailed,
    RecordingMade,
    SpeechHeard,
    TransferFailed,
    Transferred,
)
from ivr.line.signals import Outcome, Result

_KEYED: Mapping[Result, Literal["terminator", "silence", "count"]] = {
    "terminator": "terminator",
    "pause": "silence",
    "count": "count",
}
_RECORDED: Mapping[Result, Literal["terminator", "silence", "limit", "hangup"]] = {
    "terminator": "terminator",
    "spoken": "silence",
    "limit": "limit",
    "left": "hangup",
}


def events_of(command: LineCommand, outcome: Outcome, media: str | None) -> tuple[Event, ...]:
    """Return what happened, in order; `outcome` is that of `command`, `media` names the recording that was kept of it.

    What the caller still did before leaving counts; that something failed on a line that is gone does not.
    """
    event = _event(command, outcome, media)
    ended = CallEnded("caller", outcome.op)
    if isinstance(command, Transfer) and outcome.ok:
        return (event, ended)
    if outcome.result != "left":
        return (event,)
    return (event, ended) if isinstance(event, RecordingMade) else (ended,)


def _event(command: LineCommand, outcome: Outcome, media: str | None) -> Event:
    op, result = outcome.op, outcome.result
    match command:
        case Recognize() | Record() if result == "silence":
            return InputTimedOut(op)
        case Recognize(digits=None):
            if outcome.choice is not None:
                return ChoiceMade(op, outcome.choice, "keys" if result == "key" else "speech")
            if result in ("wrong key", "pause"):
                return InputInvalid(op)
        case Recognize() if result == "speech":
            return SpeechHeard(op, outcome.words)
        case Recognize() if result in _KEYED:
            return KeysPressed(op, outcome.keys, _KEYED[result])
        case Record() if outcome.ok and result in _RECORDED:
            return RecordingMade(op, outcome.seconds, media, _RECORDED[result])
        case Transfer():
            return Transferred(op) if outcome.ok else TransferFailed(op, why_not(outcome.status), outcome.status)
    return OperationDone(op) if outcome.ok else OperationFailed(op, "system", outcome.why)
