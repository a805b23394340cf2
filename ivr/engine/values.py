"""What a variable of a flow can hold, and how it survives being stored.

At run time a value is an ordinary Python object. In a saved call it is `Stored`: scalars as they are, everything that
JSON has no word for in a small tagged struct. A decimal that went through a database is the same decimal again.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct


class Recording(Struct, frozen=True, tag="recording"):
    """What a caller said, as the flow sees it (LANGUAGE C10)."""

    seconds: float
    media: str | None
    "The name under which the audio is kept; never spoken, never in a URL."
    transcript: str | None = None
    confidence: float | None = None
    "0 to 1."


class DecimalValue(Struct, frozen=True, tag="decimal"):
    """A stored decimal."""

    value: Decimal


class DateValue(Struct, frozen=True, tag="date"):
    """A stored date."""

    value: date


class TimeValue(Struct, frozen=True, tag="time"):
    """A stored time of day."""

    value: time


class DateTimeValue(Struct, frozen=True, tag="datetime"):
    """A stored point in time with its offset."""

    value: datetime


class ListValue(Struct, frozen=True, tag="list"):
    """A stored list."""

    items: "tuple[Stored, ...]"


class ObjectValue(Struct, frozen=True, tag="object"):
    """A stored object."""

    fields: "dict[str, Stored]"


class MaskedValue(Struct, frozen=True, tag="masked"):
    """What a trace knows of a sensitive value: that there was one (LANGUAGE C12)."""


Stored: TypeAlias = (
    bool
    | int
    | str
    | Recording
    | DecimalValue
    | DateValue
    | TimeValue
    | DateTimeValue
    | ListValue
    | ObjectValue
    | MaskedValue
    | None
)
Value: TypeAlias = "bool | int | str | Decimal | date | time | datetime | Recording | MaskedValue | Sequence[Value] | Mapping[str, Value] | None"  # noqa: E501


def pack(value: Value) -> Stored:
    """Make a value storable; `unpack` is its inverse."""
    match value:
        case None | bool() | int() | str() | Recording() | MaskedValue():
            return value
        case Decimal():
            return DecimalValue(value)
        case datetime():  # before date: every datetime is a date
            return DateTimeValue(value)
        case date():
            return DateValue(value)
        case time():
            return TimeValue(value)
        case Mapping():
            return ObjectValue({name: pack(item) for name, item in value.items()})
    return ListValue(tuple(pack(item) for item in value))


def unpack(stored: Stored) -> Value:
    """Return the value that was packed."""
    match stored:
        case None | bool() | int() | str() | Recording() | MaskedValue():  # nearly all
            return stored
        case ListValue():
            return tuple(unpack(item) for item in stored.items)
        case ObjectValue():
            return {name: unpack(item) for name, item in stored.fields.items()}
    return stored.value
