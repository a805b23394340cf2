"""How Spanish says values (LANGUAGE C11): a time of day with its article, since one o'clock has another."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time

from ivr.engine.expressions.forms.language_forms import Currency, LanguageForms, Unit
from ivr.engine.numerals.spanish_numerals import ordinals

WEEKDAYS = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")
MONTHS = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)
SIGNS: Mapping[str, str] = {
    "*": "asterisco",
    "#": "almohadilla",
    "+": "más",
    "-": "guion",
    ".": "punto",
    "@": "arroba",
    "_": "guion bajo",
    "/": "barra",
    "á": "A con acento",
    "é": "E con acento",
    "í": "I con acento",
    "ó": "O con acento",
    "ú": "U con acento",
    "ü": "U con diéresis",
}
CURRENCIES: Mapping[str, Currency] = {
    "EUR": Currency("euro", "euros", "céntimo", "céntimos"),
    "USD": Currency("dólar", "dólares", "centavo", "centavos"),
    "GBP": Currency("libra", "libras", "penique", "peniques"),
    "CHF": Currency("franco", "francos", "céntimo", "céntimos"),
    "CAD": Currency("dólar canadiense", "dólares canadienses", "centavo", "centavos"),
    "AUD": Currency("dólar australiano", "dólares australianos", "centavo", "centavos"),
    "MXN": Currency("peso", "pesos", "centavo", "centavos"),
    "JPY": Currency("yen", "yenes", "", ""),
}
_PARTS_OF_DAY = (
    (1, "de la noche"),
    (6, "de la madrugada"),
    (12, "de la mañana"),
    (13, "del mediodía"),
    (20, "de la tarde"),
)
"Each up to an hour, not included; after them it is night again."
_SOUNDS_LIKE_I = re.compile(r"h?i(?![aeo])|y(?![aeiouáéíóú])", re.IGNORECASE)
"Before it `y` becomes `e`: `agujas e hilos`, but `nieve y hielo`."


class Spanish(LanguageForms):
    """Spanish: that of Spain, with the signs in numbers of each region."""

    LANGUAGE = "es"
    WEEKDAYS = WEEKDAYS
    MONTHS = MONTHS
    AND = "y"
    MINUS = "menos"
    UNITS = (
        Unit(86_400, "día", "días"),
        Unit(3_600, "hora", "horas"),
        Unit(60, "minuto", "minutos"),
        Unit(1, "segundo", "segundos"),
    )
    SIGNS = SIGNS
    CURRENCIES = CURRENCIES
    TRUE = "verdadero"
    FALSE = "falso"

    def short_date(self, day: date) -> str:
        """Return a date in words: `martes, 24 de noviembre`."""
        return f"{self.weekday(day)}, {day.day} de {MONTHS[day.month - 1]}"

    def long_date(self, day: date) -> str:
        """Return a date in words with its year: `24 de noviembre de 2026`."""
        return f"{day.day} de {MONTHS[day.month - 1]} de {day.year}"

    def time_of_day(self, at: time | datetime) -> str:
        """Return a time in words, with its article: `las 9 y 40 de la mañana`, `la una y media de la tarde`."""
        part = next((words for end, words in _PARTS_OF_DAY if at.hour < end), "de la noche")
        hour = at.hour % 12 or 12
        minutes = {0: "", 15: " y cuarto", 30: " y media"}.get(at.minute, f" y {at.minute}")
        return f"{'la una' if hour == 1 else f'las {hour}'}{minutes} {part}"

    def moment(self, at: datetime) -> str:
        """Return both in words: `martes, 24 de noviembre a las 9 y 40 de la mañana`."""
        return f"{self.short_date(at)} a {self.time_of_day(at)}"

    def ordinal(self, value: int) -> str:
        """Return a place in a row: `tercero`, from 1,000 on `1000.º`."""
        return next(iter(ordinals(value))) if value < 1_000 else f"{value}.º"

    def grouped(self, whole: str) -> str:
        """Group thousands; Spanish has no group of one figure before a point: `1204`, but `12.045`."""
        alone = self.group == "." and len(whole.lstrip("-")) == len("1,204")
        return whole.replace(",", "" if alone else self.group)

    def counted(self, count: int, one: str, other: str) -> str:
        """Return a number with its noun: there are millions *of* something."""
        of = "de " if count and count % 1_000_000 == 0 else ""
        return f"{self.number(count)} {of}{one if count == 1 else other}"

    def amount(self, major: str, count: int, minor: str) -> str:
        """Return an amount: `12 euros con 50 céntimos`."""
        return f"{major} con {count} {minor}"

    def conjunction(self, following: str) -> str:
        """Return `y`, or `e` before the same sound."""
        return "e" if _SOUNDS_LIKE_I.match(following) else self.AND
