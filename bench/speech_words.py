"""Counting wrong words fairly: two ways to write the same words become one before they are compared; pure.

Numbers are the hard part. One engine writes "10:30 a.m.", another "ten thirty a m", a third "ten 30 am": all of them
become `1 0 3 0 am`. Each digit is a word, so that "41 55", "4155" and "four one five five" are the same. It favours no
engine: the same is done to what was said and to what was understood.
"""

import re
from collections.abc import Iterator, Sequence

_UNITS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen"),
    *("sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = dict(
    zip(("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), range(20, 100, 10), strict=True)
)
_SMALL = {word: number for number, word in enumerate(("zero", *_UNITS, *_TEENS))}
_LARGE = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
_ORDINALS = (
    {f"{word}th": number for word, number in _SMALL.items()}
    | {f"{word[:-1]}ieth": ten for word, ten in _TENS.items()}
    | {"first": 1, "second": 2, "third": 3, "fifth": 5, "eighth": 8, "ninth": 9, "twelfth": 12}
)

_WRITTEN = tuple(
    (re.compile(pattern), spoken)
    for pattern, spoken in (
        (r"[\u2019`]", "'"),
        (r"(?<=\d),(?=\d{3}\b)", ""),
        (r"\$(\d+)(?:\.(\d\d)\b)?", lambda found: f"{found[1]} dollars {f'and {found[2]} cents' if found[2] else ''}"),
        (r"%", " percent "),
        (r"&", " and "),
        (r"\b(\d{1,2}):00\b", r"\1"),
        (r"(?<=\d)\.(?=\d)", " point "),
        (r"(?<=\d)(?=[ap]\.?m\b)", " "),
        (r"\bo'\s?clock\b", " "),
    )
)
"What is read aloud in one way, whichever way it is written."
_CONTRACTED = tuple(
    (re.compile(pattern), full)
    for pattern, full in (
        (r"\bcan'?t\b|\bcannot\b", "can not"),
        (r"\bwon't\b", "will not"),
        (r"n't\b", " not"),
        (r"'re\b", " are"),
        (r"'ve\b", " have"),
        (r"'ll\b", " will"),
        (r"\bi'm\b", "i am"),
        (r"'d\b", " would"),
        (r"\blet's\b", "let us"),
    )
)
"Those that stand for one thing. What ends in 's does not: is, has, or whose."
_ALIKE = {"mister": "mr", "missus": "mrs", "doctor": "dr", "saint": "st", "okay": "ok"}
_LETTERS_OF_THE_CLOCK = re.compile(r"\b([ap]) m\b")
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)")


def words_of(text: str | None) -> list[str]:
    """Return the words of a text in the one way to write them; None is no words."""
    plain = (text or "").lower()
    for pattern, spoken in (*_WRITTEN, *_CONTRACTED):
        plain = pattern.sub(spoken, plain)
    words = "".join(char if char.isalnum() or char == "'" else " " for char in plain).split()
    stripped = " ".join(filter(None, (word.strip("'") for word in words)))
    words = [_ALIKE.get(word, word) for word in _LETTERS_OF_THE_CLOCK.sub(r"\1m", stripped).split()]
    return list(_numbered(words))


def word_errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """Return how many words to insert, delete or replace turn one into the other (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for number, word in enumerate(said, 1):
        before, row[0] = row[0], number
        for place, other in enumerate(heard, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (word != other))
    return row[-1]


def _numbered(words: Sequence[str]) -> Iterator[str]:
    """Write numbers digit by digit, and ordinals as `3th`, so that "3rd" and "third" are the same."""
    place, after_number = 0, False
    while place < len(words):
        number, end = _number(words, place)
        if number is None and words[place] in {"o", "oh"}:
            before_number = end < len(words) and _number(words, end)[0] is not None
            number = "0" if after_number or before_number else None
        if number is None:
            ordinal = _ORDINAL.fullmatch(words[place])
            yield f"{ordinal[1]}th" if ordinal else words[place]
        elif number.isdecimal():
            yield from number
        else:
            yield number
        after_number, place = number is not None, end


def _number(words: Sequence[str], place: int) -> tuple[str | None, int]:
    """Return the number that begins here, in digits, and where it ends; None: a word that is no number."""
    word = words[place]
    following = words[place + 1] if place + 1 < len(words) else ""
    if word.isdecimal() and following not in _LARGE:
        return word, place + 1  # as it is written: a zero at its beginning was said
    if word in _ORDINALS:
        return f"{_ORDINALS[word]}th", place + 1
    if word in _TENS and following in _ORDINALS and _ORDINALS[following] < 10:
        return f"{_TENS[word] + _ORDINALS[following]}th", place + 2
    total, (part, end) = 0, _small(words, place)
    if part is None:
        return None, place + 1
    limit = _LARGE["million"] * 10
    while end < len(words) and words[end] in _LARGE:
        scale = _LARGE[words[end]]
        if scale >= limit or (scale == 100 and part >= 100):
            break
        if scale == 100:
            part *= 100
        else:
            total, part, limit = total + part * scale, 0, scale
        more, then = _small(words, end + 1 + (words[end + 1 : end + 2] == ["and"]))
        if more is None or (scale == 100 and words[then : then + 1] == ["hundred"]):  # three hundred, four hundred
            end += 1
        else:
            part, end = part + more, then
    return str(total + part), end


def _small(words: Sequence[str], place: int) -> tuple[int | None, int]:
    """Return a number below a hundred, or one in digits, and where it ends."""
    word = words[place] if place < len(words) else ""
    following = words[place + 1] if place + 1 < len(words) else ""
    if word == "a" and following in _LARGE:
        return 1, place + 1
    if word.isdecimal():
        return int(word), place + 1
    if word in _TENS:
        return (_TENS[word] + _SMALL[following], place + 2) if following in _UNITS else (_TENS[word], place + 1)
    return _SMALL.get(word), place + 1
