"""Numbers as they are said and as they are written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.speech.numerals import in_digits, in_writing


@pytest.mark.parametrize(
    ("words", "digits", "written"),
    [
        ("seven", "7", "7"),
        ("seat fourteen b", "seat 14 b", "Seat 14B"),
        ("Seat 14B.", "seat 14 b", "Seat 14B"),
        ("room two zero five", "room 205", "Room 205"),
        ("Sunday at ten thirty a m", "sunday at 1030 am", "Sunday at 10:30 a.m."),
        ("Sunday at 1030am.", "sunday at 1030 am", "Sunday at 10:30 a.m."),
        ("sunday, 10:30 A.M.", "sunday 1030 am", "Sunday 10:30 a.m."),
        ("two p m", "2 pm", "2 p.m."),
        ("d four", "d 4", "D4"),
        ("July fourth", "july 4th", "July 4th"),
        ("april twenty second", "april 22nd", "April 22nd"),
        ("the eleventh, twelfth and thirteenth", "the 11th 12th and 13th", "The 11th 12th and 13th"),
        ("december thirty first", "december 31st", "December 31st"),
        ("may thirtieth", "may 30th", "May 30th"),
        ("forty two", "42", "42"),
        ("forty zero", "400", "400"),
        ("Dr. Miller", "doctor miller", "Dr. miller"),
        ("sales", "sales", "Sales"),
        ("", "", ""),
    ],
)
def test_numbers_become_digits(words: str, digits: str, written: str) -> None:
    assert in_digits(words) == digits
    assert in_writing(words) == written


@settings(max_examples=50)
@given(st.text(max_size=40))
def test_what_is_in_digits_stays_as_it_is(words: str) -> None:
    digits = in_digits(words)
    assert in_digits(digits) == digits
