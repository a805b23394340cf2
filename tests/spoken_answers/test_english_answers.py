"""What callers say in English, and the keys that mean the same (`ask`, LANGUAGE C4)."""

from datetime import date

import pytest

from ivr.engine.spoken_answers import is_understood, understood

TODAY = date(2026, 11, 24)
NUMBERS = [
    ("twenty three", "23"),
    ("Twenty-three.", "23"),
    ("four two seven", "427"),
    ("oh five", "05"),
    ("zero, five", "05"),
    ("double five six", "556"),
    ("triple zero", "000"),
    ("one hundred and five", "105"),
    ("a hundred", "100"),
    ("hundred", "100"),
    ("two thousand and six", "2006"),
    ("a thousand and one", "1001"),
    ("three thousand two", "3002"),
    ("twothousand", "2000"),
    ("two thousandth", None),
    ("one million two hundred thousand and one", "1200001"),
    ("5 million", "5000000"),
    ("nineteen eighty five", "1985"),
    ("forty two seventeen", "4217"),
    ("555-0123", "5550123"),
    ("1,204.5", "1204*5"),
    ("1,204", "1204"),
    ("12.50", "12*50"),
    ("12,50", "12*50"),
    ("twelve point five", "12*5"),
    ("three point one four", "3*14"),
    ("point five", "*5"),
    ("12 point 5 please", "12*5"),
    ("twelve euros and fifty cents", "12*50"),
    ("twelve dollars fifty", "12*50"),
    ("one pound five pence", "1*05"),
    ("50 cents", "0*50"),
    ("$12.50", "12*50"),
    ("12.50 euros", "12*50"),
    ("twelve euros", "12"),
    ("third", "3"),
    ("the 21st", None),
    ("21st", "21"),
    ("uh, it's 42", "42"),
    ("", None),
    ("hello", None),
    ("a", None),
    ("not that one, twelve", None),
    ("minus five", None),
    ("-12", None),
    ("five and six", None),
    ("12h", None),
    ("double eleven", None),
    ("double", None),
    ("twelve point", None),
    ("twelve point 1.5", None),
    ("1.5 2", None),
    ("12 euros 500", None),
    ("12 cents 5", None),
    ("12.5 cents", None),
    ("one two three four five six seven eight nine ten " * 4, None),
    ("five " * 100, None),
]
DATES = [
    ("November twenty fourth", "24112026"),
    ("the 24th of November", "24112026"),
    ("the 23rd of November", "23112027"),
    ("24 November 2027", "24112027"),
    ("Tuesday, November 24", "24112026"),
    ("December 24, 1985", "24121985"),
    ("December twenty-fourth nineteen eighty five", "24121985"),
    ("December the twenty fourth, eighty five", "24121985"),
    ("May 1st two thousand and six", "01052006"),
    ("november 24 30", "24112030"),
    ("11/24/2026", "24112026"),
    ("11/12/2026", "12112026"),
    ("24.11.2026", "24112026"),
    ("2026-11-24", "24112026"),
    ("eleven twenty four", "24112026"),
    ("today", "24112026"),
    ("tomorrow", "25112026"),
    ("the day after tomorrow", "26112026"),
    ("Tuesday", "01122026"),
    ("next Friday", "27112026"),
    ("Feb 29", "29022028"),
    ("February 30", None),
    ("Monday, November 24", None),
    ("November", None),
    ("24", None),
    ("24 24 November", None),
    ("24 November and so on", None),
    ("24.5 November", None),
    ("November 24 185", None),
    ("99/99/2026", None),
    ("yes", None),
]
YES = ["Yes.", "yes, please", "Yeah", "That's right!", "that’s correct", "OK", "yes that is right", "of course"]
NO = ["No.", "no thanks", "nope", "that is not right", "no, that's wrong", "not at all"]
NEITHER = ["", "I don't know", "yes no", "yes, but I have a question", "maybe", "1"]


@pytest.mark.parametrize(("words", "keys"), NUMBERS)
def test_a_number_is_understood(words: str, keys: str | None) -> None:
    assert understood(words, "number", "en-US") == keys


@pytest.mark.parametrize(("words", "keys"), DATES)
def test_a_date_is_understood(words: str, keys: str | None) -> None:
    assert understood(words, "date", "en-US", today=TODAY) == keys


def test_in_britain_the_day_comes_first() -> None:
    assert understood("11/12/2026", "date", "en-GB") == "11122026"
    assert understood("12/25/2026", "date", "en-GB") == "25122026"


@pytest.mark.parametrize(
    ("format_", "keys"), [("ddmmyyyy", "24112026"), ("mmddyyyy", "11242026"), ("yyyymmdd", "20261124")]
)
def test_a_date_has_the_keys_of_its_variables_format(format_: str, keys: str) -> None:
    assert understood("November 24, 2026", "date", "en", format_=format_) == keys


@pytest.mark.parametrize("words", ["November 24", "tomorrow", "Tuesday", "November 24, 85"])
def test_without_today_a_date_needs_its_year(words: str) -> None:
    assert understood(words, "date", "en") is None


@pytest.mark.parametrize("words", YES)
def test_yes_is_the_key_1(words: str) -> None:
    assert understood(words, "yesno", "en-US") == "1"


@pytest.mark.parametrize("words", NO)
def test_no_is_the_key_2(words: str) -> None:
    assert understood(words, "yesno", "en-US") == "2"


@pytest.mark.parametrize("words", NEITHER)
def test_what_is_neither_is_asked_again(words: str) -> None:
    assert understood(words, "yesno", "en-US") is None


def test_a_language_without_a_vocabulary_understands_nothing() -> None:
    assert understood("uno", "number", "it-IT") is None
    assert [is_understood(tag) for tag in ("en", "de-AT", "FR-fr", "es-419", "it-IT")] == [
        True,
        True,
        True,
        True,
        False,
    ]
