"""A spoken answer as the keys that mean the same, so that it is judged as keys are: `ask`, and "yes" to `confirm`.

Strict: an answer with words that are none of it is not understood, and the caller is asked again. Better that than a
wrong number; who says "not that one, twelve" has not said twelve.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from ivr.engine.commands import FreeSpeech
from ivr.engine.expressions.convert import KEYED_DATE
from ivr.engine.expressions.forms import forms_of
from ivr.engine.language_choice import first_part
from ivr.engine.listening.english_words import ENGLISH
from ivr.engine.listening.french_words import FRENCH
from ivr.engine.listening.german_words import GERMAN
from ivr.engine.listening.heard_dates import DateReader
from ivr.engine.listening.heard_numbers import number_said
from ivr.engine.listening.spanish_words import SPANISH
from ivr.engine.listening.vocabulary import Vocabulary

YES = "1"
NO = "2"
MAX_HEARD = 300
"Characters of an answer; what is longer is a story."
MAX_KEYS = 40

_VOCABULARIES: Mapping[str, Vocabulary] = {"en": ENGLISH, "de": GERMAN, "fr": FRENCH, "es": SPANISH}
_MONTH_FIRST = frozenset({"en", "en-us", "en-ph", "en-pr"})
"Where `11/12` is the twelfth of November."


def is_understood(language: str) -> bool:
    """Return whether answers in a language, a BCP 47 tag, are understood."""
    return first_part(language) in _VOCABULARIES


def understood(
    words: str, kind: FreeSpeech, language: str, *, format_: str = KEYED_DATE, today: date | None = None
) -> str | None:
    """Return the keys that mean what a caller said; None: it is no such answer.

    A number gives its digits, with `*` as the point; a date those of `format_` (of its variable, C10); yes and no give
    `YES` and `NO`. Without `today` a date needs its year, and "tomorrow" is not understood. A language that has no
    vocabulary understands nothing.
    """
    vocabulary = _VOCABULARIES.get(first_part(language))
    if vocabulary is None or len(words) > MAX_HEARD:
        return None
    tokens = vocabulary.tokens(words)
    if kind == "yesno":
        return _yes_or_no(tokens, vocabulary)
    forms = forms_of(language)
    if kind == "number":
        keys = number_said(tokens, vocabulary, forms)
        return keys if keys is None or len(keys) <= MAX_KEYS else None
    month_first = language.lower() in _MONTH_FIRST
    day = DateReader(tokens, vocabulary, forms, month_first=month_first, today=today).day_said()
    return None if day is None else _keyed(day, format_)


def _yes_or_no(tokens: Sequence[str], vocabulary: Vocabulary) -> str | None:
    """Return what all of an answer means; None: not all of it is known, or it says both."""
    meanings: set[bool] = set()
    place = 0
    while place < len(tokens):
        ends = range(len(tokens), place, -1)
        end = next((end for end in ends if "".join(tokens[place:end]) in vocabulary.answers), None)
        if end is None:
            return None
        meanings.add(vocabulary.answers["".join(tokens[place:end])])
        place = end
    if len(meanings) != 1:
        return None
    return YES if meanings.pop() else NO


def _keyed(day: date, format_: str) -> str:
    written = {"dd": f"{day.day:02}", "mm": f"{day.month:02}", "yyyy": f"{day.year:04}"}
    keys = format_
    for part, figures in written.items():
        keys = keys.replace(part, figures)
    return keys
