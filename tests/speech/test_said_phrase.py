"""Which phrase was meant by what an engine wrote down."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.speech.said_phrase import said_phrase

MENU = ("sales", "support", "technical support", "Yes", "yes", "no")


@pytest.mark.parametrize(
    ("words", "phrase"),
    [
        ("sales", "sales"),
        ("Sales.", "sales"),
        ("I'd like sales, please.", "sales"),
        ("Technical support, please!", "technical support"),
        ("Support", "support"),
        ("sails", "sales"),
        ("technical sport", "technical support"),
        ("now", None),
        ("know", None),
        ("yes", "yes"),
        ("Yes", "Yes"),
        ("YES!", "Yes"),
        ("sales or support", None),
        ("the weather is fine", None),
        ("salespeople", None),
        ("...", None),
        ("", None),
    ],
)
def test_a_phrase_is_found_as_it_is_among_the_words_or_near(words: str, phrase: str | None) -> None:
    assert said_phrase(words, MENU) == phrase


@settings(max_examples=50)
@given(st.text(max_size=80), st.lists(st.text(max_size=20), max_size=8))
def test_nothing_but_a_phrase_is_ever_found(words: str, phrases: list[str]) -> None:
    found = said_phrase(words, phrases)
    assert found is None or found in phrases


@settings(max_examples=50)
@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=8), st.data())
def test_what_is_a_phrase_letter_by_letter_is_that_phrase(phrases: list[str], data: st.DataObject) -> None:
    phrase = data.draw(st.sampled_from(phrases))
    assert said_phrase(phrase, phrases) == phrase


@pytest.mark.parametrize(
    ("words", "phrase"),
    [
        ("2", "two"),
        ("Gate 12, please.", "gate twelve"),
        ("It's room 205.", "room two zero five"),
        ("On Sunday at 10.30am.", "sunday at ten thirty a m"),
        ("22 gates", None),
        ("2 or gate 12", None),
    ],
)
def test_numbers_are_the_same_said_and_written(words: str, phrase: str | None) -> None:
    phrases = ("two", "gate twelve", "room two zero five", "sunday at ten thirty a m")
    assert said_phrase(words, phrases) == phrase
