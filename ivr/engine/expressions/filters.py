"""The filters of the language, in one table that the parser, the evaluator and the checks all read (LANGUAGE C11).

What makes words for a caller takes them from the forms of the language that is spoken.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct

from ivr.engine.expressions.convert import Misfit, decimal, iso_date, iso_datetime, iso_time
from ivr.engine.expressions.failure import WrongKind
from ivr.engine.expressions.forms import cldr
from ivr.engine.expressions.forms.english import WEEKDAYS
from ivr.engine.expressions.forms.language_forms import LanguageForms
from ivr.engine.expressions.operations import admitted, kind, limited, listed, rounded
from ivr.engine.expressions.tree import Argument
from ivr.engine.expressions.types import ANY, DECIMAL, INTEGER, TEXT, Type, optional
from ivr.engine.values import Value
from ivr.errors import ExpressionFailed

MAX_PLACES = 9
PLURALS = ("zero", "one", "two", "few", "many", "other")
"What the CLDR calls the plurals of all languages; no language has all."

Gives: TypeAlias = Callable[[Type, tuple[Argument, ...]], Type]


class Arguments(Struct, frozen=True):
    """What may stand in the brackets of a filter."""

    usage: str
    "What it wants, as the end of a sentence."
    accepts: Callable[[Sequence[object]], bool]


NOTHING = Arguments("no arguments", lambda arguments: not arguments)
ONE_NUMBER = Arguments(
    f"one whole number from 0 to {MAX_PLACES}",
    lambda arguments: len(arguments) <= 1 and all(type(one) is int and 0 <= one <= MAX_PLACES for one in arguments),
)
CURRENCY = Arguments(
    "the code of a currency, such as money('EUR')",
    lambda arguments: len(arguments) == 1 and arguments[0] in cldr.currencies(),
)
TEXTS = Arguments(
    "texts by name, \"other\" among them, such as plural(one='a message', other='# messages')",
    lambda arguments: _are_plurals([*arguments]),
)


def _are_plurals(arguments: Sequence[object]) -> bool:
    names = [argument[0] for argument in arguments if isinstance(argument, tuple)]
    return len(names) == len(arguments) and set(names) <= set(PLURALS) and "other" in names


class Filter(Struct, frozen=True):
    """One filter: what it takes, what it gives, what it does."""

    name: str
    takes: frozenset[str]
    "The types it takes, by name; never `none`."
    gives: Gives
    "The type of its result, from that of its input and the arguments."
    work: Callable[..., Value]
    "Takes the value and the arguments; one that speaks takes the forms of the language first."
    reads: Callable[[str], Value] | None = None
    "Set: it takes text too, read so; only text that is written out can be checked (raises Misfit)."
    arguments: Arguments = NOTHING
    speaks: bool = False
    "True: it gives words for a caller, in which a program finds no order."
    yields: tuple[str, ...] = ()
    "All that it can give in English, where that is a handful of words; so it is compared, in every language."

    def apply(self, value: Value, arguments: tuple[Argument, ...]) -> Value:
        """Run a filter that does not speak; raise WrongKind or ExpressionFailed."""
        return self.work(self._taken(value), *arguments)

    def say(self, forms: LanguageForms, value: Value, arguments: tuple[Argument, ...]) -> Value:
        """Run a filter that speaks, in a language; raise WrongKind or ExpressionFailed."""
        return self.work(forms, self._taken(value), *arguments)

    def _taken(self, value: Value) -> Value:
        if self.reads is not None and isinstance(value, str):
            return self._read(self.reads, value)
        if kind(value) not in self.takes:
            raise WrongKind(f'the filter "{self.name}" takes no {kind(value)}')
        return value

    def _read(self, reads: Callable[[str], Value], text: str) -> Value:
        try:
            return reads(text)
        except Misfit as misfit:
            raise ExpressionFailed(f'the filter "{self.name}": {misfit}') from misfit


def _date_or_datetime(text: str) -> date:
    return iso_datetime(text) if len(text) > len("2026-11-24") else iso_date(text)


def _time_or_datetime(text: str) -> time | datetime:
    return iso_datetime(text) if len(text) > len("09:40:30") else iso_time(text)


def _duration(forms: LanguageForms, seconds: int | Decimal) -> str:
    return forms.duration(int(rounded(seconds, 0)))


def _ordinal(forms: LanguageForms, value: int) -> str:
    if value < 1:
        raise ExpressionFailed("only numbers from 1 on have a place in a row")
    return forms.ordinal(value)


def _digits(forms: LanguageForms, value: str | int) -> str:
    return limited(forms.digits(str(value)))


def _spell(forms: LanguageForms, text: str) -> str:
    return limited(forms.spell(text))


def _telephone(forms: LanguageForms, text: str) -> str:
    return limited(forms.telephone(text))


def _money(forms: LanguageForms, value: int | Decimal, currency: str) -> str:
    return forms.money(rounded(value, cldr.places(currency)), currency)


def _plural(forms: LanguageForms, value: int | Decimal, *texts: tuple[str, str]) -> str:
    return limited(forms.plural(value, dict(texts)))


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


def _text(_: Type, __: tuple[Argument, ...]) -> Type:
    return TEXT


def _integer(_: Type, __: tuple[Argument, ...]) -> Type:
    return INTEGER


def _rounded(_: Type, arguments: tuple[Argument, ...]) -> Type:
    return DECIMAL if arguments else INTEGER


def _item(given: Type, _: tuple[Argument, ...]) -> Type:
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


def _speaking(
    name: str,
    takes: frozenset[str],
    work: Callable[..., str],
    reads: Callable[[str], Value] | None = None,
    *,
    arguments: Arguments = NOTHING,
    yields: tuple[str, ...] = (),
) -> Filter:
    return Filter(name, takes, _text, work, reads, arguments, speaks=True, yields=yields)


FILTERS: Mapping[str, Filter] = {
    filter_.name: filter_
    for filter_ in (
        _speaking("date", _DAY, lambda forms, value: forms.short_date(value), _date_or_datetime),
        _speaking("longDate", _DAY, lambda forms, value: forms.long_date(value), _date_or_datetime),
        _speaking("weekday", _DAY, lambda forms, value: forms.weekday(value), _date_or_datetime, yields=WEEKDAYS),
        _speaking("time", _CLOCK, lambda forms, value: forms.time_of_day(value), _time_or_datetime),
        _speaking("datetime", frozenset({"datetime"}), lambda forms, value: forms.moment(value), iso_datetime),
        _speaking("duration", _NUMBER, _duration),
        _speaking("number", _NUMBER, lambda forms, value: forms.number(value)),
        _speaking("money", _NUMBER, _money, arguments=CURRENCY),
        _speaking("plural", _NUMBER, _plural, arguments=TEXTS),
        _speaking("telephone", frozenset({"text"}), _telephone),
        _speaking("ordinal", frozenset({"integer"}), _ordinal),
        _speaking("digits", frozenset({"text", "integer"}), _digits),
        _speaking("spell", frozenset({"text"}), _spell),
        _speaking("list", frozenset({"list"}), listed),
        Filter("length", _IN_A_ROW, _integer, len),
        Filter("first", _IN_A_ROW, _item, _first),
        Filter("last", _IN_A_ROW, _item, _last),
        Filter("upper", frozenset({"text"}), _text, _upper),
        Filter("lower", frozenset({"text"}), _text, _lower),
        Filter("trim", frozenset({"text"}), _text, str.strip),
        Filter("round", _NUMBER, _rounded, _round, arguments=ONE_NUMBER),
        Filter("int", _NUMBER, _integer, int, decimal),
    )
}
