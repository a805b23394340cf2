"""How French says values (LANGUAGE C11)."""

from collections.abc import Mapping
from datetime import date, datetime, time

from ivr.engine.expressions.forms.language_forms import Currency, LanguageForms, Unit
from ivr.engine.expressions.forms.telephone_numbers import grouped
from ivr.engine.numerals.french_numerals import ordinals

WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)
SIGNS: Mapping[str, str] = {
    "*": "étoile",
    "#": "dièse",
    "+": "plus",
    "-": "tiret",
    ".": "point",
    "@": "arobase",
    "_": "tiret bas",
    "/": "barre oblique",
    "'": "apostrophe",
    "’": "apostrophe",
    "à": "A accent grave",
    "â": "A accent circonflexe",
    "ç": "C cédille",
    "é": "E accent aigu",
    "è": "E accent grave",
    "ê": "E accent circonflexe",
    "ë": "E tréma",
    "î": "I accent circonflexe",
    "ï": "I tréma",
    "ô": "O accent circonflexe",
    "ö": "O tréma",
    "œ": "O E",
    "ù": "U accent grave",
    "û": "U accent circonflexe",
    "ü": "U tréma",
}
"In French the accents are told, or nobody knows how to write the name."
CURRENCIES: Mapping[str, Currency] = {
    "EUR": Currency("euro", "euros", "centime", "centimes"),
    "USD": Currency("dollar", "dollars", "cent", "cents"),
    "GBP": Currency("livre", "livres", "penny", "pence"),
    "CHF": Currency("franc", "francs", "centime", "centimes"),
    "CAD": Currency("dollar canadien", "dollars canadiens", "cent", "cents"),
    "AUD": Currency("dollar australien", "dollars australiens", "cent", "cents"),
    "MXN": Currency("peso", "pesos", "centavo", "centavos"),
    "JPY": Currency("yen", "yens", "", ""),
}


class French(LanguageForms):
    """French."""

    LANGUAGE = "fr"
    WEEKDAYS = WEEKDAYS
    MONTHS = MONTHS
    AND = "et"
    MINUS = "moins"
    UNITS = (
        Unit(86_400, "jour", "jours"),
        Unit(3_600, "heure", "heures"),
        Unit(60, "minute", "minutes"),
        Unit(1, "seconde", "secondes"),
    )
    SIGNS = SIGNS
    CURRENCIES = CURRENCIES
    TRUE = "vrai"
    FALSE = "faux"

    def short_date(self, day: date) -> str:
        """Return a date in words: `mardi 24 novembre`."""
        return f"{self.weekday(day)} {self._day(day)}"

    def long_date(self, day: date) -> str:
        """Return a date in words with its year: `24 novembre 2026`."""
        return f"{self._day(day)} {day.year}"

    def _day(self, day: date) -> str:
        return f"{'1er' if day.day == 1 else day.day} {MONTHS[day.month - 1]}"

    def time_of_day(self, at: time | datetime) -> str:
        """Return a time in words: `9 heures 40`, `midi`."""
        if not at.minute and at.hour in {0, 12}:
            return "midi" if at.hour else "minuit"
        hours = f"{at.hour} {'heure' if at.hour < 2 else 'heures'}"
        return f"{hours} {at.minute}" if at.minute else hours

    def moment(self, at: datetime) -> str:
        """Return both in words: `mardi 24 novembre à 9 heures 40`."""
        return f"{self.short_date(at)} à {self.time_of_day(at)}"

    def ordinal(self, value: int) -> str:
        """Return a place in a row: `troisième`, from 1,000 on `1000e`."""
        return next(iter(ordinals(value))) if value < 1_000 else f"{value}e"

    def counted(self, count: int, one: str, other: str) -> str:
        """Return a number with its noun: in French nought is singular, and there are millions *of* something."""
        if count and count % 1_000_000 == 0:
            return f"{self.number(count)} {'d’' if other[0] in 'aeiouyé' else 'de '}{other}"
        return f"{self.number(count)} {one if count < 2 else other}"

    def amount(self, major: str, count: int, minor: str) -> str:
        """Return an amount: `12 euros et 50 centimes`."""
        return f"{major} et {count} {minor}"

    def telephone(self, text: str) -> str:
        """Return a telephone number: in pairs, each said as one number, but not in Canada and Switzerland."""
        groups = grouped(text, pairs=not self.tag.lower().endswith(("-ca", "-ch")))
        is_paired = all(len(group) < 3 or group.startswith("+") for group in groups)
        return ", ".join(group if is_paired and _is_pair(group) else self.digits(group) for group in groups)


def _is_pair(keys: str) -> bool:
    return len(keys) == 2 and keys.isdecimal() and keys[0] != "0"
