"""Telephone numbers in groups, as people say them: the writer's own groups, else country and threes."""

import re
from collections.abc import Sequence

_APART = re.compile(r"[\s()./–-]+")
_KEYS = re.compile(r"[^0-9A-Za-z+*#]")
_TWO_FIGURES = frozenset(
    {
        *("20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49"),
        *("51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84"),
        *("86", "90", "91", "92", "93", "94", "95", "98"),
    }
)
"Country codes of two figures (ITU-T E.164); 1 and 7 have one, all others three."
_LONG = 4
"Figures that are said in one go."


def grouped(text: str, pairs: bool = False) -> Sequence[str]:
    """Divide a number into what is said in one go; `pairs`: what nobody has divided is said two by two."""
    written = [keys for piece in _APART.split(text) if (keys := _KEYS.sub("", piece))]
    if len(written) > 1:
        return [part for piece in written for part in ([piece] if len(piece) <= _LONG + 1 else _threes(piece))]
    number = "".join(written)
    country = number[: _country(number)]
    divide = _twos if pairs and (country == "+33" or (not country and len(number) == 10)) else _threes
    return [part for part in (country, *divide(number[len(country) :])) if part]


def _country(number: str) -> int:
    """Return how many characters the country code has, its plus included; 0: there is none."""
    if not number.startswith("+"):
        return 0
    if number[1:2] in {"1", "7"}:
        return 2
    return 3 if number[1:3] in _TWO_FIGURES else 4


def _threes(figures: str) -> Sequence[str]:
    """Divide into threes, with two or four at the end: 3-3-4 for ten figures."""
    last = 3 * (max(0, len(figures) - 2) // 3)
    return [*(figures[start : start + 3] for start in range(0, last, 3)), figures[last:]]


def _twos(figures: str) -> Sequence[str]:
    odd = len(figures) % 2
    return [figures[:odd], *(figures[start : start + 2] for start in range(odd, len(figures), 2))]
