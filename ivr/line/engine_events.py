"""What became of a list of actions, in the engine's words: for a line that is joined to the engine without a platform.

A platform's JSON says the same in the vendor's words (`ivr.phone.wire.reports`), and the channel reads it back
(`ivr.channels.skype.hearing`); a test holds the two ways side by side.
"""

from collections.abc import Mapping
from typing import Literal

from ivr.engine.commands import LineCommand, Recognize, Record
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


def events_of(action: LineCommand, found: Outcome, media: str | None) -> tuple[Event, ...]:
    """Return what happened, in order; `action` is the one that `found` reports, `media` names the recording kept of it.

    What the caller still did before leaving counts; that something failed on a line that is gone does not.
    """
    heard = _event(action, found, media)
    if found.result != "left":
        return (heard,)
    ended = CallEnded("caller", found.op)
    return (heard, ended) if isinstance(heard, RecordingMade) else (ended,)


def _event(action: LineCommand, found: Outcome, media: str | None) -> Event:
    op, result = found.op, found.result
    match action:
        case Recognize() | Record() if result == "silence":
            return InputTimedOut(op)
        case Recognize(digits=None):
            if found.choice is not None:
                return ChoiceMade(op, found.choice, "keys" if result == "key" else "speech")
            if result in ("wrong key", "pause"):
                return InputInvalid(op)
        case Recognize() if result in _KEYED:
            return KeysPressed(op, found.keys, _KEYED[result])
        case Record() if found.ok and result in _RECORDED:
            return RecordingMade(op, found.seconds, media, _RECORDED[result])
    return OperationDone(op) if found.ok else OperationFailed(op, "system", found.why)
