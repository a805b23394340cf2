"""From a phrase as an author writes it to the words that a caller says."""

import re
import unicodedata

_DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SIGNS = {"&": " and ", "+": " plus ", "%": " percent ", "@": " at "}
_TOKEN = re.compile(r"(?:[a-z]\.)+[a-z]?\b\.?|[a-z']+|[0-9]+")


def spoken(phrase: str) -> tuple[str, ...]:
    """Return the words of a phrase in small letters a to z and apostrophes; letters read one by one end in a dot.

    `Flight 42, 9 a.m.` is `flight forty two nine a. m.`. Empty: nobody can say that.
    """
    plain = "".join(_SIGNS.get(sign, sign) for sign in _without_accents(phrase).lower().replace("’", "'"))
    words: list[str] = []
    for token in _TOKEN.findall(plain):
        if token[0].isdigit():
            words += _number(token)
        elif "." in token:
            words += [f"{letter}." for letter in token if letter != "."]
        elif word := token.strip("'"):
            words.append(word)
    return tuple(words)


def lost(phrase: str) -> str:
    """Return the letters and pictures of a phrase that become no sound, each once; the rest is understood."""
    plain = _without_accents(phrase).lower()
    unheard = (sign for sign in plain if not sign.isascii() and (sign.isalnum() or unicodedata.category(sign) == "So"))
    return "".join(dict.fromkeys(unheard))


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def _number(digits: str) -> list[str]:
    """Read a number up to 99 as one, and anything longer, or with a zero in front, digit by digit."""
    value = int(digits)
    if len(digits) > 2 or value < 10:
        return [_DIGITS[int(digit)] for digit in digits]
    if value < 20:
        return [_TEENS[value - 10]]
    tens, ones = divmod(value, 10)
    return [_TENS[tens - 2], *([_DIGITS[ones]] if ones else [])]
