"""Turn what a carrier posts into events (carriers: 2.2, 4.3, 4.5, 4.6).

What is told is about the step that its address names. Where another one is open by now, it is too late, and nothing is
heard. What the carrier does not say in a word is found in what is missing: no keys and no words are silence.
"""

import re
from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from ivr.channels.gathered import Gathered, event_of
from ivr.channels.twiml import wire
from ivr.channels.twiml.open_step import OpenStep
from ivr.channels.twiml.reading import number_of, text_of
from ivr.engine.destinations import why_not
from ivr.engine.events import (
    CallEnded,
    CallReceived,
    Event,
    InputInvalid,
    InputTimedOut,
    LineReported,
    OperationDone,
    OperationFailed,
    RecordingMade,
    TransferFailed,
    TransferFailure,
    Transferred,
)
from ivr.engine.line_facts import LineFacts

_A_DAY = 86_400
"Seconds."
_RECORDING = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_MAX_ADDRESS = 2048
"Characters of the address of a recording."
_NOT_CONNECTED: Final[Mapping[str, TransferFailure]] = {
    "busy": "busy",
    "no-answer": "noAnswer",
    "canceled": "noAnswer",
}
_CONNECTED = frozenset({"completed", "answered"})
_FRUITLESS = (InputTimedOut, InputInvalid, OperationFailed, TransferFailed, CallEnded)
"What does not count of a caller who has left."


class KeptByCarrier(Struct, frozen=True):
    """A recording that the carrier keeps."""

    address: str
    id: str | None
    "By which it can be deleted; None: the carrier has not told."


def received(fields: Mapping[str, str], kind: str) -> tuple[Event, ...]:
    """Return that a call has come in, and what is told of its line; `kind` is the name of the channel."""
    caller, called = text_of(fields, wire.CALLER), text_of(fields, wire.CALLED)
    withheld = caller.lower() in wire.WITHHELD
    diverted = text_of(fields, wire.FORWARDED)
    facts = LineFacts(kind=kind, called=called or None, diverted=diverted or None, withheld=withheld, transfer=True)
    return CallReceived(None if withheld else caller, called, transfers=True), LineReported(facts)


def outcome(fields: Mapping[str, str], open_: OpenStep, *, empty: bool) -> tuple[Event, ...]:
    """Return what became of the step that is open; `empty`: the document went on, for want of an answer."""
    heard = InputTimedOut(open_.op) if empty else _outcome(fields, open_)
    left = fields.get(wire.CALL_STATUS) in wire.OVER or fields.get(wire.KEYS) == wire.HUNG_UP
    if isinstance(heard, Transferred):
        return heard, CallEnded("caller", open_.op)
    if not left:
        return (heard,)
    ended = CallEnded("caller", open_.op)
    return (ended,) if isinstance(heard, _FRUITLESS) else (heard, ended)


def ended(fields: Mapping[str, str], open_: OpenStep | None, *, answered: str | None) -> tuple[Event, ...]:
    """Return what it means that a call is over; `answered`: the transfer whose other side had answered."""
    if fields.get(wire.CALL_STATUS) not in wire.OVER:
        return (LineReported(),)
    if open_ is None:
        return (CallEnded("caller"),)
    gone = CallEnded("caller", open_.op)
    match open_.doing:
        case "hangup" | "reject":  # it was we
            return OperationDone(open_.op), gone
        case "transfer" if answered == open_.op:
            return Transferred(open_.op), gone
        case "record":  # it may be told of later, as what was recorded until then
            return (CallEnded("caller"),)
    return (gone,)


def failed(fields: Mapping[str, str], open_: OpenStep | None) -> OperationFailed:
    """Return that the carrier could not use a document or a file of ours."""
    code = text_of(fields, wire.ERROR)
    return OperationFailed(None if open_ is None else open_.op, "system", f"error {code}" if code else "")


def kept(fields: Mapping[str, str]) -> KeptByCarrier | None:
    """Return the recording that is told of, if one is."""
    address, recording = fields.get(wire.RECORDING, ""), fields.get(wire.RECORDING_ID, "")
    usable = address.isascii() and address.isprintable() and " " not in address and len(address) <= _MAX_ADDRESS
    if not usable or not address.startswith(("https://", "http://")):
        return None
    return KeptByCarrier(address, recording if _RECORDING.fullmatch(recording) else None)


def recorded_late(fields: Mapping[str, str], open_: OpenStep) -> RecordingMade | None:
    """Return the recording of a caller who has hung up, of which the carrier tells only when it is written."""
    if open_.doing != "record" or fields.get(wire.RECORDING_STATUS) != "completed" or kept(fields) is None:
        return None
    return RecordingMade(open_.op, _length(fields) or 0.0, None, "hangup")


def _outcome(fields: Mapping[str, str], open_: OpenStep) -> Event:
    match open_.doing:
        case "ask" if open_.question is not None:
            return event_of(open_.question, _gathered(fields))
        case "record":
            return _recorded(fields, open_)
        case "transfer":
            return _connected(fields, open_.op)
    return OperationDone(open_.op)


def _gathered(fields: Mapping[str, str]) -> Gathered:
    keys = fields.get(wire.KEYS, "")
    return Gathered(
        "" if keys == wire.HUNG_UP else keys,
        bool(fields.get(wire.FINISHED_ON_KEY)),
        fields.get(wire.SPEECH, ""),
        number_of(fields, wire.CONFIDENCE, most=1.0),
    )


def _recorded(fields: Mapping[str, str], open_: OpenStep) -> Event:
    if kept(fields) is None:
        return OperationFailed(open_.op, "system", "the carrier names no recording")
    seconds = _length(fields)
    if seconds == 0:
        return InputTimedOut(open_.op)
    return RecordingMade(open_.op, seconds or 0.0, None, _ended_by(fields, seconds, open_.max_duration))


def _ended_by(
    fields: Mapping[str, str], seconds: float | None, longest: float
) -> Literal["terminator", "silence", "limit", "hangup"]:
    key = fields.get(wire.KEYS, "")
    if key == wire.HUNG_UP:
        return "hangup"
    if key:
        return "terminator"
    return "limit" if seconds is not None and seconds >= longest else "silence"


def _length(fields: Mapping[str, str]) -> float | None:
    """Return how long a recording is, in seconds; None: nobody knows."""
    return number_of(fields, wire.RECORDING_SECONDS, most=_A_DAY)


def _connected(fields: Mapping[str, str], op: str) -> Event:
    word = fields.get(wire.DIAL_STATUS, "")
    if word in _CONNECTED:
        return Transferred(op)
    status = int(number_of(fields, wire.DIAL_SIP_STATUS, most=699) or 0)
    status = status if status >= 300 else 0
    return TransferFailed(op, _NOT_CONNECTED.get(word) or (why_not(status) if status else "unreachable"), status)
