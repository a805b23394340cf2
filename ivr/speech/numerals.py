"""Numbers as they are said and as they are written: `seat fourteen b` and `Seat 14B` are one phrase; pure, English.

An author writes one, a speech engine the other. Other languages pass through as they are, but for words that they
share with English.
"""

import re

from ivr.engine.utterance import as_heard

_UP_TO_NINETEEN = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh"),
    *("twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"),
    *("twentieth", "thirtieth"),
)
_NUMBERS = {word: number for number, word in enumerate(_UP_TO_NINETEEN)} | {
    word: 10 * number for number, word in enumerate(_TENS, 2)
}
_PLACES = {word: number for number, word in enumerate(_ORDINALS[:20], 1)} | {"thirtieth": 30}
_TITLES = {"dr": "doctor", "mr": "mister", "mrs": "missus"}

_LETTER_BESIDE_DIGIT = re.compile(r"(?<=\d)(?=[a-z])(?!(?:st|nd|rd|th)\b)|(?<=[a-z])(?=\d)")
_TWENTY_TWO = re.compile(rf"\b({'|'.join(_TENS)}) ({'|'.join((*_UP_TO_NINETEEN[1:10], *_ORDINALS[:9]))})\b")


def in_digits(text: str) -> str:
    """Return words as they sound (`as_heard`), with the numbers in them as digits, and letters apart from digits.

    `Monday at ten thirty a m` and `monday, 10:30 AM` both have `1030 am`; digits said one by one are joined.
    """
    words = _LETTER_BESIDE_DIGIT.sub(" ", as_heard(text))
    words = _TWENTY_TWO.sub(lambda found: _joined(found[1], found[2]), words)
    words = " ".join(map(_in_digits, words.split()))
    return re.sub(r"\b([ap]) m\b", r"\1m", re.sub(r"(?<=\d) (?=\d)", "", words))


def in_writing(phrase: str) -> str:
    """Return a phrase as a writer puts it: `Sunday at 10:30 a.m.`, `Seat 14B`, `July 4th`, `Dr. miller`."""
    words = re.sub(r"\b(\d{1,2})(\d\d) (?=[ap]m\b)", r"\1:\2 ", in_digits(phrase))
    words = re.sub(r"\b([ap])m\b", r"\1.m.", words)
    words = re.sub(r"\b(\d+) ([a-z])\b(?!\.)", lambda found: found[1] + found[2].upper(), words)
    words = re.sub(r"\b([a-z]) (\d+)\b", lambda found: found[1].upper() + found[2], words)
    words = words.replace("doctor ", "Dr. ")
    return words[:1].upper() + words[1:]


def _joined(tens: str, ones: str) -> str:
    if ones in _NUMBERS:
        return str(_NUMBERS[tens] + _NUMBERS[ones])
    return _place(_NUMBERS[tens] + _PLACES[ones])


def _in_digits(word: str) -> str:
    if word in _NUMBERS:
        return str(_NUMBERS[word])
    return _place(_PLACES[word]) if word in _PLACES else _TITLES.get(word, word)


def _place(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number not in (11, 12, 13) else "th"
    return f"{number}{ending}"
