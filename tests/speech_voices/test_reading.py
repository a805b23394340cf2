"""What hibari is given to read: words where it misreads signs and numbers, and sentences that it can take."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.engine.commands import Text
from ivr.engine.expressions.forms.english import ENGLISH
from ivr.speech.voices.hibari.reading import LETTER_A, LONGEST, LONGEST_WORD, has_foreign_letters, readable, sentences
from ivr.speech.wording import DATES

A = LETTER_A


def read(value: str, *, language: str = "en-US", say_as: str | None = None) -> str:
    return readable(Text(value, "female", language, say_as))


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("$12.50", "12 dollars and 50 cents"),
        ("$12.5", "12 dollars and 50 cents"),
        ("$1,284.50", "1,284 dollars and 50 cents"),
        ("$1.01", "1 dollar and 1 cent"),
        ("$5.00", "5 dollars"),
        ("$0.05", "5 cents"),
        ("$0", "0 dollars"),
        ("-$5.00", "minus 5 dollars"),
        ("$-5", "minus 5 dollars"),
        ("$1284", "1,284 dollars"),
        ("$1.005", "1.005 dollars"),
        ("$1.5 million", "$1.5 million"),
        ("£3.99", "3 pounds and 99 pence"),
        ("£0.01", "1 penny"),
        ("12.50 €", "12 euros and 50 cents"),
        ("12,50 €", "12 euros and 50 cents"),
        ("1.234,56 €", "1,234 euros and 56 cents"),
        ("EUR 12.50", "12 euros and 50 cents"),
        ("12.50 USD", "12 dollars and 50 cents"),
        ("12.50 dollars", "12 dollars and 50 cents"),
        ("12.5 dollars", "12.5 dollars"),
        ("between $5 and $7.50.", "between 5 dollars and 7 dollars and 50 cents."),
    ],
)
def test_money(written: str, words: str) -> None:
    assert read(written) == words


@pytest.mark.parametrize(
    ("written", "in_america", "elsewhere"),
    [
        ("3/4/2026", "March 4th, 2026", "April 3rd, 2026"),
        ("03/04/26", "March 4th, 2026", "April 3rd, 2026"),
        ("03/04/98", "March 4th, 1998", "April 3rd, 1998"),
        ("05/06", "May 6th", "June 5th"),
        ("24/12/2026", "24/12/2026", "December 24th, 2026"),
        ("24.12.2026", "December 24th, 2026", "December 24th, 2026"),
        ("2026-12-24", "December 24th, 2026", "December 24th, 2026"),
        ("12/2026", "December 2026", "December 2026"),
        ("2026-12", "December 2026", "December 2026"),
        ("2026-2027", "2026-2027", "2026-2027"),
        ("3/4", "3/4", "3/4"),
        ("24/7", "24 7", "24 7"),
        ("July 4, 1776", "July 4, 1776", "July 4, 1776"),
        ("November 2026", "November 2026", "November 2026"),
    ],
)
def test_dates_are_read_in_the_order_of_the_country(written: str, in_america: str, elsewhere: str) -> None:
    assert (read(written), read(written, language="en")) == (in_america, in_america)
    assert read(written, language="en-GB") == elsewhere


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("9:40 AM", "9:40 AM"),
        ("at 9am.", "at 9 AM."),
        ("at 9 a.m. or 5 p.m.", "at 9 AM or 5 PM."),
        ("at 9 a.m. Then call.", "at 9 AM. Then call."),
        ("9 to 5 p m", "9 to 5 PM"),
        ("9am-5pm", "9 AM to 5 PM"),
        ("9:00 AM – 5:00 PM", "9:00 AM to 5:00 PM"),
        ("9:00-17:00", "9:00 to 17 hundred"),
        ("15:00", "15 hundred"),
        ("15:07", "15:07"),
        ("Mon-Fri", "Monday to Friday"),
        ("Tues. – Sat.", "Tuesday to Saturday"),
        ("Monday–Friday", "Monday to Friday"),
    ],
)
def test_times(written: str, words: str) -> None:
    assert read(written) == words


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("1204", "1,204"),
        ("1,204.5", "1,204.5"),
        ("1204.50", "1,204.50"),
        ("-1204", "-1,204"),
        ("1999", "1999"),
        ("since 1848", "since 1848"),
        ("12345678", "1 2 3 4 5 6 7 8"),
        ("007", "0 0 7"),
        ("press 1,2 or 3", "press 1, 2 or 3"),
        ("9" * 20, " ".join("9" * 20)),
        ("1" * 16 + ".5", " ".join("1" * 16) + ".5"),
        ("+43 1 23456", "plus 4 3, 1, 2 3 4 5 6"),
        ("+15550100", "plus 1 5 5 5 0 1 0 0"),
        ("1-800-555-0199", "1, 8 0 0, 5 5 5, 0 1 9 9"),
        ("(555) 123-4567", "5 5 5, 1 2 3, 4 5 6 7"),
        ("0800 123 456", "0 8 0 0, 1 2 3, 4 5 6"),
        ("10-12", "10-12"),
        ("flight LH123", "flight L H 1 2 3"),
        ("order A4-77", f"order {A} 4, 7 7"),
        ("25 kg", "25 kg"),
        ("50%", "50%"),
        ("4th", "4th"),
        ("4-digit", "4-digit"),
        ("٣٤", "34"),
    ],
)
def test_numbers_and_codes(written: str, words: str) -> None:
    assert read(written) == words


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("A B C 1", f"{A} B C 1"),
        ("W A B E R", f"W {A} B E R"),
        ("Plan A, please.", f"Plan {A}, please."),
        ("Plan A is cheap.", f"Plan {A} is cheap."),
        ("A caller. A 4 digit code.", "A caller. A 4 digit code."),
        ("A 4", f"{A} 4"),
        ("PRESS A KEY", "PRESS A KEY"),
        ("Press * or #.", "Press star or pound."),
        ("*1 or 1#", "star 1 or 1 pound"),
        ("#1", "#1"),
        ("Write to ann.lee@example.com.", "Write to ann dot lee at example dot com."),
        ("See www.example.com/a-b.", "See W W W dot example dot com slash a dash b."),
        ("See https://example.test.", "See example dot test."),
        ("e.g. this, i.e. that", "for example, this, that is, that"),
        ("ext. 12", "extension 12"),
        ("<b>Hello</b> you &", "Hello you &"),
        ("5 < 6", "5 < 6"),
        ("Hello 😀, you 👍🏽 1️⃣", "Hello, you 1"),
        ("a\x00b\ud800c\u200bd", "a b cd"),
        ("[Hello](/x/)", "[Hello] (/x/)"),
        ("Stop!!! Why????", "Stop! Why?"),
        ("Straße, Ærø", "Strasse, Aero"),
        ("", ""),
    ],
)
def test_signs_and_letters(written: str, words: str) -> None:
    assert read(written) == words


@pytest.mark.parametrize(
    ("value", "say_as", "words"),
    [
        ("12345678", "cardinal", "12,345,678"),
        ("1776", "year", "1776"),
        ("ab 1a", "letters", f"{A}, B, 1, {A}"),
        ("15:07", "time12", "3 oh 7 PM"),
        ("1776-07-04", "yearMonthDay", "July 4th, 1776"),
        ("+1 555-0100", "telephone", "plus 1, 5 5 5, 0 1 0 0"),
        ("21", "ordinal", "21st"),
    ],
)
def test_what_a_text_is_said_to_be(value: str, say_as: str, words: str) -> None:
    assert read(value, say_as=say_as) == words


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("Hello. Press 1! Or 2? Yes…", ["Hello.", "Press 1!", "Or 2?", "Yes…"]),
        ("Dr. Smith and Mr. J. Doe. Bye.", ["Dr. Smith and Mr. J. Doe.", "Bye."]),
        ("approx. five. then six.", ["approx. five. then six."]),
        ('He said "Stop!" And left.', ['He said "Stop!"', "And left."]),
        ("... !", []),
        ("x" * 90, ["x" * 40 + " " + "x" * 40 + " " + "x" * 10]),
    ],
)
def test_sentences(written: str, parts: list[str]) -> None:
    assert list(sentences(Text(written, "female", "en"))) == parts


def test_a_long_sentence_is_cut_at_a_comma_or_else_between_words() -> None:
    long = "and another " * 20 + "one, " + "and another " * 20
    first, second = sentences(Text(long.strip(), "female", "en"))
    assert first.endswith("one,")
    assert f"{first} {second}" == long.strip()


@pytest.mark.parametrize(
    ("text", "foreign"),
    [("Café Müller, Straße Łódź", False), ("Привет", True), ("你好 and hello", True), ("12 € 😀", False)],
)
def test_letters_that_hibari_does_not_know(text: str, foreign: bool) -> None:
    assert has_foreign_letters(text) is foreign


@given(
    st.datetimes().flatmap(
        lambda at: st.sampled_from(
            [ENGLISH.long_date(at), ENGLISH.moment(at), ENGLISH.time_of_day(at), ENGLISH.short_date(at)]
        )
    )
    | st.integers(-(10**15) + 1, 10**15 - 1).map(ENGLISH.number)
    | st.decimals(-(10**12), 10**12, places=2).map(ENGLISH.number)
    | st.integers(0, 86_400_000 - 1).map(ENGLISH.duration)
    | st.integers(1, 999).map(ENGLISH.ordinal)
    | st.integers(0, 10**9).map(lambda key: ENGLISH.digits(f"{key}*#"))
    | st.text("BCXYZ19", min_size=1, max_size=12).map(ENGLISH.spell)
)
def test_what_filters_write_is_read_as_it_stands(words: str) -> None:
    assert read(words) == words
    assert read(words, language="en-GB") == words


WRITTEN = st.text(max_size=1000) | st.text(st.sampled_from("A1290 ,.-/:+#*$€()apmAP<>[]\n"), max_size=300)


@given(WRITTEN, st.sampled_from(["en-US", "en-GB", "de-DE"]), st.sampled_from([None, "letters", "cardinal", *DATES]))
def test_any_text_becomes_sentences_that_hibari_can_take(value: str, language: str, say_as: str | None) -> None:
    for sentence in sentences(Text(value, "female", language, say_as)):
        assert 0 < len(sentence) <= LONGEST
        assert all(len(word) <= LONGEST_WORD for word in sentence.split())
        assert not re.search(r"\d{16}", sentence)
        assert sentence.count("](") == sentence.count(LETTER_A)
