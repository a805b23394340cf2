"""From text and keys to typed values (LANGUAGE C1, C10). Strict: what does not fit has no value, and is no other one.

An author writes `-12`, `12.50`, `true`, `2026-11-24`, `09:40`, `2026-11-24T09:40+01:00`; a caller keys `12`, `12*50`,
`*50`, `5*`, a date in the variable's format, and `0940`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import TypeAlias, TypeVar

from ivr.engine.expressions.types import Type
from ivr.engine.values import MaskedValue, Recording, Value
from ivr.errors import IvrError

_Moment = TypeVar("_Moment", date, time, datetime)


class Misfit(IvrError):
    """A value that is none of a type. The text names the type, never the value: a caller may have keyed it."""


# 18 digits: what a number of this language may have (`operations`). [0-9], since \d takes digits of every script.
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(r"([0-9]{2}):([0-9]{2})(:[0-9]{2})?")
_DATETIME = re.compile(_DATE.pattern + "[T ]" + _TIME.pattern + r"(Z|[+-][0-9]{2}:[0-9]{2})?")
_KEYED_INTEGER = re.compile(r"[0-9]{1,18}")
# The point may come first or last: people key fifty cents as `*50`, and five euros as `5*`.
_KEYED_DECIMAL = re.compile(r"(?=\*?[0-9])[0-9]{0,18}(\*[0-9]{0,18})?")
_KEYED_TIME = re.compile(r"([0-9]{2})([0-9]{2})")
_KEYED_DATES: Mapping[str, re.Pattern[str]] = {
    "ddmmyyyy": re.compile("(?P<day>[0-9]{2})(?P<month>[0-9]{2})(?P<year>[0-9]{4})"),
    "mmddyyyy": re.compile("(?P<month>[0-9]{2})(?P<day>[0-9]{2})(?P<year>[0-9]{4})"),
    "yyyymmdd": re.compile("(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"),
}
KEYED_DATE = "ddmmyyyy"
"How a date is keyed where its variable does not say."


def coerce(value: Value, type_: Type, format_: str = KEYED_DATE) -> Value:
    """Return a value as a type; raise Misfit where it is none. Only text is converted, and an integer to a decimal.

    Text for a date or a time may also be as keyed, so that an event's `digits` can be stored in one.
    """
    if isinstance(value, MaskedValue) or type_.name in {"any", "mixed"}:
        return value
    if value is None:
        if type_.optional:
            return None
        raise Misfit("there is no value")
    if isinstance(value, str):
        return _from_text(value, type_, format_)
    if type_.name == "decimal" and type(value) is int:
        return Decimal(value)
    if type_.name == "list" and isinstance(value, Sequence):
        return tuple(coerce(item, type_.item, format_) if type_.item else item for item in value)
    if type_.name == "object" and isinstance(value, Mapping):
        return _coerce_object(value, type_, format_)
    # type() and not isinstance: true is an int to Python, and a datetime a date.
    if type(value) is _CLASSES.get(type_.name):
        return value
    raise Misfit(f"not of type {type_}")


def from_keys(keys: str, type_: Type, format_: str = KEYED_DATE) -> Value:
    """Return keys as a type; raise Misfit where they are none. `format_` says how a date is keyed."""
    match type_.name:
        case "text" | "any" | "mixed":
            return keys
        case "integer" if _KEYED_INTEGER.fullmatch(keys):
            return int(keys)
        case "decimal" if _KEYED_DECIMAL.fullmatch(keys):
            return Decimal(keys.replace("*", "."))
        case "date" if found := _KEYED_DATES[format_].fullmatch(keys):
            return _made(date, int(found["year"]), int(found["month"]), int(found["day"]))
        case "time" if found := _KEYED_TIME.fullmatch(keys):
            return _made(time, int(found[1]), int(found[2]))
        case _:
            raise Misfit(f"not of type {type_} as keyed")


def iso_date(text: str) -> date:
    """Read `2026-11-24`; raise Misfit."""
    return _read(_DATE, date, text)


def iso_time(text: str) -> time:
    """Read `09:40` or `09:40:30`; raise Misfit."""
    return _read(_TIME, time, text)


def iso_datetime(text: str) -> datetime:
    """Read a date and a time with `T` or a space between, with an offset or without; raise Misfit."""
    return _read(_DATETIME, datetime, text)


def decimal(text: str) -> Decimal:
    """Read `-12.50`; raise Misfit."""
    if not _DECIMAL.fullmatch(text):
        raise Misfit("not of type decimal")
    return Decimal(text)


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise Misfit("not of type integer")
    return int(text)


def _boolean(text: str) -> bool:
    if text not in {"true", "false"}:
        raise Misfit("not of type boolean")
    return text == "true"


def _instant(text: str) -> datetime:
    instant = iso_datetime(text)
    if instant.tzinfo is None:  # it could not be compared with `now`
        raise Misfit("a datetime without its offset")
    return instant


_Reader: TypeAlias = Callable[[str], Value]
_FROM_TEXT: Mapping[str, _Reader] = {
    "text": lambda text: text,
    "integer": _integer,
    "decimal": decimal,
    "boolean": _boolean,
    "date": iso_date,
    "time": iso_time,
    "datetime": _instant,
}
_CLASSES: Mapping[str, type] = {
    "integer": int,
    "decimal": Decimal,
    "boolean": bool,
    "date": date,
    "time": time,
    "datetime": datetime,
    "recording": Recording,
}


def _from_text(text: str, type_: Type, format_: str) -> Value:
    read = _FROM_TEXT.get(type_.name)
    if read is None:
        raise Misfit(f"not of type {type_}")
    try:
        return read(text)
    except Misfit:
        if type_.name not in {"date", "time"}:
            raise
        return from_keys(text, type_, format_)


def _coerce_object(value: Mapping[str, Value], type_: Type, format_: str) -> Mapping[str, Value]:
    return {name: coerce(value.get(name), field, format_) for name, field in type_.fields.items()}


def _read(pattern: re.Pattern[str], made: type[_Moment], text: str) -> _Moment:
    if not pattern.fullmatch(text):
        raise Misfit(f"not of type {made.__name__}")
    return _made(made.fromisoformat, text)


def _made(make: Callable[..., _Moment], *parts: object) -> _Moment:
    try:
        return make(*parts)
    except ValueError:  # 31 February
        raise Misfit("there is no such day or time") from None
