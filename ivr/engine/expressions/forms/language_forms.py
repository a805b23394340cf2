"""How a language says values: what all languages share; `english`, `german`, `french` and `spanish` have the rest.

Forms are made for voices, not for the eye: figures where every voice reads them right, words where it would not. White
space in a spoken text is folded, so no form depends on which space it is.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import ClassVar

from msgspec import Struct


class Unit(Struct, frozen=True):
    """A unit of time, and how it is counted."""

    seconds: int
    one: str
    other: str


class LanguageForms(ABC):
    """The spoken forms of one language, in one region of it."""

    WEEKDAYS: ClassVar[tuple[str, ...]]
    "From Monday on."
    MONTHS: ClassVar[tuple[str, ...]]
    AND: ClassVar[str]
    MINUS: ClassVar[str]
    UNITS: ClassVar[tuple[Unit, ...]]
    "From days to seconds."
    SIGNS: ClassVar[Mapping[str, str]]
    "What signs are called, key by key and letter by letter."
    TRUE: ClassVar[str]
    FALSE: ClassVar[str]
    group: str
    "What stands between thousands; empty: nothing."
    point: str
    "What stands before a fraction."

    def __init__(self, tag: str) -> None:
        self.tag = tag
        "A BCP 47 tag, its region included if there is one."

    def weekday(self, day: date) -> str:
        """Return the day of the week."""
        return self.WEEKDAYS[day.weekday()]

    @abstractmethod
    def short_date(self, day: date) -> str:
        """Return a day, with that of the week and without the year."""

    @abstractmethod
    def long_date(self, day: date) -> str:
        """Return a day with its year."""

    @abstractmethod
    def time_of_day(self, at: time | datetime) -> str:
        """Return a time of day."""

    @abstractmethod
    def moment(self, at: datetime) -> str:
        """Return a day and a time of day."""

    @abstractmethod
    def ordinal(self, value: int) -> str:
        """Return a place in a row; `value` is at least 1."""

    def duration(self, seconds: int) -> str:
        """Return a number of seconds in larger units; units without a count are left out."""
        left, parts = abs(seconds), []
        for unit in self.UNITS:
            count, left = divmod(left, unit.seconds)
            if count:
                parts.append(f"{count} {unit.one if count == 1 else unit.other}")
        last = self.UNITS[-1]
        return (f"{self.MINUS} " if seconds < 0 else "") + (self.join(parts) or f"0 {last.other}")

    def number(self, value: int | Decimal) -> str:
        """Return a number with its thousands grouped; zeros at the end of a fraction are left out."""
        text = f"{value:,}" if isinstance(value, int) else f"{value:,f}"
        whole, _, fraction = text.partition(".")
        fraction = fraction.rstrip("0")
        return self._grouped(whole) + (self.point + fraction if fraction else "")

    def _grouped(self, whole: str) -> str:
        return whole.replace(",", self.group)

    def plain(self, value: Decimal) -> str:
        """Return a decimal as it is spoken where no filter says otherwise: all of its digits, without groups."""
        return f"{value:f}".replace(".", self.point)

    def truth(self, value: bool) -> str:
        """Return what true and false are called."""
        return self.TRUE if value else self.FALSE

    def digits(self, text: str) -> str:
        """Return a text key by key: `4 2 star`; spaces and signs that are no keys are left out."""
        return " ".join(self.SIGNS.get(char, char) for char in text if char.isalnum() or char in "*#+")

    def spell(self, text: str) -> str:
        """Return a text letter by letter: `W E B E R`, in capitals, since a small `a` is read as a word."""
        return " ".join(self._letter(char) for char in text if not char.isspace())

    def _letter(self, char: str) -> str:
        return self.SIGNS.get(char, char.upper())

    def join(self, items: Sequence[str]) -> str:
        """Return a list in words: `a, b and c`."""
        if len(items) < 2:
            return "".join(items)
        return f"{', '.join(items[:-1])} {self._and(items[-1])} {items[-1]}"

    def _and(self, following: str) -> str:
        return self.AND
