"""What is remembered of a call between two messages: its names, and the operation whose outcome is awaited."""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from ivr.channels import gathered
from ivr.engine.call import KINDS, OperationKind
from ivr.engine.commands import LineCommand, Recognize, Record
from ivr.ports import CallKey, Leg

_ACCOUNT, _CALL, _PLACED = _LASTING = "account", "call", "placed"
_OP, _KIND, _ASKED, _REFUSED, _DETECTS = "op", "kind", "asked", "refused", "detects"
_RECORD = msgspec.json.Decoder(Record)


def of_call(key: CallKey) -> Leg:
    """Return the leg of a call that has just come in."""
    return Leg({_ACCOUNT: key.account, _CALL: key.id})


def of_placed(key: CallKey, *, detects: bool) -> Leg:
    """Return the leg of a call that we place, whose id is ours, not jambonz's.

    `detects`: it is to be found out whether a machine has answered.
    """
    return Leg({**of_call(key).notes, _PLACED: "true", **({_DETECTS: "true"} if detects else {})})


def call_of(leg: Leg, channel: str) -> CallKey:
    """Return whose leg it is."""
    return CallKey(channel, leg.notes[_ACCOUNT], leg.notes[_CALL])


def placed(leg: Leg) -> bool:
    """Return whether the call was placed by us."""
    return _PLACED in leg.notes


def detects(leg: Leg) -> bool:
    """Return whether it is to be found out who has answered, before anything is said."""
    return _DETECTS in leg.notes


def asking(leg: Leg, commands: Sequence[LineCommand], *, refused: bool = False) -> Leg:
    """Return the leg once these commands were given; the last one's outcome is what is awaited.

    `refused`: the last one is a transfer that may not be made, and was left out.
    """
    last = commands[-1]
    lasting = {name: leg.notes[name] for name in _LASTING if name in leg.notes}
    notes = {**lasting, _OP: last.op, _KIND: KINDS[type(last)]}
    match last:
        case Recognize():
            notes[_ASKED] = gathered.as_note(last)
        case Record():
            notes[_ASKED] = msgspec.json.encode(replace(last, prompt=())).decode()
    if refused:
        notes[_REFUSED] = "true"
    return Leg(notes)


def awaited(leg: Leg) -> tuple[str, OperationKind] | None:
    """Return the operation that is awaited, and what it is; None: nothing was ordered so far."""
    op, kind = leg.notes.get(_OP), leg.notes.get(_KIND)
    known = next((one for one in KINDS.values() if one == kind), None)
    return None if op is None or known is None else (op, known)


def refused(leg: Leg) -> bool:
    """Return whether the transfer that is awaited was left out, since its target may not be called."""
    return _REFUSED in leg.notes


def question(leg: Leg) -> Recognize | None:
    """Return the question whose answer is awaited; None: no question is."""
    return gathered.of_note(leg.notes[_ASKED]) if leg.notes.get(_KIND) == KINDS[Recognize] else None


def recording(leg: Leg) -> Record | None:
    """Return the recording that is awaited; None: none is."""
    return _RECORD.decode(leg.notes[_ASKED]) if leg.notes.get(_KIND) == KINDS[Record] else None
