"""The variables of a call, for an author who tries out a flow; of private ones only that they exist."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from ivr.engine.call import Call
from ivr.engine.flow import Flow
from ivr.engine.values import MaskedValue, Recording, Value, unpack

LONGEST = 300
"Characters of a value that are shown."


class Remembered(Struct, frozen=True):
    """A variable of a flow in one call."""

    name: str
    value: str
    "In words; empty where it is sealed, or has none."
    sealed: bool = False
    "It is sensitive (LANGUAGE C12)."


def remembered(call: Call, flow: Flow) -> tuple[Remembered, ...]:
    """Return the variables of a call, in the order of the flow; those alone that an author has named."""
    named = {name: variable for name, variable in flow.variables.items() if " " not in name}
    return tuple(_sealed(name) if variable.sensitive else _told(name, call, flow) for name, variable in named.items())


def _told(name: str, call: Call, flow: Flow) -> Remembered:
    known = call.memory.variables
    value = unpack(known[name]) if name in known else flow.user.get(name)
    if name in call.memory.private or _is_private(value):
        return _sealed(name)
    words = "" if value is None else _words(value)
    return Remembered(name, words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…")


def _sealed(name: str) -> Remembered:
    return Remembered(name, "", sealed=True)


def _is_private(value: Value) -> bool:
    match value:
        case MaskedValue():
            return True
        case Mapping():
            return any(map(_is_private, value.values()))
        case str():
            return False
        case Sequence():
            return any(map(_is_private, value))
    return False


def _words(value: Value) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case Recording():
            length = f"{value.seconds:.1f} s of sound"
            return f"{length}: {value.transcript}" if value.transcript else length
        case datetime():
            return value.isoformat(" ", "seconds")
        case Mapping():
            return ", ".join(f"{name}: {_words(item)}" for name, item in value.items())
        case str():
            return value
        case Sequence():
            return ", ".join(map(_words, value))
    return str(value)
