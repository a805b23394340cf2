"""How English says dates, times, numbers and lists (LANGUAGE C11). Independent of the machine's locale."""

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_ORDINALS = (
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
)
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_KEYS = {"*": "star", "#": "pound", "+": "plus", "-": "dash", ".": "dot", "@": "at", "_": "underscore", "/": "slash"}


def weekday(day: date) -> str:
    """Return the day of the week: `Tuesday`."""
    return WEEKDAYS[day.weekday()]


def date_(day: date) -> str:
    """Return a date in words: `Tuesday, November 24`."""
    return f"{weekday(day)}, {MONTHS[day.month - 1]} {day.day}"


def long_date(day: date) -> str:
    """Return a date in words with its year: `November 24, 2026`."""
    return f"{MONTHS[day.month - 1]} {day.day}, {day.year}"


def time_(at: time | datetime) -> str:
    """Return a time in words: `9:40 AM`."""
    return f"{at.hour % 12 or 12}:{at.minute:02} {'AM' if at.hour < 12 else 'PM'}"


def datetime_(at: datetime) -> str:
    """Return both in words: `Tuesday, November 24 at 9:40 AM`."""
    return f"{date_(at)} at {time_(at)}"


def duration(seconds: int) -> str:
    """Return a number of seconds in words: `2 minutes and 5 seconds`; units without a count are left out."""
    left, parts = abs(seconds), []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return ("minus " if seconds < 0 else "") + (join(parts) or "0 seconds")


def number(value: int | Decimal) -> str:
    """Group a number: `1,204.5`; zeros at the end of a fraction are left out."""
    text = f"{value:,}" if isinstance(value, int) else f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def ordinal(value: int) -> str:
    """Return a place in a row: `third`, in words up to twentieth, then `21st`; `value` is at least 1."""
    if value <= len(_ORDINALS):
        return _ORDINALS[value - 1]
    return nth(value)


def nth(value: int) -> str:
    """Write a place in a row: `3rd`."""
    return f"{value}{_ENDINGS.get(value % 10, 'th') if value % 100 // 10 != 1 else 'th'}"


def digits(text: str) -> str:
    """Return a text key by key: `4 2 star`; spaces and signs that are no keys are left out."""
    return " ".join(_KEYS.get(char, char) for char in text if char.isalnum() or char in "*#+")


def spell(text: str) -> str:
    """Return a text letter by letter: `W E B E R`, in capitals, since a small `a` is read as a word."""
    return " ".join(_KEYS.get(char, char.upper()) for char in text if not char.isspace())


def join(items: Sequence[str]) -> str:
    """Return a list in words: `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"
