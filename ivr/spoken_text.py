"""A text as any line can be given it: without what nobody can say, and in pieces that are not too long."""

import re
from collections.abc import Callable, Iterator

_UNSPEAKABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"Control characters, and halves of pairs, which neither JSON nor XML can hold."
_SENTENCE_END = re.compile(r"""[.!?…]['"”’)\]]*\s""")


def speakable(text: str) -> str:
    """Return a text without what nobody can say and no format can hold, white space folded."""
    return " ".join(_UNSPEAKABLE.sub(" ", text).split())


def utf16_units(text: str) -> int:
    """Return how long a text is in UTF-16 units, as the limits of platforms mostly count."""
    return len(text) if text.isascii() else len(text) + sum(character > "\uffff" for character in text)


def divided(text: str, limit: int, *, size: Callable[[str], int] = utf16_units) -> Iterator[str]:
    """Divide a text into pieces of `limit` at most, as `size` counts: at sentence ends, else at spaces, else hard.

    No character may count less than 1, nor more than the limit.
    """
    while size(text[: limit + 1]) > limit:
        end = _end_of_piece(text, limit, size)
        yield text[:end]
        text = text[end:].lstrip()
    if text:
        yield text


def _end_of_piece(text: str, limit: int, size: Callable[[str], int]) -> int:
    fits = _fitting(text, limit, size)
    ends = [match.end() - 1 for match in _SENTENCE_END.finditer(text, 0, fits + 1)]
    if ends:
        return ends[-1]
    space = text.rfind(" ", 0, fits + 1)
    return space if space > 0 else fits


def _fitting(text: str, limit: int, size: Callable[[str], int]) -> int:
    """Return how many characters from the beginning are not too long together."""
    low, high = 1, limit
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if size(text[:middle]) <= limit else (low, middle - 1)
    return low
