"""What a voice is told to say."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.engine.commands import Text
from ivr.speech.wording import LONGEST, PART, divided, in_words, spoken


def said(value: str, say_as: str | None = None) -> str:
    return " ".join(ElementTree.fromstring(ssml).text or "" for ssml in spoken(Text(value, "male", "en-US", say_as)))


@pytest.mark.parametrize(
    ("value", "say_as", "words"),
    [
        ("2026-11-20", "yearMonthDay", "November 20th, 2026"),
        ("11/20/2026", "monthDayYear", "November 20th, 2026"),
        ("1.2.2026", "dayMonthYear", "February 1st, 2026"),
        ("2026-11", "yearMonth", "November 2026"),
        ("11/2026", "monthYear", "November 2026"),
        ("11-22", "monthDay", "November 22nd"),
        ("3.11.", "dayMonth", "November 3rd"),
        ("13", "day", "13th"),
        ("4", "month", "April"),
        ("1999", "year", "1999"),
        ("2026-13-40", "yearMonthDay", "2026-13-40"),
        ("soon", "yearMonthDay", "soon"),
        ("21", "ordinal", "21st"),
        ("112", "ordinal", "112th"),
        ("ABC 1", "letters", "A, B, C, 1"),
        ("15:07", "time12", "3 oh 7 p m"),
        ("00:30", "time12", "12 30 a m"),
        ("12:00", "time12", "12 p m"),
        ("15:07", "time24", "15 oh 7"),
        ("15:00", "time24", "15 hundred"),
        ("noon", "time12", "noon"),
        ("+1 555-0100", "telephone", "plus 1, 5 5 5, 0 1 0 0"),
        ("42", "cardinal", "42"),
        ("Anna", "name", "Anna"),
        ("Anna", "unheard", "Anna"),
        ("One. Two!", None, "One. Two!"),
    ],
)
def test_what_a_text_is_said_to_be_decides_how_it_is_spoken(value: str, say_as: str | None, words: str) -> None:
    assert said(value, say_as) == words


def test_emphasis_is_passed_on() -> None:
    assert list(spoken(Text("Stop.", "male", "en-US", emphasize=True))) == ["<speak><emphasis>Stop.</emphasis></speak>"]


def test_sentences_are_spoken_one_by_one() -> None:
    assert len(list(spoken(Text("Press 1. Press 2! Or: 3?", "male", "en-US")))) == 4


@given(st.text(max_size=3000), st.sampled_from([None, "letters", "telephone", "ordinal", "yearMonthDay", "time12"]))
def test_any_text_becomes_well_formed_and_bounded(value: str, say_as: str | None) -> None:
    for ssml in spoken(Text(value, "male", "en-US", say_as)):
        text = ElementTree.fromstring(ssml).text or ""
        assert 0 < len(text) <= LONGEST


@given(st.text(st.characters(categories=["L", "Nd", "Zs", "Po"]), max_size=2000))
def test_no_word_is_lost(value: str) -> None:
    words = re.sub(r"\s+", "", value)
    assert re.sub(r"\s+", "", said(value)) == words


@pytest.mark.parametrize(
    ("value", "say_as", "words"),
    [
        ("24.12.", "dayMonth", "24.12."),
        ("15:07", "time12", "15:07"),
        ("21", "ordinal", "21"),
        ("ABC 1", "letters", "A, B, C, 1"),
        ("+49 89", "telephone", "plus 4 9, 8 9"),
    ],
)
def test_another_language_says_its_dates_and_times_itself(value: str, say_as: str, words: str) -> None:
    assert in_words(Text(value, "male", "de-DE", say_as)) == words


def test_a_long_text_is_divided_between_sentences() -> None:
    sentences = [f"This is sentence number {number} of this long text." for number in range(10)]
    parts = list(divided(Text(" ".join(sentences), "female", "en-GB", emphasize=True)))
    assert [len(part.value) <= PART for part in parts] == [True] * len(parts)
    assert 3 <= len(parts) <= 5
    assert " ".join(part.value for part in parts) == " ".join(sentences)
    assert {(part.voice, part.language, part.emphasize) for part in parts} == {("female", "en-GB", True)}


@pytest.mark.parametrize("text", [Text("Hello. Press 1.", "male", "en-US"), Text("1" * 500, "male", "en", "letters")])
def test_a_short_text_and_one_that_is_a_date_or_so_stay_whole(text: Text) -> None:
    assert list(divided(text)) == [text]


@given(st.text(max_size=2000))
def test_no_word_is_lost_in_parts(value: str) -> None:
    parts = [part.value for part in divided(Text(value, "male", "en-US"))]
    assert re.sub(r"\s+", "", "".join(parts)) == re.sub(r"\s+", "", value)
