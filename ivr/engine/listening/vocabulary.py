"""The words by which a language says numbers, days, yes and no, in the form in which they are looked up."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property

from msgspec import Struct

_TOKEN = re.compile(r"\d+(?:[.,'’]\d+)*(?:[^\W\d_]+|[.º°ª]+)?|[^\W\d_]+|[^\w\s]|_")
_QUIET = frozenset('.,;!?¡¿"“”«»()…-–')
"Signs that say nothing between words."


class Vocabulary(Struct, frozen=True, dict=True, kw_only=True):
    """All that is understood in one language. Words are in small letters, several to a text where they go together."""

    cardinals: Callable[[int], Iterable[str]]
    "From 0 to 999."
    ordinals: Callable[[int], Iterable[str]]
    "From 1 to 999."
    scales: Mapping[str, int]
    "A thousand, a million."
    joins: frozenset[str]
    "May stand between the parts of a number, and between an amount's."
    point: frozenset[str]
    "Before a fraction."
    ordinal_endings: frozenset[str]
    "After figures: `24th`."
    repeats: Mapping[str, int]
    "`double five`."
    majors: frozenset[str]
    "Euros and dollars."
    minors: frozenset[str]
    "Cents."
    months: Mapping[str, int]
    weekdays: Mapping[str, int]
    "From Monday, 0."
    days: Mapping[str, int]
    "Days from today on, several words to a name without spaces: `dayaftertomorrow`."
    in_dates: frozenset[str]
    "May stand in a date and mean nothing: `the 24th of`."
    fillers: frozenset[str]
    "May stand anywhere and mean nothing: `please`."
    yes: frozenset[str]
    "As `no`: whole answers, several words to a name without spaces."
    no: frozenset[str]
    apostrophe: str = " "
    "What an apostrophe becomes."

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Return every number below 1,000 by its words, written without spaces."""
        return {compact(words): number for number in range(1_000) for words in self.cardinals(number)}

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Return every place in a row below 1,000 by its words, written without spaces."""
        return {compact(words): number for number in range(1, 1_000) for words in self.ordinals(number)}

    def tokens(self, words: str) -> list[str]:
        """Divide what was heard into words, figures and signs that mean something."""
        return [token for token in self._tokens(words) if token not in self.fillers]

    def _tokens(self, words: str) -> Iterator[str]:
        plain = re.sub(r"(?<=[^\W\d_])['’]", self.apostrophe, folded(words))
        plain = re.sub(r"(?<!\S)[-−](?=\d)", "minus ", plain)
        for found in _TOKEN.finditer(plain):
            token = found[0]
            if token[0].isdigit():
                yield token
            elif token not in _QUIET:
                yield from self.divided(token)

    def divided(self, word: str) -> Iterable[str]:
        """Divide a word where one language writes several as one."""
        if word in self.numbers or word in self.places:
            return (word,)
        found = next(((scale, at) for scale in self.scales if (at := word.find(scale)) >= 0), None)
        if found is None or word == found[0]:
            return (word,)
        scale, at = found
        return tuple(part for part in (word[:at], scale, word[at + len(scale) :]) if part)


def folded(text: str) -> str:
    """Return a text in small letters, composed, with ordinary spaces."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def compact(words: str) -> str:
    """Return words without what stands between them."""
    return re.sub(r"[\s'’-]+", "", folded(words))
