"""What became of a list of actions, in the engine's words: for a line that is joined to the engine without a platform.

A platform's JSON says the same in the vendor's words (`ivr.phone.reports`), and the channel reads it back
(`ivr.channels.skype.hearing`); a test holds the two ways side by side.
"""

from collections.abc import Mapping
from typing import Literal

from ivr.engine.actions import LineAction, Recognize, Record
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
from ivr.line.signals import Fruit, Outcome

_KEYED: Mapping[Fruit, Literal["terminator", "silence", "count"]] = {
    "terminator": "terminator",
    "pause": "silence",
    "count": "count",
}
_RECORDED: Mapping[Fruit, Literal["terminator", "silence", "limit", "hangup"]] = {
    "terminator": "terminator",
    "spoken": "silence",
    "limit": "limit",
    "left": "hangup",
}


def events_of(action: LineAction, found: Outcome, media: str | None) -> tuple[Event, ...]:
    """Return what happened, in order; `action` is the one that `found` reports, `media` names the recording kept of it.

    What the caller still did before leaving counts; that something failed on a line that is gone does not.
    """
    heard = _event(action, found, media)
    if found.fruit != "left":
        return (heard,)
    ended = CallEnded("caller", found.op)
    return (heard, ended) if isinstance(heard, RecordingMade) else (ended,)


def _event(action: LineAction, found: Outcome, media: str | None) -> Event:
    op, fruit = found.op, found.fruit
    match action:
        case Recognize() | Record() if fruit == "silence":
            return InputTimedOut(op)
        case Recognize(digits=None):
            if found.choice is not None:
                return ChoiceMade(op, found.choice, "keys" if fruit == "key" else "speech")
            if fruit in ("wrong key", "pause"):
                return InputInvalid(op)
        case Recognize() if fruit in _KEYED:
            return KeysPressed(op, found.keys, _KEYED[fruit])
        case Record() if found.ok and fruit in _RECORDED:
            return RecordingMade(op, found.seconds, media, _RECORDED[fruit])
    return OperationDone(op) if found.ok else OperationFailed(op, "system", found.why)
