"""Public holidays as data, so that a flow carries the days it was loaded with (LANGUAGE C15, C16).

The only page that knows the library. What it says today is put into the flow's bundle: another release of it changes no
call under way, and is another version of the flow.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import ModuleType

from ivr.flowfile.opening_hours import YEARS
from ivr.nearest import nearest

_REMARK = re.compile(r"\s*[(（][^)）]*[)）]")
"`(observed)`, `(estimated)`: for people who read."


def is_country(code: str) -> bool:
    """Return whether the holidays of a country are known (ISO 3166, two letters)."""
    return code in _regions()


def is_region(country: str, code: str) -> bool:
    """Return whether a country has a region of this code, with holidays of its own or without."""
    return code in _regions()[country]


def country_meant(text: str) -> str:
    """Suggest the country that was probably meant; empty: there is no telling."""
    from holidays.registry import COUNTRIES  # noqa: PLC0415

    codes = {_plain(word): names[1] for key, names in COUNTRIES.items() for word in (key, *names)}
    plain = _plain(text)
    like_it = [word for word in codes if word[:1] == plain[:1] and len(word) > len("AUT")]  # only so many are compared
    meant = codes.get(plain) or codes.get(nearest(plain, like_it) or "")
    return f'Did you mean "{meant}"?' if meant else "Write its two letters, such as AT."


def region_meant(country: str, text: str) -> str:
    """Suggest the region that was probably meant, by its code or by its name."""
    written = _library().country_holidays(country).get_subdivision_aliases()
    codes = {_plain(word): code for code, names in written.items() for word in (code, f"{country}-{code}", *names)}
    meant = codes.get(_plain(text)) or codes.get(nearest(_plain(text), codes) or "")
    known = ", ".join(written)
    return f'Did you mean "{meant}"?' if meant else f"Possible: {known}." if known else "Leave it out."


def holiday_names(country: str, region: str | None, languages: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
    """Return all holidays by date (ISO 8601): their names by language tag.

    In a language that the library does not have for the country, they are called as in the country itself.
    """
    found: dict[str, dict[str, str]] = {}
    for language in languages:
        for day, name in _holidays(country, region, _library_language(country, language)):
            found.setdefault(day, {})[language] = name
    return found


@lru_cache(maxsize=64)  # a folder of flows is read again and again, and most of them keep the same holidays
def _holidays(country: str, region: str | None, language: str | None) -> tuple[tuple[str, str], ...]:
    known = _library().country_holidays(country, subdiv=region, years=YEARS, language=language)
    return tuple((day.isoformat(), _said(known[day])) for day in sorted(known))


def _said(name: str) -> str:
    """Write the names of the holidays of one day so that they can be spoken."""
    return ", ".join(dict.fromkeys(_REMARK.sub("", each).strip() for each in name.split(";")))


def _library_language(country: str, tag: str) -> str | None:
    """Return the library's word for a language, or for that of the country; None: its names have one language alone."""
    wanted = tag.replace("-", "_").lower()
    entity = _library().country_holidays(country)
    own: str | None = entity.default_language
    known: dict[str, str] = {language.lower(): language for language in entity.supported_languages}
    by_part = {language.partition("_")[0]: known[language] for language in known}
    # Without a language the library would take that of the machine.
    return known.get(wanted) or by_part.get(wanted.partition("_")[0]) or own


@lru_cache(maxsize=1)
def _regions() -> Mapping[str, frozenset[str]]:
    return {
        code: frozenset(names) for code, names in _library().list_supported_countries(include_aliases=False).items()
    }


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


def _library() -> ModuleType:
    import holidays  # noqa: PLC0415  # a slow import that few flows need

    return holidays
