"""The filters of the language, in one table that the parser, the evaluator and the checks all read (LANGUAGE C11).

English forms only; other languages, and the filters in `LATER`, belong to the language's second part.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct

from ivr.engine.expressions import english
from ivr.engine.expressions.convert import Misfit, decimal, iso_date, iso_datetime, iso_time
from ivr.engine.expressions.failure import WrongKind
from ivr.engine.expressions.operations import admitted, kind, limited, listed, rounded
from ivr.engine.expressions.types import ANY, DECIMAL, INTEGER, TEXT, Type, optional
from ivr.engine.values import Value
from ivr.errors import ExpressionFailed

LATER = frozenset({"money", "plural", "telephone"})
MAX_PLACES = 9

Gives: TypeAlias = Callable[[Type, tuple[int, ...]], Type]


class Filter(Struct, frozen=True):
    """One filter: what it takes, what it gives, what it does."""

    name: str
    takes: frozenset[str]
    "The types it takes, by name; never `none`."
    gives: Gives
    "The type of its result, from that of its input and the arguments."
    work: Callable[..., Value]
    reads: Callable[[str], Value] | None = None
    "Set: it takes text too, read so; only text that is written out can be checked (raises Misfit)."
    arguments: int = 0
    "How many it may have; each is a whole number from 0 to `MAX_PLACES`."
    speaks: bool = False
    "True: it gives words for a caller, in which a program finds no order."
    yields: tuple[str, ...] = ()
    "All that it can give, where that is a handful of words."

    def accepts(self, arguments: Sequence[object]) -> bool:
        """Return whether the arguments are as the filter wants them."""
        return len(arguments) <= self.arguments and all(
            type(argument) is int and 0 <= argument <= MAX_PLACES for argument in arguments
        )

    def usage(self) -> str:
        """Return which arguments the filter wants."""
        if self.arguments:
            return f'The filter "{self.name}" takes one whole number from 0 to {MAX_PLACES}.'
        return f'The filter "{self.name}" takes no arguments.'

    def apply(self, value: Value, arguments: tuple[int, ...]) -> Value:
        """Run the filter on a value; raise WrongKind or ExpressionFailed."""
        if self.reads is not None and isinstance(value, str):
            value = self._read(self.reads, value)
        elif kind(value) not in self.takes:
            raise WrongKind(f'the filter "{self.name}" takes no {kind(value)}')
        return self.work(value, *arguments)

    def _read(self, reads: Callable[[str], Value], text: str) -> Value:
        try:
            return reads(text)
        except Misfit as misfit:
            raise ExpressionFailed(f'the filter "{self.name}": {misfit}') from misfit


def _date_or_datetime(text: str) -> date:
    return iso_datetime(text) if len(text) > len("2026-11-24") else iso_date(text)


def _time_or_datetime(text: str) -> time | datetime:
    return iso_datetime(text) if len(text) > len("09:40:30") else iso_time(text)


def _duration(seconds: int | Decimal) -> str:
    return english.duration(int(rounded(seconds, 0)))


def _ordinal(value: int) -> str:
    if value < 1:
        raise ExpressionFailed("only numbers from 1 on have a place in a row")
    return english.ordinal(value)


def _digits(value: str | int) -> str:
    return limited(english.digits(value)) if isinstance(value, str) else english.digits(str(value))


def _spell(text: str) -> str:
    return limited(english.spell(text))


def _first(value: Sequence[Value]) -> Value:
    return admitted(value[0]) if value else None


def _last(value: Sequence[Value]) -> Value:
    return admitted(value[-1]) if value else None


def _upper(text: str) -> str:
    return limited(text.upper())


def _lower(text: str) -> str:
    return limited(text.lower())


def _round(value: int | Decimal, places: int | None = None) -> int | Decimal:
    return int(rounded(value, 0)) if places is None else rounded(value, places)


def _text(_: Type, __: tuple[int, ...]) -> Type:
    return TEXT


def _integer(_: Type, __: tuple[int, ...]) -> Type:
    return INTEGER


def _rounded(_: Type, arguments: tuple[int, ...]) -> Type:
    return DECIMAL if arguments else INTEGER


def _item(given: Type, _: tuple[int, ...]) -> Type:
    return optional(item_type(given))


def item_type(given: Type) -> Type:
    """Return the type of an item of a list, or of a character of a text."""
    if given.name == "list":
        return given.item or ANY
    return ANY if given.name == "any" else TEXT


_NUMBER = frozenset({"integer", "decimal"})
_DAY = frozenset({"date", "datetime"})
_CLOCK = frozenset({"time", "datetime"})
_IN_A_ROW = frozenset({"list", "text"})

FILTERS: Mapping[str, Filter] = {
    filter_.name: filter_
    for filter_ in (
        Filter("date", _DAY, _text, english.date_, _date_or_datetime, speaks=True),
        Filter("longDate", _DAY, _text, english.long_date, _date_or_datetime, speaks=True),
        Filter("weekday", _DAY, _text, english.weekday, _date_or_datetime, speaks=True, yields=english.WEEKDAYS),
        Filter("time", _CLOCK, _text, english.time_, _time_or_datetime, speaks=True),
        Filter("datetime", frozenset({"datetime"}), _text, english.datetime_, iso_datetime, speaks=True),
        Filter("duration", _NUMBER, _text, _duration, speaks=True),
        Filter("number", _NUMBER, _text, english.number, speaks=True),
        Filter("ordinal", frozenset({"integer"}), _text, _ordinal, speaks=True),
        Filter("digits", frozenset({"text", "integer"}), _text, _digits, speaks=True),
        Filter("spell", frozenset({"text"}), _text, _spell, speaks=True),
        Filter("list", frozenset({"list"}), _text, listed, speaks=True),
        Filter("length", _IN_A_ROW, _integer, len),
        Filter("first", _IN_A_ROW, _item, _first),
        Filter("last", _IN_A_ROW, _item, _last),
        Filter("upper", frozenset({"text"}), _text, _upper),
        Filter("lower", frozenset({"text"}), _text, _lower),
        Filter("trim", frozenset({"text"}), _text, str.strip),
        Filter("round", _NUMBER, _rounded, _round, arguments=1),
        Filter("int", _NUMBER, _integer, int, decimal),
    )
}
