"""Numbers that were said: "twenty three", "four two double five", "12,50", "twelve euros and fifty cents".

What belongs together becomes one number, as "two hundred and five" does; what does not stands side by side, as the
digits of a telephone number do: "forty two seventeen" is 4217.
"""

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from ivr.engine.expressions.forms.language_forms import LanguageForms
from ivr.engine.listening.vocabulary import Vocabulary

LONGEST = 9
"Words of a number below 1,000, joins included."
_FIGURES = re.compile(r"(\d+(?:[.,'’]\d+)*)(\D*)")


class HeardNumber(Struct, frozen=True):
    """A number that was said, and where the words after it begin."""

    digits: str
    after: int
    fraction: str | None = None
    "Of figures with a point."
    ordinal: bool = False
    "It is a place in a row."


class NumberReader:
    """Reads the numbers in the words of one answer."""

    def __init__(self, tokens: Sequence[str], vocabulary: Vocabulary, forms: LanguageForms) -> None:
        self.tokens = tokens
        self._vocabulary = vocabulary
        self._forms = forms

    def word(self, place: int) -> str:
        """Return the word at a place; empty past the end."""
        return self.tokens[place] if place < len(self.tokens) else ""

    def number(self, place: int) -> HeardNumber | None:
        """Read the number that begins at a place; None: none does."""
        times = self._vocabulary.repeats.get(self.word(place))
        if times is not None:
            repeated = self.number(place + 1)
            one_digit = repeated is not None and len(repeated.digits) == 1 and repeated.fraction is None
            return HeardNumber(repeated.digits * times, repeated.after) if repeated and one_digit else None
        if self.word(place)[:1].isdigit():
            return self._figures(place)
        return self._words(place)

    def _figures(self, place: int) -> HeardNumber | None:
        found = _FIGURES.fullmatch(self.word(place))
        figures, ending = (found[1], found[2]) if found else ("", "")
        is_ordinal = ending in self._vocabulary.ordinal_endings
        if not figures or not (is_ordinal or ending in {"", "."}):
            return None
        whole, point, fraction = self._divided(figures)
        heard = HeardNumber(whole, place + 1, fraction if point else None, ordinal=is_ordinal)
        return self._scaled(heard) if not point else heard

    def _divided(self, figures: str) -> tuple[str, str, str]:
        """Divide figures at their point; what cannot be a sign between thousands is one, too."""
        signs = re.escape("".join({self._forms.group, "'", "’"} - {self._forms.point}))
        point = re.escape(self._forms.point)
        if re.fullmatch(rf"\d{{1,3}}(?:[{signs}]\d{{3}})+(?:{point}\d+)?", figures):
            whole, point, fraction = figures.partition(self._forms.point)
        else:
            whole, point, fraction = re.sub("[,'’]", ".", figures).partition(".")
        return re.sub(r"\D", "", whole), point, re.sub(r"\D", "", fraction)

    def _scaled(self, heard: HeardNumber) -> HeardNumber:
        """Read `2 million` and `5 thousand`."""
        scale = self._vocabulary.scales.get(self.word(heard.after))
        return HeardNumber(str(int(heard.digits) * scale), heard.after + 1) if scale else heard

    def _words(self, place: int) -> HeardNumber | None:
        """Read a number in words: its millions, its thousands, the rest."""
        total, start, limit, place_in_row = 0, place, 10**9, False
        while True:
            begin = self._after_join(place, is_first=place == start)
            small, after = self._small(begin, self._vocabulary.numbers)
            scale = self._vocabulary.scales.get(self.word(after))
            if scale is not None and scale < limit:
                total, limit, place = total + (1 if small is None else small) * scale, scale, after + 1
                continue
            ordinal, after_ordinal = self._small(begin, self._vocabulary.places)
            if ordinal is not None and after_ordinal > after:
                small, after, place_in_row = ordinal, after_ordinal, True
            if small is not None and small < limit and (place == start or small):
                total, place = total + small, after
            return HeardNumber(str(total), place, ordinal=place_in_row) if place > start else None

    def _after_join(self, place: int, *, is_first: bool) -> int:
        """Pass over `and` inside a number, and `a` before a thousand."""
        after = place + 1
        goes_on = not is_first and self._small(after, self._vocabulary.numbers)[0] is not None
        is_joined = goes_on or self.word(after) in self._vocabulary.scales
        return after if is_joined and self.word(place) in self._vocabulary.joins else place

    def _small(self, place: int, numbers: Mapping[str, int]) -> tuple[int | None, int]:
        """Read a number below 1,000: the longest run of words that is one; and the place after it."""
        for end in range(min(place + LONGEST, len(self.tokens)), place, -1):
            number = numbers.get("".join(self.tokens[place:end]))
            if number is not None:
                return number, end
        return None, place

    def run(self, place: int) -> tuple[list[HeardNumber], int]:
        """Read all numbers from a place on that follow each other."""
        found: list[HeardNumber] = []
        while (heard := self.number(place)) is not None:
            found.append(heard)
            place = heard.after
        return found, place


def number_said(tokens: Sequence[str], vocabulary: Vocabulary, forms: LanguageForms) -> str | None:
    """Return the keys of a number or an amount: its digits, `*` for the point; None: something else was said."""
    reader = NumberReader(tokens, vocabulary, forms)
    whole, place = reader.run(1 if reader.word(0) in vocabulary.majors else 0)  # $12.50
    if any(heard.fraction is not None for heard in whole[:-1]):
        return None
    digits = "".join(heard.digits for heard in whole)
    fraction = whole[-1].fraction if whole else None
    if fraction is None and reader.word(place) in vocabulary.point:
        after, place = reader.run(place + 1)
        fraction = "".join(heard.digits for heard in after)
        if not after or any(heard.fraction is not None for heard in after):
            return None
    elif fraction is None and digits:
        return _amount(reader, digits, place, vocabulary)
    place += reader.word(place) in vocabulary.majors
    if place < len(tokens) or not (digits or fraction):
        return None
    return digits if fraction is None else f"{digits}*{fraction}"


def _amount(reader: NumberReader, digits: str, place: int, vocabulary: Vocabulary) -> str | None:
    """Read on after the digits of an amount: `euros and 50 cents`, `cents`, or nothing."""
    if reader.word(place) in vocabulary.minors and len(digits) <= 2:
        digits, minor, place = "", digits, place + 1
    else:
        is_amount = reader.word(place) in vocabulary.majors
        place += is_amount
        place += is_amount and reader.word(place) in vocabulary.joins
        minors, place = reader.run(place) if is_amount else ([], place)
        minor = "".join(heard.digits for heard in minors)
        place += bool(minor) and reader.word(place) in vocabulary.minors
    if place < len(reader.tokens) or len(minor) > 2:
        return None
    return f"{digits or '0'}*{minor:0>2}" if minor else digits
