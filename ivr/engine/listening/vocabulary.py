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
    "From 0 to 999, and up to 1999 what is said by its hundreds."
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
    "Days from today on: `day after tomorrow`."
    in_dates: frozenset[str]
    "May stand in a date and mean nothing: `the 24th of`."
    fillers: frozenset[str]
    "May stand anywhere and mean nothing: `please`."
    yes: frozenset[str]
    "Answers, of one word or several; one can follow another: `yes, of course`."
    no: frozenset[str]
    apostrophe: str = " "
    "What an apostrophe becomes."

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Return every number below 2,000 that is said without its thousands, by its words without spaces."""
        return {compact(words): number for number in range(2_000) for words in self.cardinals(number)}

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Return every place in a row below 1,000 by its words, written without spaces."""
        return {compact(words): number for number in range(1, 1_000) for words in self.ordinals(number)}

    @cached_property
    def answers(self) -> Mapping[str, bool]:
        """Return what means yes, true, and no, false: by its words without spaces."""
        both = ((self.yes, True), (self.no, False))
        return {"".join(self.tokens(phrase)): meaning for phrases, meaning in both for phrase in phrases}

    @cached_property
    def calendar_days(self) -> Mapping[str, int]:
        """Return the days from today on, by their words without spaces."""
        return {compact(words): ahead for words, ahead in self.days.items()}

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
        if word in self.scales or word in self.numbers or word in self.places:
            return (word,)
        found = next(((scale, at) for scale in self.scales if (at := word.find(scale)) >= 0), None)
        if found is None:
            return (word,)
        scale, at = found
        rest = word[at + len(scale) :]
        join = next((join for join in self.joins if rest.startswith(join) and len(rest) > len(join)), "")
        return tuple(part for part in (word[:at], scale, join, rest.removeprefix(join)) if part)


def folded(text: str) -> str:
    """Return a text in small letters without accents, which speech engines forget, with ordinary spaces."""
    letters = unicodedata.normalize("NFD", text).casefold()
    plain = "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")
    return " ".join(plain.split())


def words(text: str) -> frozenset[str]:
    """Return the words of a text, in the form in which they are looked up."""
    return frozenset(folded(text).split())


def phrases(text: str) -> frozenset[str]:
    """Return what stands between the commas of a text."""
    return frozenset(phrase.strip() for phrase in text.split(","))


def named(names: Iterable[str], first: int) -> Mapping[str, int]:
    """Return names with their numbers, in the form in which they are looked up."""
    return {folded(name): number for number, name in enumerate(names, first)}


def compact(words: str) -> str:
    """Return words without what stands between them."""
    return re.sub(r"[\s'’-]+", "", folded(words))
