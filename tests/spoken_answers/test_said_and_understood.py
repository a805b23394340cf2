"""What the filters say is understood as what it was said of, in every language and region."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.engine.expressions.convert import from_keys
from ivr.engine.expressions.forms import forms_of
from ivr.engine.expressions.types import DECIMAL
from ivr.engine.numerals import english_numerals, french_numerals, german_numerals, spanish_numerals
from ivr.engine.spoken_answers import MAX_HEARD, understood

LANGUAGES = st.sampled_from(
    ["en-US", "en-GB", "de-DE", "de-AT", "de-CH", "fr-FR", "fr-CA", "fr-CH", "es-ES", "es-MX"],
)
TODAY = date(2026, 11, 24)
WORDS = [
    ("en-US", english_numerals.cardinals, english_numerals.ordinals),
    ("de-DE", german_numerals.cardinals, german_numerals.ordinals),
    ("fr-FR", french_numerals.cardinals, french_numerals.ordinals),
    ("es-ES", spanish_numerals.cardinals, spanish_numerals.ordinals),
]


@given(LANGUAGES, st.integers(0, 10**12))
def test_a_number_that_a_filter_says_is_understood(language: str, value: int) -> None:
    forms = forms_of(language)
    assert understood(forms.number(value), "number", language) == str(value)
    assert understood(forms.digits(str(value)), "number", language) == str(value)
    assert understood(forms.ordinal(value + 1), "number", language) == str(value + 1)


@given(LANGUAGES, st.decimals(0, 10**9, places=2))
def test_an_amount_that_a_filter_says_is_understood(language: str, value: Decimal) -> None:
    forms = forms_of(language)
    for said in (forms.number(value), forms.money(value, "EUR")):
        keys = understood(said, "number", language)
        assert keys is not None, said
        assert from_keys(keys, DECIMAL) == value


@given(LANGUAGES, st.from_regex(r"0[1-9][0-9]{5,9}", fullmatch=True))
def test_a_telephone_number_that_a_filter_says_is_understood(language: str, number: str) -> None:
    assert understood(forms_of(language).telephone(number), "number", language) == number


@given(LANGUAGES, st.integers(0, 364), st.dates(date(1910, 1, 1), date(2090, 1, 1)))
def test_a_date_that_a_filter_says_is_understood(language: str, days: int, birthday: date) -> None:
    forms, soon = forms_of(language), TODAY + timedelta(days=days)
    assert understood(forms.short_date(soon), "date", language, today=TODAY) == f"{soon:%d%m%Y}"
    assert understood(forms.long_date(birthday), "date", language) == f"{birthday:%d%m%Y}"


@pytest.mark.parametrize(("language", "cardinals", "ordinals"), WORDS)
def test_every_way_to_say_a_number_is_understood(
    language: str, cardinals: Callable[[int], Iterable[str]], ordinals: Callable[[int], Iterable[str]]
) -> None:
    said = [(words, number) for number in range(2_000) for words in cardinals(number)]
    said += [(words, number) for number in range(1, 1_000) for words in ordinals(number)]
    assert {number for _, number in said} >= set(range(1_000))
    assert [(words, number) for words, number in said if understood(words, "number", language) != str(number)] == []


@given(LANGUAGES, st.sampled_from(["number", "date", "yesno"]), st.text(max_size=MAX_HEARD))
def test_whatever_is_heard_gives_keys_or_nothing(language: str, kind: str, words: str) -> None:
    keys = understood(words, kind, language, today=TODAY)  # type: ignore[arg-type]
    assert keys is None or (keys and set(keys) <= set("0123456789*"))
