"""Wrong words are counted fairly: what is written differently and read aloud the same is the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.speech_words import word_errors, words_of

SAME = [
    ("ten thirty a m", "10:30 a.m.", "ten 30 am", "10:30AM"),
    ("at eleven o'clock", "at 11", "at 11:00", "at eleven o’clock."),
    ("one", "1", "One."),
    ("i have one of them", "I have 1 of them."),
    ("thirty three four six ninety two", "33-4-692.", "33 4 6 92"),
    ("five five five oh one nine two", "555-0192", "5550192", "five, five, five; zero one nine two"),
    ("four hundred and twenty dollars", "$420", "four hundred twenty dollars"),
    ("one thousand two hundred eighty four dollars and fifty cents", "$1,284.50", "1,284 dollars and 50 cents"),
    ("two million three hundred thousand and five", "2,300,005", "2300005"),
    ("march the twenty first", "March the 21st"),
    ("the third", "the 3rd"),
    ("twenty twenty six", "2026", "two thousand twenty six"),
    ("three point five percent", "3.5%"),
    ("cold hearted mister dashwood", "Cold-hearted Mr. Dashwood"),
    ("i am sure it will not", "I'm sure it won't."),
    ("you cannot", "you can't", "You can not"),
    ("a hundred", "100", "one hundred"),
    ("oh two oh four", "0204", "02-04"),
    ("oh no", "Oh, no!"),
    ("hold on a second", "Hold on a second!"),
]
DIFFERENT = [
    ("one", "two"),
    ("seven", "seventeen"),
    ("three hundred four hundred", "three hundred four"),
    ("ten a m", "ten p m"),
    ("oh two", "2"),
    ("i am", "i m"),
    ("that's", "thats"),
]
SMALL = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


@pytest.mark.parametrize("ways", SAME, ids=lambda ways: ways[0])
def test_what_sounds_the_same_is_the_same(ways: tuple[str, ...]) -> None:
    assert len({tuple(words_of(way)) for way in ways}) == 1


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_sounds_different_is_different(one: str, other: str) -> None:
    assert words_of(one) != words_of(other)


@pytest.mark.parametrize("nothing", [None, "", " ", "…", "' '"])
def test_nothing_is_no_words(nothing: str | None) -> None:
    assert words_of(nothing) == []


@given(st.integers(0, 9_999_999))
def test_a_number_in_words_is_the_number_in_digits(number: int) -> None:
    assert words_of(in_words(number)) == words_of(f"{number:,}") == list(str(number))


@given(st.lists(st.integers(0, 99).map(str), min_size=1, max_size=6))
def test_digit_groups_are_the_same_however_they_are_cut(groups: list[str]) -> None:
    assert words_of(" ".join(groups)) == words_of("-".join(groups)) == list("".join(groups))


@given(st.text(max_size=60))
def test_the_one_way_to_write_words_is_itself(text: str) -> None:
    words = words_of(text)
    assert words_of(" ".join(words)) == words


WORDS = st.lists(st.sampled_from("abc"), max_size=8)


@given(WORDS, WORDS)
def test_errors_are_a_distance(one: list[str], other: list[str]) -> None:
    errors = word_errors(one, other)
    assert errors == word_errors(other, one)
    assert abs(len(one) - len(other)) <= errors <= max(len(one), len(other))
    assert (errors == 0) == (one == other)


@given(WORDS, st.integers(0, 8), st.sampled_from("abc"))
def test_one_more_word_is_one_error(words: list[str], place: int, word: str) -> None:
    assert word_errors(words, [*words[:place], word, *words[place:]]) == 1


def in_words(number: int) -> str:
    """Return a number below ten million as it is read aloud."""
    for scale, name in ((1_000_000, "million"), (1_000, "thousand"), (100, "hundred")):
        if number >= scale:
            rest = f" {in_words(number % scale)}" if number % scale else ""
            return f"{in_words(number // scale)} {name}{rest}"
    if number < 20:
        return SMALL[number]
    return TENS[number // 10 - 2] + (f" {SMALL[number % 10]}" if number % 10 else "")
