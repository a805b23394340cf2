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

from ivr.engine.expressions.forms import cldr
from ivr.engine.expressions.forms.telephone_numbers import grouped


class Unit(Struct, frozen=True):
    """A unit of time, and how it is counted."""

    seconds: int
    one: str
    other: str


class Currency(Struct, frozen=True):
    """What a currency and its hundredths are called. Of one that no language lists, the CLDR knows the name alone."""

    one: str
    other: str
    minor: str
    "Empty: it has none."
    minors: str


class LanguageForms(ABC):
    """The spoken forms of one language, in one region of it."""

    LANGUAGE: ClassVar[str]
    "Its code (ISO 639-1)."
    WEEKDAYS: ClassVar[tuple[str, ...]]
    "From Monday on."
    MONTHS: ClassVar[tuple[str, ...]]
    AND: ClassVar[str]
    MINUS: ClassVar[str]
    UNITS: ClassVar[tuple[Unit, ...]]
    "From days to seconds."
    SIGNS: ClassVar[Mapping[str, str]]
    "What signs are called, key by key and letter by letter."
    CURRENCIES: ClassVar[Mapping[str, Currency]]
    "By code (ISO 4217), those that are said in two parts."
    TRUE: ClassVar[str]
    FALSE: ClassVar[str]

    def __init__(self, tag: str) -> None:
        self.tag = tag
        "A BCP 47 tag, its region included if there is one."
        self.group, self.point = cldr.signs(tag)

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
                parts.append(f"{count} {unit.one if count == 1 else unit.other}")  # ungrouped, as it always was
        last = self.UNITS[-1]
        return (f"{self.MINUS} " if seconds < 0 else "") + (self.join(parts) or self.counted(0, last.one, last.other))

    def number(self, value: int | Decimal) -> str:
        """Return a number with its thousands grouped; zeros at the end of a fraction are left out."""
        text = f"{value:,}" if isinstance(value, int) else f"{value:,f}"
        whole, _, fraction = text.partition(".")
        fraction = fraction.rstrip("0")
        return self.grouped(whole) + (self.point + fraction if fraction else "")

    def grouped(self, whole: str) -> str:
        """Put the language's sign between thousands, for the comma there."""
        return whole.replace(",", self.group)

    def plain(self, value: Decimal) -> str:
        """Return a decimal as it is spoken where no filter says otherwise: all of its digits, without groups."""
        return f"{value:f}".replace(".", self.point)

    def truth(self, value: bool) -> str:
        """Return what true and false are called."""
        return self.TRUE if value else self.FALSE

    def counted(self, count: int, one: str, other: str) -> str:
        """Return a number with its noun."""
        return f"{self.number(count)} {one if count == 1 else other}"

    def money(self, value: Decimal, currency: str) -> str:
        """Return an amount, already rounded to what the currency has: `12 euros and 50 cents`."""
        sign, value = f"{self.MINUS} " if value < 0 else "", abs(value)
        names = self.CURRENCIES.get(currency)
        if names is None:
            whole, _, fraction = f"{value:,f}".partition(".")
            is_whole = not fraction.strip("0")
            name = cldr.currency_name(currency, int(value) if is_whole else value, self.LANGUAGE)
            return f"{sign}{self.grouped(whole)}{'' if is_whole else self.point + fraction} {name}"
        majors, minors = int(value), int(value % 1 * 100)
        if not minors:
            return sign + self.counted(majors, names.one, names.other)
        minor = names.minor if minors == 1 else names.minors
        if not majors:
            return f"{sign}{minors} {minor}"
        return sign + self.amount(self.counted(majors, names.one, names.other), minors, minor)

    @abstractmethod
    def amount(self, major: str, count: int, minor: str) -> str:
        """Return an amount with both of its parts."""

    def plural(self, value: int | Decimal, texts: Mapping[str, str]) -> str:
        """Return the text for a number, by the language's plurals; `zero` is for 0 itself, and `#` is the number."""
        nought = texts.get("zero") if not value else None
        text = nought or texts.get(cldr.plural(self.tag, value)) or texts["other"]
        return text.replace("#", self.number(value))

    def telephone(self, text: str) -> str:
        """Return a telephone number in groups, key by key: `plus 4 3, 6 6 0, 1 2 3`."""
        return ", ".join(self.digits(group) for group in grouped(text))

    def digits(self, text: str) -> str:
        """Return a text key by key: `4 2 star`; spaces and signs that are no keys are left out."""
        return " ".join(self.SIGNS.get(char, char) for char in text if char.isalnum() or char in "*#+")

    def spell(self, text: str) -> str:
        """Return a text letter by letter: `W E B E R`, in capitals, since a small `a` is read as a word."""
        return " ".join(self._letter(char) for char in text if not char.isspace())

    def _letter(self, char: str) -> str:
        return self.SIGNS.get(char) or self.SIGNS.get(char.lower()) or char.upper()

    def join(self, items: Sequence[str]) -> str:
        """Return a list in words: `a, b and c`."""
        if len(items) < 2:
            return "".join(items)
        return f"{', '.join(items[:-1])} {self.conjunction(items[-1])} {items[-1]}"

    def conjunction(self, following: str) -> str:
        """Return `and`, before what follows."""
        return self.AND
