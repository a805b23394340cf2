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
    """Return the known word that `word` is certainly a mistake of: the only one that is like it; None: there is none.

    Two that differ in the case of their letters are two.
    """
    names = list(islice(known, MOST + 1))
    if len(word) > LONGEST or len(names) > MOST:
        return None
    lower = [name.lower() for name in names]
    like_it = get_close_matches(word.lower(), lower, n=2, cutoff=CLOSE_ENOUGH)
    return names[lower.index(like_it[0])] if len(like_it) == 1 else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Make a suggestion out of the nearest word; empty: there is none."""
    found = nearest(word, known)
    return f'Did you mean "{found}"?' if found else ""
