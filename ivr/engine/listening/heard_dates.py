"""Dates that were said: "the 24th of November", "November twenty fourth, eighty five", "24.11.2026", "tomorrow".

A date without a year is the next such day, today included; a weekday alone is the next one after today.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from ivr.engine.expressions.forms.language_forms import LanguageForms
from ivr.engine.listening.heard_numbers import HeardNumber, NumberReader
from ivr.engine.listening.vocabulary import Vocabulary

YEARS_AHEAD = 20
"A year of two figures lies at most so far ahead: what is later was in the last century."


class DateReader:
    """Reads one answer that is a date."""

    def __init__(
        self,
        tokens: Sequence[str],
        vocabulary: Vocabulary,
        forms: LanguageForms,
        *,
        month_first: bool,
        today: date | None,
    ) -> None:
        figures = [part for token in tokens for part in _divided(token)]
        kept = [token for token in figures if token not in vocabulary.in_dates]
        self._reader = NumberReader(kept, vocabulary, forms)
        self._vocabulary = vocabulary
        self._month_first = month_first
        self._today = today

    def day_said(self) -> date | None:
        """Return the day; None: something else was said, or there is no such day."""
        tokens, vocabulary = self._reader.tokens, self._vocabulary
        if (ahead := vocabulary.calendar_days.get("".join(tokens))) is not None:
            return self._today and self._today + timedelta(days=ahead)
        weekday = vocabulary.weekdays.get(self._reader.word(0))
        place = 0 if weekday is None else 1
        if weekday is not None and len(tokens) == 1:
            return self._next_weekday(weekday)
        before, place = self._reader.run(place)
        month = vocabulary.months.get(self._reader.word(place))
        after, place = self._reader.run(place + 1) if month else ([], place)
        if place < len(tokens) or any(heard.fraction is not None for heard in (*before, *after)):
            return None
        return self._agreeing(self._with_name(month, before, after) if month else self._numeric(before), weekday)

    def _next_weekday(self, weekday: int) -> date | None:
        return self._today and self._today + timedelta(days=(weekday - self._today.weekday() - 1) % 7 + 1)

    def _agreeing(self, day: date | None, weekday: int | None) -> date | None:
        """Return a day if it falls on the weekday that was said with it."""
        return day if day is None or weekday in {None, day.weekday()} else None

    def _with_name(self, month: int, before: Sequence[HeardNumber], after: Sequence[HeardNumber]) -> date | None:
        """Make a date whose month has its name: the day stands before it, or is the first number after it."""
        if len(before) > 1 or not (before or after):
            return None
        day, year = (before[0], after) if before else (after[0], after[1:])
        return self._made(int(day.digits), month, "".join(heard.digits for heard in year))

    def _numeric(self, numbers: Sequence[HeardNumber]) -> date | None:
        """Make a date of numbers alone: the year first, else in the order of the language, if there is such a day."""
        if len(numbers) < 2:
            return None
        first, second, *rest = (heard.digits for heard in numbers)
        if len(first) == 4 and len(rest) == 1:
            return self._made(int(rest[0]), int(second), first)
        year, usual = "".join(rest), (first, second)
        day, month = usual[::-1] if self._month_first else usual
        return self._made(int(day), int(month), year) or self._made(int(month), int(day), year)

    def _made(self, day: int, month: int, year: str) -> date | None:
        for candidate in self._years(year):
            try:
                made = date(candidate, month, day)
            except ValueError:
                continue
            if year or self._today is None or made >= self._today:
                return made
        return None

    def _years(self, year: str) -> Sequence[int]:
        """Return the years that may be meant: the one that was said, else this one and those after it."""
        if len(year) == 4:
            return (int(year),)
        if self._today is None or len(year) not in {0, 2}:
            return ()
        this = self._today.year
        if not year:
            return range(this, this + 9)  # between two 29ths of February there may be eight years
        century = this - this % 100
        near = century + int(year)
        return (near if near <= this + YEARS_AHEAD else near - 100,)


def _divided(token: str) -> Sequence[str]:
    """Divide `24.11.2026` into its figures; other figures stay whole."""
    parts = token.strip(".").split(".")
    return parts if len(parts) > 1 and token[0].isdigit() else (token,)
