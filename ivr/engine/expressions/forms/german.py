"""How German says values (LANGUAGE C11): nouns as after "am" and "um", a place in a row as of a man."""

from collections.abc import Mapping
from datetime import date, datetime, time

from ivr.engine.expressions.forms.language_forms import Currency, LanguageForms, Unit
from ivr.engine.numerals.german_numerals import ordinals

WEEKDAYS = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")
MONTHS = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni"),
    *("Juli", "August", "September", "Oktober", "November", "Dezember"),
)
SIGNS: Mapping[str, str] = {
    "*": "Stern",
    "#": "Raute",
    "+": "plus",
    "-": "Bindestrich",
    ".": "Punkt",
    "@": "at",
    "_": "Unterstrich",
    "/": "Schrägstrich",
    "ß": "Eszett",
}
CURRENCIES: Mapping[str, Currency] = {
    "EUR": Currency("Euro", "Euro", "Cent", "Cent"),
    "USD": Currency("Dollar", "Dollar", "Cent", "Cent"),
    "GBP": Currency("Pfund", "Pfund", "Penny", "Pence"),
    "CHF": Currency("Franken", "Franken", "Rappen", "Rappen"),
    "CAD": Currency("kanadischer Dollar", "kanadische Dollar", "Cent", "Cent"),
    "AUD": Currency("australischer Dollar", "australische Dollar", "Cent", "Cent"),
    "MXN": Currency("Peso", "Pesos", "Centavo", "Centavos"),
    "JPY": Currency("Yen", "Yen", "", ""),
}


class German(LanguageForms):
    """German."""

    LANGUAGE = "de"
    WEEKDAYS = WEEKDAYS
    MONTHS = MONTHS
    AND = "und"
    MINUS = "minus"
    UNITS = (
        Unit(86_400, "Tag", "Tage"),
        Unit(3_600, "Stunde", "Stunden"),
        Unit(60, "Minute", "Minuten"),
        Unit(1, "Sekunde", "Sekunden"),
    )
    SIGNS = SIGNS
    CURRENCIES = CURRENCIES
    TRUE = "wahr"
    FALSE = "falsch"

    def short_date(self, day: date) -> str:
        """Return a date in words: `Dienstag, 24. November`."""
        return f"{self.weekday(day)}, {day.day}. {MONTHS[day.month - 1]}"

    def long_date(self, day: date) -> str:
        """Return a date in words with its year: `24. November 2026`."""
        return f"{day.day}. {MONTHS[day.month - 1]} {day.year}"

    def time_of_day(self, at: time | datetime) -> str:
        """Return a time in words: `9 Uhr 40`."""
        return f"{at.hour} Uhr {at.minute}" if at.minute else f"{at.hour} Uhr"

    def moment(self, at: datetime) -> str:
        """Return both in words: `Dienstag, 24. November um 9 Uhr 40`."""
        return f"{self.short_date(at)} um {self.time_of_day(at)}"

    def ordinal(self, value: int) -> str:
        """Return a place in a row: `dritter`, from 1,000 on `1000.`."""
        return next(iter(ordinals(value))) if value < 1_000 else f"{value}."

    def amount(self, major: str, count: int, minor: str) -> str:
        """Return an amount: `12 Euro 50`."""
        return f"{major} {count}"
