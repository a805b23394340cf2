"""The spoken forms of values, by language (LANGUAGE C11): `forms_of` knows which there are.

A language that has none gets the English ones.
"""

from collections.abc import Mapping
from functools import lru_cache

from ivr.engine.expressions.forms.english import ENGLISH, English
from ivr.engine.expressions.forms.french import French
from ivr.engine.expressions.forms.german import German
from ivr.engine.expressions.forms.language_forms import LanguageForms
from ivr.engine.expressions.forms.spanish import Spanish
from ivr.engine.language_choice import first_part
from ivr.engine.values import Value

_LANGUAGES: Mapping[str, type[LanguageForms]] = {"en": English, "de": German, "fr": French, "es": Spanish}

ALL_WEEKDAYS = frozenset(name for forms in _LANGUAGES.values() for name in forms.WEEKDAYS)
"In all languages."


def has_forms(tag: str) -> bool:
    """Return whether a language, a BCP 47 tag, has forms of its own."""
    return first_part(tag) in _LANGUAGES


@lru_cache(maxsize=256)
def forms_of(tag: str) -> LanguageForms:
    """Return the forms of a language, a BCP 47 tag; made once."""
    return _LANGUAGES.get(first_part(tag), English)(tag)


def spoken_here(names: Mapping[str, Value]) -> LanguageForms:
    """Return the forms of the language that is spoken where an expression is read."""
    tag = names.get("language")
    return forms_of(tag) if isinstance(tag, str) else ENGLISH
