"""The word that was probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

CLOSE_ENOUGH = 0.6
"difflib's ratio from which one word may be a mistake of the other."
LONGEST = 60
"Longer words are no mistakes, and comparing them takes long."
MOST = 200
"Words that are compared; of more, the rest goes without."


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most like `word`, the case of letters ignored; None: none is like it."""
    if len(word) > LONGEST:
        return None
    by_lower = {name.lower(): name for name in islice(known, MOST) if len(name) <= LONGEST}
    found = get_close_matches(word.lower(), by_lower, n=1, cutoff=CLOSE_ENOUGH)
    return by_lower[found[0]] if found else None


def only_near(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that was certainly meant; None: no word is near, or two are.

    That is the only one that is one mistyped letter away, or else the only one that is like it at all. Words that
    differ in the case of their letters are two.
    """
    names = list(islice(known, MOST + 1))
    if len(word) > LONGEST or len(names) > MOST:
        return None
    lower = [name.lower() for name in names]
    like_it = [name for name in lower if _one_letter_away(word.lower(), name)]
    like_it = like_it or get_close_matches(word.lower(), lower, n=2, cutoff=CLOSE_ENOUGH)
    return names[lower.index(like_it[0])] if len(like_it) == 1 else None


def _one_letter_away(one: str, other: str) -> bool:
    """Return whether a letter too many, missing, or wrong, or two in the wrong order, make one word of the other."""
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    return max(len(one), len(other)) <= 1 or (len(one) == 2 and one == other[::-1])


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Make a suggestion out of the nearest word; empty: there is none."""
    found = nearest(word, known)
    return f'Did you mean "{found}"?' if found else ""
