"""How much room words need, about: pictures are made without knowing the font, so every letter gets enough."""

import re
from collections.abc import Iterator, Sequence
from math import sqrt
from unicodedata import east_asian_width

_NARROW, _BROAD = frozenset(" !'(),.:;I[]ijl|ft"), frozenset("@MWmw%")
LINE, LONGEST_LINE = 22, 48
"Letters of a line of a label: of a short label, and of the longest."

_PIECES = re.compile(r"[^\s_.,/-]*[_.,/-]*\s*")
"What stays together: a word with what ends it."


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Return the room for a text in letters of this size, in pixels."""
    return sum(map(_share, text)) * size * (1.12 if bold else 1.0)


def _share(letter: str) -> float:
    if east_asian_width(letter) in "WF":
        return 1.05
    if letter in _NARROW:
        return 0.42
    return 1.0 if letter in _BROAD else 0.72 if letter.isupper() else 0.64


def lines_of(words: Sequence[str]) -> tuple[str, ...]:
    """Put words, joined by commas, into lines: the more there is to read, the longer they are. Nothing is left out."""
    whole = ", ".join(words)
    return tuple(_lines(whole, min(LONGEST_LINE, max(LINE, round(sqrt(4 * len(whole)))))))


def _lines(text: str, longest: int) -> Iterator[str]:
    line = ""
    for piece in _PIECES.findall(text):
        if line and len((line + piece).rstrip()) > longest:
            yield line.rstrip()
            line = ""
        line += piece
        while len(line.rstrip()) > longest:  # one word that is longer than a line
            yield line[:longest]
            line = line[longest:]
    if line.strip():
        yield line.rstrip()
