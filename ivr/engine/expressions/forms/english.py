"""How English says dates, times, numbers and lists (LANGUAGE C11). Independent of the machine's locale."""

from collections.abc import Mapping
from datetime import date, datetime, time

from ivr.engine.expressions.forms.language_forms import Currency, LanguageForms, Unit

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"),
    *("eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth"),
    *("nineteenth", "twentieth"),
)
SIGNS: Mapping[str, str] = {
    "*": "star",
    "#": "pound",
    "+": "plus",
    "-": "dash",
    ".": "dot",
    "@": "at",
    "_": "underscore",
    "/": "slash",
}
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def nth(value: int) -> str:
    """Write a place in a row: `3rd`."""
    return f"{value}{_ENDINGS.get(value % 10, 'th') if value % 100 // 10 != 1 else 'th'}"


CURRENCIES: Mapping[str, Currency] = {
    "EUR": Currency("euro", "euros", "cent", "cents"),
    "USD": Currency("dollar", "dollars", "cent", "cents"),
    "GBP": Currency("pound", "pounds", "penny", "pence"),
    "CHF": Currency("franc", "francs", "centime", "centimes"),
    "CAD": Currency("Canadian dollar", "Canadian dollars", "cent", "cents"),
    "AUD": Currency("Australian dollar", "Australian dollars", "cent", "cents"),
    "MXN": Currency("peso", "pesos", "centavo", "centavos"),
    "JPY": Currency("yen", "yen", "", ""),
}


class English(LanguageForms):
    """English, the same in every region, and what is said in a language that has no forms."""

    LANGUAGE = "en"
    WEEKDAYS = WEEKDAYS
    MONTHS = MONTHS
    AND = "and"
    MINUS = "minus"
    UNITS = (
        Unit(86_400, "day", "days"),
        Unit(3_600, "hour", "hours"),
        Unit(60, "minute", "minutes"),
        Unit(1, "second", "seconds"),
    )
    SIGNS = SIGNS
    TRUE = "true"
    FALSE = "false"
    CURRENCIES = CURRENCIES

    def __init__(self, tag: str) -> None:
        super().__init__(tag)
        self.group, self.point = ",", "."

    def short_date(self, day: date) -> str:
        """Return a date in words: `Tuesday, November 24`."""
        return f"{self.weekday(day)}, {MONTHS[day.month - 1]} {day.day}"

    def long_date(self, day: date) -> str:
        """Return a date in words with its year: `November 24, 2026`."""
        return f"{MONTHS[day.month - 1]} {day.day}, {day.year}"

    def time_of_day(self, at: time | datetime) -> str:
        """Return a time in words: `9:40 AM`."""
        return f"{at.hour % 12 or 12}:{at.minute:02} {'AM' if at.hour < 12 else 'PM'}"

    def moment(self, at: datetime) -> str:
        """Return both in words: `Tuesday, November 24 at 9:40 AM`."""
        return f"{self.short_date(at)} at {self.time_of_day(at)}"

    def ordinal(self, value: int) -> str:
        """Return a place in a row: `third`, in words up to twentieth, then `21st`; `value` is at least 1."""
        return ORDINALS[value - 1] if value <= len(ORDINALS) else nth(value)

    def amount(self, major: str, count: int, minor: str) -> str:
        """Return an amount: `12 euros and 50 cents`."""
        return f"{major} and {count} {minor}"


ENGLISH = English("en")
