"""What the Unicode CLDR knows of a language: signs in numbers, plurals, names of currencies. The only user of Babel."""

from decimal import Decimal
from functools import cache, lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import get_currency_name, get_currency_precision, list_currencies


@lru_cache(maxsize=256)
def locale_of(tag: str) -> Locale:
    """Return the data of a language, a BCP 47 tag: of its region if that is known, else of the language, or English."""
    for candidate in (tag, tag.partition("-")[0], "en"):
        try:
            return Locale.parse(candidate, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    raise AssertionError("English is not known")  # pragma: no cover


def signs(tag: str) -> tuple[str, str]:
    """Return what stands between thousands, empty where that is a space, and what stands before a fraction."""
    symbols = locale_of(tag).number_symbols["latn"]
    group = str(symbols["group"])
    return ("" if group.isspace() else group), str(symbols["decimal"])


def plural(tag: str, value: int | Decimal) -> str:
    """Return which plural of a language a number takes: `one`, `two`, `few`, `many`, `other` or `zero`."""
    # 2.0 is said as 2 is.
    return locale_of(tag).plural_form(value.normalize() if isinstance(value, Decimal) and value % 1 else int(value))


@cache
def currencies() -> frozenset[str]:
    """Return the codes of all currencies (ISO 4217)."""
    return frozenset(list_currencies())


def places(currency: str) -> int:
    """Return how many figures the fraction of an amount has."""
    return get_currency_precision(currency)


def currency_name(currency: str, count: int | Decimal, language: str) -> str:
    """Return what a language calls a currency after a number."""
    return get_currency_name(currency, count, locale_of(language))
